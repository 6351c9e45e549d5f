#pragma once
// Conversions between owned packets and the raw parts that messages keep.

#include <vector>

#include "base/bytes.hpp"
#include "mqtt/packet.hpp"
#include "mqtt/publish_view.hpp"

namespace comqtt::broker {

/// The list behind raw property bytes (no length prefix) that were checked when they arrived.
mqtt::Properties properties_of(ByteView raw);

/// Raw bytes of the properties that are forwarded to subscribers: without topic alias, message expiry interval,
/// subscription identifiers and will delay.
void forward_properties(const mqtt::Properties& properties, std::vector<uint8_t>& out);

/// Points the view at the fields of a PUBLISH; `properties` holds what is forwarded of its properties.
void view_packet(const mqtt::Packet& packet, mqtt::PublishView& view, std::vector<uint8_t>& properties);

}  // namespace comqtt::broker
