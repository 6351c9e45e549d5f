#include "mqtt/reason.hpp"

namespace comqtt::mqtt {
namespace {

/// Bit n: may stand in a packet of PacketType n. DISCONNECT and AUTH differ by sender.
constexpr uint32_t bit(PacketType type) { return 1u << static_cast<unsigned>(type); }

constexpr uint32_t kConnack = bit(PacketType::connack);
constexpr uint32_t kReceived = bit(PacketType::puback) | bit(PacketType::pubrec);
constexpr uint32_t kReleased = bit(PacketType::pubrel) | bit(PacketType::pubcomp);
constexpr uint32_t kSuback = bit(PacketType::suback);
constexpr uint32_t kUnsuback = bit(PacketType::unsuback);
constexpr uint32_t kServerDisconnect = bit(PacketType::disconnect);
constexpr uint32_t kServerAuth = bit(PacketType::auth);
constexpr uint32_t kClientDisconnect = 1u << 16;
constexpr uint32_t kClientAuth = 1u << 17;
constexpr uint32_t kDisconnect = kServerDisconnect | kClientDisconnect;

struct ReasonInfo {
    Reason reason;
    const char* text;
    uint32_t places;
};

/// 2.4 with the senders of 3.14.2.1 and 3.15.2.1.
constexpr ReasonInfo kReasons[] = {
    {Reason::success, "Success",
     kConnack | kReceived | kReleased | kSuback | kUnsuback | kClientDisconnect | kServerAuth},
    {Reason::granted_qos_1, "Granted QoS 1", kSuback},
    {Reason::granted_qos_2, "Granted QoS 2", kSuback},
    {Reason::disconnect_with_will, "Disconnect with Will Message", kClientDisconnect},
    {Reason::no_matching_subscribers, "No matching subscribers", kReceived},
    {Reason::no_subscription_existed, "No subscription existed", kUnsuback},
    {Reason::continue_authentication, "Continue authentication", kServerAuth | kClientAuth},
    {Reason::reauthenticate, "Re-authenticate", kClientAuth},
    {Reason::unspecified_error, "Unspecified error",
     kConnack | kReceived | kSuback | kUnsuback | kDisconnect},
    {Reason::malformed_packet, "Malformed Packet", kConnack | kDisconnect},
    {Reason::protocol_error, "Protocol Error", kConnack | kDisconnect},
    {Reason::implementation_specific_error, "Implementation specific error",
     kConnack | kReceived | kSuback | kUnsuback | kDisconnect},
    {Reason::unsupported_protocol_version, "Unsupported Protocol Version", kConnack},
    {Reason::client_identifier_not_valid, "Client Identifier not valid", kConnack},
    {Reason::bad_user_name_or_password, "Bad User Name or Password", kConnack},
    {Reason::not_authorized, "Not authorized",
     kConnack | kReceived | kSuback | kUnsuback | kServerDisconnect},
    {Reason::server_unavailable, "Server unavailable", kConnack},
    {Reason::server_busy, "Server busy", kConnack | kServerDisconnect},
    {Reason::banned, "Banned", kConnack},
    {Reason::server_shutting_down, "Server shutting down", kServerDisconnect},
    {Reason::bad_authentication_method, "Bad authentication method", kConnack | kServerDisconnect},
    {Reason::keep_alive_timeout, "Keep Alive timeout", kServerDisconnect},
    {Reason::session_taken_over, "Session taken over", kServerDisconnect},
    {Reason::topic_filter_invalid, "Topic Filter invalid", kSuback | kUnsuback | kServerDisconnect},
    {Reason::topic_name_invalid, "Topic Name invalid", kConnack | kReceived | kDisconnect},
    {Reason::packet_identifier_in_use, "Packet Identifier in use", kReceived | kSuback | kUnsuback},
    {Reason::packet_identifier_not_found, "Packet Identifier not found", kReleased},
    {Reason::receive_maximum_exceeded, "Receive Maximum exceeded", kDisconnect},
    {Reason::topic_alias_invalid, "Topic Alias invalid", kDisconnect},
    {Reason::packet_too_large, "Packet too large", kConnack | kDisconnect},
    {Reason::message_rate_too_high, "Message rate too high", kDisconnect},
    {Reason::quota_exceeded, "Quota exceeded", kConnack | kReceived | kSuback | kDisconnect},
    {Reason::administrative_action, "Administrative action", kDisconnect},
    {Reason::payload_format_invalid, "Payload format invalid", kConnack | kReceived | kDisconnect},
    {Reason::retain_not_supported, "Retain not supported", kConnack | kServerDisconnect},
    {Reason::qos_not_supported, "QoS not supported", kConnack | kServerDisconnect},
    {Reason::use_another_server, "Use another server", kConnack | kServerDisconnect},
    {Reason::server_moved, "Server moved", kConnack | kServerDisconnect},
    {Reason::shared_subscriptions_not_supported, "Shared Subscriptions not supported",
     kSuback | kServerDisconnect},
    {Reason::connection_rate_exceeded, "Connection rate exceeded", kConnack | kServerDisconnect},
    {Reason::maximum_connect_time, "Maximum connect time", kServerDisconnect},
    {Reason::subscription_identifiers_not_supported, "Subscription Identifiers not supported",
     kSuback | kServerDisconnect},
    {Reason::wildcard_subscriptions_not_supported, "Wildcard Subscriptions not supported",
     kSuback | kServerDisconnect},
};

const ReasonInfo* find_reason(Reason reason) {
    for (const ReasonInfo& info : kReasons)
        if (info.reason == reason) return &info;
    return nullptr;
}

}  // namespace

const char* reason_text(Reason reason) {
    const ReasonInfo* info = find_reason(reason);
    return info ? info->text : "unknown reason code";
}

std::optional<uint8_t> connack_return_code_v3(Reason reason) {
    switch (reason) {
        case Reason::success: return 0;
        case Reason::unsupported_protocol_version: return 1;
        case Reason::client_identifier_not_valid: return 2;
        // The connection was made, but there is no service on it now.
        case Reason::server_unavailable:
        case Reason::server_busy:
        case Reason::server_shutting_down:
        case Reason::quota_exceeded:
        case Reason::use_another_server:
        case Reason::server_moved:
        case Reason::connection_rate_exceeded: return 3;
        case Reason::bad_user_name_or_password: return 4;
        case Reason::not_authorized:
        case Reason::banned:
        case Reason::bad_authentication_method: return 5;
        default: return {};
    }
}

Reason connack_reason_of_v3(uint8_t return_code) {
    switch (return_code) {
        case 0: return Reason::success;
        case 1: return Reason::unsupported_protocol_version;
        case 2: return Reason::client_identifier_not_valid;
        case 3: return Reason::server_unavailable;
        case 4: return Reason::bad_user_name_or_password;
        case 5: return Reason::not_authorized;
        default: return Reason::unspecified_error;
    }
}

bool reason_allowed(Reason reason, PacketType type, bool from_server) {
    const ReasonInfo* info = find_reason(reason);
    if (!info) return false;
    if (!from_server && type == PacketType::disconnect) return info->places & kClientDisconnect;
    if (!from_server && type == PacketType::auth) return info->places & kClientAuth;
    return info->places & bit(type);
}

}  // namespace comqtt::mqtt
