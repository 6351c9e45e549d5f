#pragma once
// Connection: protocol state of one network connection, from accept to close. Owned by one shard.

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "broker/congestion.hpp"
#include "broker/link.hpp"
#include "broker/mail.hpp"
#include "broker/output.hpp"
#include "broker/waiting.hpp"
#include "hooks/client.hpp"
#include "hooks/deferral.hpp"
#include "hooks/packet_box.hpp"
#include "mqtt/types.hpp"
#include "topics/topic_alias.hpp"

namespace comqtt::broker {

struct Route;
struct Session;

/// Where a connection waits for a verdict.
enum class Step : uint8_t {
    connect,        ///< on_connect
    authenticate,   ///< on_connect_authenticate
    auth,           ///< on_auth_packet, during CONNECT or later
    publish_acl,    ///< on_acl_check of a PUBLISH
    publish,        ///< on_publish
    subscribe_acl,  ///< on_acl_check of one filter
    load,           ///< the stored session
    subscribe,      ///< SUBSCRIBE: its turn to add the next filters
    replay,         ///< SUBSCRIBE: its turn to look for their retained messages
    unsubscribe,    ///< UNSUBSCRIBE: its turn to remove the next filters
    take_over,      ///< what the session's present connection has sent comes first
    retain,         ///< whether a topic of another shard may be retained although the limit is reached
};

/// What a suspended step needs to go on.
struct Suspension {
    Step step{};
    Ref<hooks::PacketBox> box;
    size_t position = 0;                        ///< number of the hook that answered
    size_t index = 0;                           ///< SUBSCRIBE, UNSUBSCRIBE: filter
    std::vector<uint8_t> codes;                 ///< of the filters, decided so far
    std::vector<int32_t> counts;                ///< of the filters: subscribers now
    std::vector<bool> existed;                  ///< of the filters
    uint64_t vouched = 0;                       ///< Rounds::vouched() before anything was changed
    size_t added = 0;                           ///< subscribe_acl: new filters granted so far
    uint64_t added_bytes = 0;                   ///< of those
    bool injected = false;                      ///< not from the wire
    uint64_t pending = 0;                       ///< deferral number; 0 = waits for its turn
    uint64_t bytes_left = 0;                    ///< take_over: to read of the old connection at most
    std::deque<Ref<hooks::PacketBox>> waiting;  ///< injected packets that come after it
};

/// An enhanced authentication (4.12).
struct AuthExchange {
    std::string method;
    std::string reply;  ///< last authentication data, for CONNACK
    bool has_reply = false;
    Ref<hooks::PacketBox> connect;  ///< until the session is established
};

/// What only a connection without a session has.
struct Opening {
    explicit Opening(PeerInfo info) : peer(std::move(info)) {}
    PeerInfo peer;
    uint64_t order = 0;  ///< of its CONNECT among those of the shard
    uint64_t bytes = 0;  ///< of Connection::partial, counted in the core: CONNECT has not arrived as a whole
};

struct Connection {
    enum class State : uint8_t { awaiting_connect, authenticating, established, closing };

    uint64_t handle = 0;
    Link* link = nullptr;
    Session* session = nullptr;
    Ref<hooks::Client> client;
    Output out;
    std::vector<uint8_t> partial;  ///< trailing bytes of an incomplete packet, or what waits while suspended

    Route* last_route = nullptr;  ///< of the previous publish
    uint32_t last_serial = 0;
    uint32_t held = 0;            ///< packets for it that wait for the stores
    uint64_t last_acl_epoch = 0;  ///< the write verdict for it is ALLOW
    int64_t last_acl_until_ms = 0;

    int64_t last_received_ms = 0;
    int64_t since_ms = 0;              ///< accepted, established; when closing: the time to be gone
    int64_t scheduled_ms = INT64_MAX;  ///< earliest deadline entry
    uint32_t keep_alive_ms = 0;        ///< 1.5 times the interval; 0 = none
    uint32_t max_packet_size = 0;      ///< of the client; 0 = none
    uint32_t window = 65'535;          ///< outbound QoS 1 and 2 messages in flight
    uint16_t alias_maximum = 0;        ///< of the client
    uint16_t paused_by = 0;            ///< reasons not to read
    State state = State::awaiting_connect;
    mqtt::Version version = mqtt::Version::v5;
    bool problem_information = true;
    bool dirty = false;    ///< in the shard's list of outputs to flush in this round
    bool late = false;     ///< in its list of those to flush by and by
    bool blocked = false;  ///< the link did not take all
    bool connect_seen = false;
    bool finishing = false;        ///< Link::finish was called
    bool half_closed = false;      ///< the peer sends no more; ends when it has got what it asked for
    bool link_lost = false;        ///< what has arrived is still handled, then it ends
    bool unread_answers = false;   ///< not read because it does not take what it is sent
    bool waits_for_store = false;  ///< not read because too much waits for the stores
    bool waits_turn = false;       ///< not read because its messages have very many receivers
    bool input_waits = false;  ///< in either case: so does what stands in `partial`, whole packets among it
    bool last_words = false;   ///< heard out before it is taken over: bounded by that, it waits for no store
    bool waits_to_connect = false;  ///< in the shard's list of CONNECTs that wait
    uint32_t held_pubacks = 0;      ///< of `held`
    uint64_t answers = 0;           ///< bytes in `out`, at most, of answers to what it asks for
    uint32_t corked = 0;            ///< of these: nothing goes out before them

    /// The peer's address, for the log.
    std::string_view remote() const {
        return client    ? std::string_view(client->remote)
               : opening ? std::string_view(opening->peer.remote)
                         : "?";
    }

    std::unique_ptr<Opening> opening;  ///< until it is established
    std::unique_ptr<topics::InboundAliases> inbound_aliases;
    std::unique_ptr<topics::OutboundAliases> outbound_aliases;
    std::unique_ptr<Suspension> suspension;
    std::unique_ptr<Congestion> congestion;  ///< as a receiver; null = has never been full
    std::unique_ptr<Waiting> waiting;        ///< as a publisher; null = has never waited
    std::unique_ptr<AuthExchange> auth;

    bool congested() const { return congestion && congestion->full(); }
    bool given_up() const { return congestion && congestion->state() == Congestion::State::given_up; }
};

}  // namespace comqtt::broker
