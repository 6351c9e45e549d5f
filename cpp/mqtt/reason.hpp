#pragma once
// Reason codes of MQTT 5.0 (2.4) and their texts.

#include <cstdint>
#include <optional>

#include "mqtt/types.hpp"

namespace comqtt::mqtt {

enum class Reason : uint8_t {
    success = 0x00,
    normal_disconnection = 0x00,
    granted_qos_0 = 0x00,
    granted_qos_1 = 0x01,
    granted_qos_2 = 0x02,
    disconnect_with_will = 0x04,
    no_matching_subscribers = 0x10,
    no_subscription_existed = 0x11,
    continue_authentication = 0x18,
    reauthenticate = 0x19,
    unspecified_error = 0x80,
    malformed_packet = 0x81,
    protocol_error = 0x82,
    implementation_specific_error = 0x83,
    unsupported_protocol_version = 0x84,
    client_identifier_not_valid = 0x85,
    bad_user_name_or_password = 0x86,
    not_authorized = 0x87,
    server_unavailable = 0x88,
    server_busy = 0x89,
    banned = 0x8A,
    server_shutting_down = 0x8B,
    bad_authentication_method = 0x8C,
    keep_alive_timeout = 0x8D,
    session_taken_over = 0x8E,
    topic_filter_invalid = 0x8F,
    topic_name_invalid = 0x90,
    packet_identifier_in_use = 0x91,
    packet_identifier_not_found = 0x92,
    receive_maximum_exceeded = 0x93,
    topic_alias_invalid = 0x94,
    packet_too_large = 0x95,
    message_rate_too_high = 0x96,
    quota_exceeded = 0x97,
    administrative_action = 0x98,
    payload_format_invalid = 0x99,
    retain_not_supported = 0x9A,
    qos_not_supported = 0x9B,
    use_another_server = 0x9C,
    server_moved = 0x9D,
    shared_subscriptions_not_supported = 0x9E,
    connection_rate_exceeded = 0x9F,
    maximum_connect_time = 0xA0,
    subscription_identifiers_not_supported = 0xA1,
    wildcard_subscriptions_not_supported = 0xA2,
};

/// Name of a code as the specification prints it; "unknown reason code" for others. 0x00 reads
/// "Success". Never null.
const char* reason_text(Reason reason);

/// The CONNACK return code (3.1.1, table 3.1) that stands for a 5.0 reason; none for those without a counterpart: such
/// a CONNECT is refused by closing alone (3.2.2.3 of 3.1.1).
std::optional<uint8_t> connack_return_code_v3(Reason reason);

/// The other way round; unspecified_error for a return code above 5.
Reason connack_reason_of_v3(uint8_t return_code);

/// True when the specification lets this code stand in a packet of this type (2.4, table 2-6).
/// `from_server` separates DISCONNECT codes by direction.
bool reason_allowed(Reason reason, PacketType type, bool from_server);

}  // namespace comqtt::mqtt
