#pragma once
// Stored state as it passes between a storage hook and the broker: pushed at start, or page by page.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.hpp"
#include "base/result.hpp"
#include "mqtt/packet.hpp"

namespace comqtt::hooks {

struct StoredClient {
    std::string id;
    std::string username;
    std::string remote;
    std::string listener;
    mqtt::Version version = mqtt::Version::v5;
    bool clean_start = false;
    uint32_t session_expiry_s = 0;
    int64_t disconnected_at_ms = 0;  ///< wall clock, unix ms; 0 = was connected when stored
    bool has_will = false;           ///< not yet sent
    mqtt::Will will;
    int64_t will_due_ms = 0;  ///< wall clock, unix ms; 0 = its delay counts from now

    // What the store keeps of the session's messages and load_messages will hand over. All zero: nothing.
    uint64_t queued_messages = 0;    ///< not sent yet
    uint64_t queued_bytes = 0;       ///< footprints of those
    uint64_t inflight_messages = 0;  ///< sent, or inbound QoS 2 identifiers that wait for PUBREL
    uint64_t last_position = 0;      ///< greatest position of any of its messages
    int64_t next_expiry_ms = 0;      ///< wall clock at which the first of them expires; 0 = none does
};

struct StoredSubscription {
    std::string client_id;
    mqtt::TopicFilterEntry entry;
    uint32_t identifier = 0;
};

// Who a message of a handover log goes to (broker/handover_log.hpp), in place of a shared subscription. Nothing: the
// sessions of the receiving thread that match its topic.
inline constexpr std::string_view kToRetained = "$retained";  ///< becomes the retained message of its topic
inline constexpr std::string_view kToClient = "$client/";     ///< before the id of the one client

struct StoredMessage {
    enum class State : uint8_t { queued = 0, sent = 1, received = 2, released = 3 };
    std::string client_id;      ///< whose session holds it; empty for a retained message
    std::string origin;         ///< client id of the publisher
    mqtt::Packet packet;        ///< a PUBLISH; with packet id and subscription identifiers as delivered
    std::string share;          ///< the shared subscription it came through, `$share/...`; empty = none
    uint8_t published_qos = 0;  ///< when it is above the one delivered
    uint64_t position = 0;      ///< in the session's order, as Change::position; 0 = after the last
    int64_t created_ms = 0;
    int64_t sent_ms = 0;
    State state = State::queued;  ///< received = inbound QoS 2 id awaiting PUBREL; released = PUBREL sent
};

/// Takes records from a stored_* callback. Copies at once.
class StoredSink {
public:
    virtual Result<void> add(StoredClient record) = 0;
    virtual Result<void> add(StoredSubscription record) = 0;
    virtual Result<void> add(StoredMessage record) = 0;
    /// A client id that may not connect; inside stored_clients.
    virtual Result<void> add_blocked(std::string client_id) = 0;

protected:
    ~StoredSink() = default;
};

}  // namespace comqtt::hooks
