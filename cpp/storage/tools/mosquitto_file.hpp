#pragma once
// The persistence file of mosquitto (`mosquitto.db`), versions 3 to 6, taken apart. Reads memory and nothing else;
// every length is checked. docs/storage.md says what is known of the format.

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace comqtt::storage::tools {

inline constexpr std::string_view kMosquittoMagic{"\0\xB5\0mosquitto db", 15};

/// All views point into the file.
struct MosquittoFile {
    struct Client {
        size_t offset = 0;  ///< of its chunk, as in all of these
        std::string_view id;
        std::string_view username;
        int64_t session_expires_s = 0;         ///< unix seconds; 0 = not set
        uint32_t session_expiry = 0xFFFFFFFF;  ///< seconds
        uint16_t last_packet_id = 0;
    };
    struct Subscription {
        size_t offset = 0;
        std::string_view client_id;
        std::string_view filter;
        uint8_t options = 0;  ///< QoS, 4 = No Local, 8 = Retain As Published
        uint32_t identifier = 0;
    };
    struct Message {
        size_t offset = 0;
        uint64_t id = 0;
        std::string_view source_id;
        std::string_view topic;
        ByteView payload;
        ByteView properties;    ///< without length
        int64_t expires_s = 0;  ///< unix seconds; 0 = never
        uint8_t qos = 0;
        bool retain = false;
    };
    enum class Direction : uint8_t { in = 0, out = 1 };
    enum class State : uint8_t {
        publish_qos0 = 1,
        publish_qos1 = 2,
        wait_for_puback = 3,
        publish_qos2 = 4,
        wait_for_pubrec = 5,
        resend_pubrel = 6,
        wait_for_pubrel = 7,
        resend_pubcomp = 8,
        wait_for_pubcomp = 9,
        send_pubrec = 10,
        queued = 11,
    };
    /// A message in a client's hands, or in its queue.
    struct ClientMessage {
        size_t offset = 0;
        std::string_view client_id;
        uint64_t message = 0;
        uint16_t packet_id = 0;
        uint8_t qos = 0;
        bool retain = false;
        bool dup = false;
        Direction direction = Direction::out;
        State state = State::queued;
        std::vector<uint32_t> identifiers;
    };
    struct Retained {
        size_t offset = 0;
        uint64_t message = 0;
    };

    uint32_t version = 0;
    std::vector<Client> clients;
    std::vector<Subscription> subscriptions;
    std::vector<Message> messages;
    std::vector<ClientMessage> client_messages;  ///< of one client: in flight before queued
    std::vector<Retained> retained;
    size_t unknown_chunks = 0;
};

/// invalid_argument with the offset of what is wrong; unsupported for another version.
Result<MosquittoFile> parse_mosquitto_file(ByteView bytes);

}  // namespace comqtt::storage::tools
