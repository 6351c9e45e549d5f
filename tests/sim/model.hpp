#pragma once
// Model: what every client must, may and must not receive, told step by step what the clients did.
//
// Times are steps of the Sim. "Certainly" and "possibly" matter: a client does not know when the broker handles
// what it sent, so a subscription certainly stands from its SUBACK to the UNSUBSCRIBE and possibly from the
// SUBSCRIBE to the UNSUBACK. What lies between is allowed and not required.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/types.hpp"

namespace comqtt::sim {

class Client;
class Sim;

constexpr uint64_t kNever = UINT64_MAX;

struct Message {
    uint32_t number = 0;
    uint32_t publisher = 0;  ///< index of the client
    std::string topic;
    uint8_t qos = 0;
    bool retain = false;
    bool will = false;
    uint32_t expiry_s = 0;  ///< 0 = none
    size_t size = 0;        ///< of the payload; 0 = clears a retained message
    uint64_t sent = 0;      ///< first put on a wire
    int64_t sent_ms = 0;
    uint64_t acked = kNever;  ///< PUBACK or PUBREC read
    int64_t acked_ms = 0;
    uint64_t routed = kNever;  ///< certainly with all its receivers' sessions
    uint64_t wire = 0;         ///< of the last transmission
    uint32_t transmissions = 0;
};

/// One subscription of a session, from SUBSCRIBE to UNSUBACK.
struct Span {
    std::string filter;  ///< as sent
    std::string plain;   ///< without $share/name/
    bool shared = false;
    uint8_t qos = 0;
    bool no_local = false;
    bool retain_as_published = false;
    uint8_t retain_handling = 0;
    uint32_t identifier = 0;
    uint64_t asked = 0;
    uint64_t stands = kNever;   ///< SUBACK read
    uint64_t leaving = kNever;  ///< UNSUBSCRIBE, or a SUBSCRIBE that replaces it, sent
    uint64_t left = kNever;     ///< UNSUBACK read

    bool matches(std::string_view topic) const;
};

/// What happened to a will of a connection that ended.
enum class Fate { must, may, must_not };

class Model {
public:
    explicit Model(Sim& sim) : sim_(sim) {}

    Message& make(uint32_t publisher, std::string topic, uint8_t qos, size_t size);
    Message& message(uint32_t number) { return messages_[number - 1]; }
    /// Bytes that stand for a message: its number, and a filling that follows from it and from each place.
    static std::string payload_of(const Message& message);
    /// The message a payload stands for; fails when it stands for none.
    Message& identify(std::string_view payload);

    void transmitted(Message& message, uint64_t wire);
    void acknowledged(Message& message);
    /// Call after each shard round.
    void observe_drains();
    /// Nothing is on its way any more.
    void all_routed();

    // --- shared groups ---
    void group_delivery(const std::string& group, const Message& message, uint8_t qos);
    void group_subscription(const std::string& group, uint8_t qos) { groups_[group].qos0 |= qos == 0; }
    void group_departure(const std::string& group, bool session_ended);

    // --- wills ---
    void decide_will(uint32_t number, Fate fate) { wills_[number].fate = fate; }
    void will_not_before(uint32_t number, int64_t ms) { wills_[number].not_before_ms = ms; }
    void will_arrived(const Message& message);

    // --- checks when everything has come to rest ---
    void check_rest(const std::vector<Client*>& clients);
    /// Payload numbers that a new subscriber of a retained topic may get; 0 = nothing.
    std::vector<uint32_t> retained_candidates(const std::string& topic,
                                              const std::vector<Client*>& clients) const;
    std::vector<std::string> retained_topics() const;
    void retained_seen(const std::string& topic, uint32_t number);
    /// Messages below this number are over and done with.
    uint32_t finished() const { return finished_; }

private:
    struct Group {
        std::vector<bool> departures;  ///< since the last rest: the session ended
        bool qos0 = false;             ///< some member has, or had since the last rest, QoS 0
        std::map<uint32_t, uint32_t> copies;
        std::map<uint32_t, uint32_t> copies_qos2;
    };
    struct WillRecord {
        Fate fate = Fate::may;
        int64_t not_before_ms = 0;
        uint32_t arrived = 0;
    };
    struct Transmission {
        uint32_t number;  ///< 0 = the broker holds nothing
        uint64_t wire;
        bool known;  ///< seen by a new subscriber
    };
    void check_received(const Message& message, Client& client, const std::vector<Client*>& clients) const;
    bool surely_handled(const Message& message, uint64_t wire, const std::vector<Client*>& clients) const;
    void check_groups(const std::vector<Client*>& clients);
    void check_wills();

    Sim& sim_;
    std::vector<Message> messages_;
    std::vector<uint32_t> routing_;  ///< acknowledged, perhaps still in a mailbox
    std::map<std::string, Group> groups_;
    std::map<uint32_t, WillRecord> wills_;
    std::map<std::string, std::vector<Transmission>> retained_;
    uint32_t finished_ = 1;
};

}  // namespace comqtt::sim
