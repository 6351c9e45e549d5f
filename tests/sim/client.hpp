#pragma once
// Client: a well-behaved MQTT 3.1.1 or 5.0 client that tells the Model what it does and checks everything it
// receives. It reads and acknowledges only when told to.

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "mqtt/codec.hpp"
#include "sim/model.hpp"
#include "sim/sim.hpp"

namespace comqtt::sim {

struct ClientSettings {
    std::string id = {};
    uint32_t index = 0;
    mqtt::Version version = mqtt::Version::v5;
    uint16_t receive_maximum = 65'535;
    uint16_t alias_maximum = 0;
    uint32_t maximum_packet_size = 0;
    size_t wire_capacity = 4096;
    bool watches_wills = false;  ///< subscribed to all will topics for ever
};

struct ConnectSettings {
    bool clean = true;
    uint32_t expiry_s = 0;  ///< 5.0
    bool will = false;
    uint8_t will_qos = 0;
    uint32_t will_delay_s = 0;  ///< 5.0
    size_t will_size = 24;
    uint16_t keep_alive_s = 0;
};

struct SubscribeSettings {
    uint8_t qos = 0;
    bool no_local = false;
    bool retain_as_published = false;
    uint8_t retain_handling = 0;
    uint32_t identifier = 0;
};

struct PublishSettings {
    uint8_t qos = 0;
    bool retain = false;
    size_t size = 32;
    uint32_t expiry_s = 0;
    bool alias = false;
};

struct Received {
    uint32_t number;  ///< 0 for an empty payload
    std::string topic;
    uint8_t qos;
    bool retain;
    bool dup;
    std::optional<uint32_t> expiry_s;
};

/// What a client and the broker both remember beyond a connection.
struct SessionState {
    struct Outgoing {
        mqtt::PacketId id;
        uint32_t number;
        uint8_t qos;
        bool released;  ///< PUBREC came
    };
    using OrderKey = std::pair<uint32_t, std::pair<std::string, uint32_t>>;  ///< publisher, topic, both QoS

    unsigned connections = 0;
    std::vector<Span> spans;
    std::vector<Outgoing> out;
    std::map<mqtt::PacketId, uint32_t> receiving;   ///< QoS 2, until PUBREL
    std::map<mqtt::PacketId, uint32_t> unanswered;  ///< QoS 1, until PUBACK is sent
    std::unordered_map<uint32_t, uint32_t> copies;  ///< live deliveries by message
    std::unordered_map<uint32_t, uint32_t> firsts;  ///< those that were not sent again
    std::map<OrderKey, uint32_t> latest;
    std::map<std::string, uint32_t> replays;  ///< retained messages received, by topic
    uint32_t subscribes_of_retained = 0;      ///< SUBSCRIBE entries that may have caused one
    mqtt::PacketId last_id = 0;
};

class Client {
public:
    enum class State { offline, connecting, up };

    Client(Sim& sim, Model& model, ClientSettings settings)
        : settings_(std::move(settings)), sim_(sim), model_(model) {}

    // --- actions ---
    void connect(ConnectSettings settings);
    /// False when the broker's receive maximum or the identifiers are used up.
    bool publish(const std::string& topic, PublishSettings settings);
    void subscribe(const std::string& filter, SubscribeSettings settings);
    void unsubscribe(const std::string& filter);
    void ping();
    /// DISCONNECT and the end of the connection; 5.0 may set another expiry.
    void disconnect(mqtt::Reason reason = mqtt::Reason::success, std::optional<uint32_t> expiry_s = {});
    /// Ends without DISCONNECT: in order, or cut.
    void hang_up();
    void cut();
    /// Leaves the connection open and forgets it: the next connect takes the session over.
    void walk_away();

    // --- listening ---
    void read(size_t limit);
    void acknowledge(size_t count);
    void read_all() {
        read(SIZE_MAX);
        acknowledge(SIZE_MAX);
    }
    bool deaf = false;  ///< neither reads nor acknowledges, for whoever drives it
    std::vector<Received> inbox;
    /// A DISCONNECT or a refusing CONNACK from the broker is a failure unless this is set.
    bool expects_end = false;
    std::optional<mqtt::Reason> ended_with;  ///< the broker's DISCONNECT or CONNACK reason
    bool saw_end = false;                    ///< the broker closed

