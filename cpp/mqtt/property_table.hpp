#pragma once
// The one table of MQTT 5.0 properties (2.2.2.2). Everything the codec knows about a property
// stands in its row. Internal to the codec; others use find_property.

#include <array>

#include "mqtt/property.hpp"

namespace comqtt::mqtt {

namespace table {

inline constexpr PropertyScope kConnect = scope_of(PacketType::connect);
inline constexpr PropertyScope kConnack = scope_of(PacketType::connack);
inline constexpr PropertyScope kPublish = scope_of(PacketType::publish);
inline constexpr PropertyScope kSubscribe = scope_of(PacketType::subscribe);
inline constexpr PropertyScope kDisconnect = scope_of(PacketType::disconnect);
inline constexpr PropertyScope kAuth = scope_of(PacketType::auth);
inline constexpr PropertyScope kMessage = kPublish | kWillScope;
inline constexpr PropertyScope kEstablish = kConnect | kConnack;
/// The packets that carry a result.
inline constexpr PropertyScope kAnswers = kConnack | scope_of(PacketType::puback) |
                                          scope_of(PacketType::pubrec) | scope_of(PacketType::pubrel) |
                                          scope_of(PacketType::pubcomp) | scope_of(PacketType::suback) |
                                          scope_of(PacketType::unsuback) | kDisconnect | kAuth;
inline constexpr PropertyScope kEverywhere =
    kAnswers | kConnect | kMessage | kSubscribe | scope_of(PacketType::unsubscribe);

}  // namespace table

// clang-format off
inline constexpr std::array<PropertyInfo, 27> kProperties = [] {
    using namespace table;
    using Id = PropertyId;
    using Type = PropertyType;
    using Rule = PropertyRule;
    constexpr const char* kText = "MQTT-1.5.4-1";
    return std::array<PropertyInfo, 27>{{
        {Id::payload_format_indicator, Type::byte, kMessage, "Payload Format Indicator", Rule::boolean, 0, "3.3.2.3.2"},
        {Id::message_expiry_interval, Type::four_byte, kMessage, "Message Expiry Interval", Rule::any, 0, "3.3.2.3.3"},
        {Id::content_type, Type::utf8, kMessage, "Content Type", Rule::any, 0, "MQTT-3.3.2-19"},
        {Id::response_topic, Type::utf8, kMessage, "Response Topic", Rule::topic_name, 0, "MQTT-3.3.2-13"},
        {Id::correlation_data, Type::binary, kMessage, "Correlation Data", Rule::any, 0, "3.3.2.3.6"},
        {Id::subscription_identifier, Type::varint, kPublish | kSubscribe, "Subscription Identifier", Rule::non_zero, kPublish, "3.8.2.1.2"},
        {Id::session_expiry_interval, Type::four_byte, kEstablish | kDisconnect, "Session Expiry Interval", Rule::any, 0, "3.1.2.11.2"},
        {Id::assigned_client_identifier, Type::utf8, kConnack, "Assigned Client Identifier", Rule::any, 0, kText},
        {Id::server_keep_alive, Type::two_byte, kConnack, "Server Keep Alive", Rule::any, 0, "3.2.2.3.14"},
        {Id::authentication_method, Type::utf8, kEstablish | kAuth, "Authentication Method", Rule::any, 0, kText},
        {Id::authentication_data, Type::binary, kEstablish | kAuth, "Authentication Data", Rule::any, 0, "3.1.2.11.10"},
        {Id::request_problem_information, Type::byte, kConnect, "Request Problem Information", Rule::boolean, 0, "3.1.2.11.7"},
        {Id::will_delay_interval, Type::four_byte, kWillScope, "Will Delay Interval", Rule::any, 0, "3.1.3.2.2"},
        {Id::request_response_information, Type::byte, kConnect, "Request Response Information", Rule::boolean, 0, "3.1.2.11.6"},
        {Id::response_information, Type::utf8, kConnack, "Response Information", Rule::any, 0, kText},
        {Id::server_reference, Type::utf8, kConnack | kDisconnect, "Server Reference", Rule::any, 0, kText},
        {Id::reason_string, Type::utf8, kAnswers, "Reason String", Rule::any, 0, kText},
        {Id::receive_maximum, Type::two_byte, kEstablish, "Receive Maximum", Rule::non_zero, 0, "3.1.2.11.3"},
        {Id::topic_alias_maximum, Type::two_byte, kEstablish, "Topic Alias Maximum", Rule::any, 0, "3.1.2.11.5"},
        {Id::topic_alias, Type::two_byte, kPublish, "Topic Alias", Rule::alias, 0, "MQTT-3.3.2-8"},
        {Id::maximum_qos, Type::byte, kConnack, "Maximum QoS", Rule::boolean, 0, "3.2.2.3.4"},
        {Id::retain_available, Type::byte, kConnack, "Retain Available", Rule::boolean, 0, "3.2.2.3.5"},
        {Id::user_property, Type::utf8_pair, kEverywhere, "User Property", Rule::any, kEverywhere, "MQTT-1.5.7-1"},
        {Id::maximum_packet_size, Type::four_byte, kEstablish, "Maximum Packet Size", Rule::non_zero, 0, "3.1.2.11.4"},
        {Id::wildcard_subscription_available, Type::byte, kConnack, "Wildcard Subscription Available", Rule::boolean, 0, "3.2.2.3.11"},
        {Id::subscription_identifier_available, Type::byte, kConnack, "Subscription Identifier Available", Rule::boolean, 0, "3.2.2.3.12"},
        {Id::shared_subscription_available, Type::byte, kConnack, "Shared Subscription Available", Rule::boolean, 0, "3.2.2.3.13"},
    }};
}();
// clang-format on

inline constexpr unsigned kPropertyIdEnd = 0x2B;

/// Identifier to row + 1; 0 = no such property.
inline constexpr std::array<uint8_t, kPropertyIdEnd> kPropertyRows = [] {
    std::array<uint8_t, kPropertyIdEnd> rows{};
    for (unsigned row = 0; row < kProperties.size(); ++row)
        rows[static_cast<unsigned>(kProperties[row].id)] = static_cast<uint8_t>(row + 1);
    return rows;
}();

inline const PropertyInfo* lookup_property(uint8_t id) {
    if (id >= kPropertyIdEnd || kPropertyRows[id] == 0) return nullptr;
    return &kProperties[kPropertyRows[id] - 1u];
}

}  // namespace comqtt::mqtt