    // --- state ---
    const ClientSettings& settings() const { return settings_; }
    State state() const { return state_; }
    bool up() const { return state_ == State::up; }
    /// A CONNECT now would not overtake an older one.
    bool may_connect() const;
    SessionState* session() { return has_session_ ? &session_ : nullptr; }
    Wire* wire() { return wire_; }
    uint64_t up_since() const { return up_since_; }
    bool at_rest() const;
    std::string unrest() const;
    size_t held() const { return held_.size(); }
    uint32_t in_flight() const { return static_cast<uint32_t>(in_flight_.size()); }
    bool v5() const { return settings_.version == mqtt::Version::v5; }
    bool subscribed(const std::string& filter) const;
    size_t quota_used() const { return session_.out.size(); }
    /// Drops what only messages that are over and done with need.
    void forget_past();

private:
    enum class Presence { yes, may, no };
    struct PendingWill {
        uint32_t number = 0;
        uint32_t delay_s = 0;
    };
    /// How the last connection ended.
    struct Ending {
        Wire* wire = nullptr;
        int64_t at_ms = 0;
        uint32_t expiry_s = 0;
        uint32_t expiry_before_s = 0;  ///< had its DISCONNECT not been read
        bool clean = false;            ///< DISCONNECT without the will
        bool handled_connect = false;  ///< its CONNACK came
        std::optional<PendingWill> will;
    };

    struct Ack {
        mqtt::PacketType type{};
        mqtt::PacketId id = 0;
        mqtt::Reason reason = mqtt::Reason::success;
    };
    void send(mqtt::Packet& packet);
    void send_ack(const Ack& ack);
    void leave(bool clean, std::optional<uint32_t> expiry_before_s = {});
    void drop_session();
    void settle_will(bool clean_start);
    void expect_presence();
    void handle(const mqtt::Packet& packet);
    void handle_connack(const mqtt::Packet& packet);
    void handle_publish(const mqtt::Packet& packet);
    const std::string& topic_of(const mqtt::Packet& packet);
    bool note_flow(const mqtt::Packet& packet, const std::string& topic, uint32_t number);
    void check_live(const Message& message, const mqtt::Packet& packet);
    void check_order(const Message& message, uint8_t qos);
    void check_replay(const Message& message, const mqtt::Packet& packet);
    void check_identifiers(const Message& message, const mqtt::Packet& packet, bool replay) const;
    void handle_ack(const mqtt::Packet& packet);
    void handle_suback(const mqtt::Packet& packet);
    void resume();
    mqtt::PacketId next_id();
    void send_publish(const Message& message, mqtt::PacketId id, bool dup);
    bool id_in_use(mqtt::PacketId id) const;
    void report_departure(bool session_ended);
    bool possible(const Span& span, const Message& message) const;

    const ClientSettings settings_;
    Sim& sim_;
    Model& model_;
    State state_ = State::offline;
    Wire* wire_ = nullptr;
    std::vector<uint8_t> buffer_;
    bool has_session_ = false;
    SessionState session_;
    ConnectSettings connect_;
    Ending ending_;
    bool ended_before_ = false;  ///< ending_ is set
    int64_t connect_ms_ = 0;
    Presence presence_ = Presence::no;
    int64_t present_below_ms_ = 0;  ///< the session is certainly there for a CONNACK before this
    std::optional<PendingWill> will_;
    std::optional<uint32_t> undecided_will_;  ///< must not come when CONNACK arrives before will_due_ms_
    int64_t will_due_ms_ = 0;
    uint64_t up_since_ = 0;
    uint16_t server_receive_maximum_ = 65'535;
    uint16_t server_alias_maximum_ = 0;
    std::map<std::string, uint16_t> aliases_out_;
    std::map<uint16_t, std::string> aliases_in_;
    std::map<mqtt::PacketId, uint32_t> in_flight_;  ///< received on this connection, not yet finished
    std::deque<Ack> held_;                          ///< acknowledgements not yet sent
    std::map<mqtt::PacketId, std::vector<size_t>> subscribing_;  ///< spans that wait for SUBACK
    std::map<mqtt::PacketId, std::vector<size_t>> unsubscribing_;
    unsigned pings_ = 0;
    bool use_alias_ = false;
};

}  // namespace comqtt::sim
