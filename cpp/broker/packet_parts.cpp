#include "broker/packet_parts.hpp"

#include "mqtt/property_walk.hpp"

namespace comqtt::broker {

mqtt::Properties properties_of(ByteView raw) {
    mqtt::Properties properties;
    if (raw.empty()) return properties;
    std::vector<uint8_t> section;
    ByteWriter writer(section);
    writer.varint(static_cast<uint32_t>(raw.size));
    writer.raw(raw);
    mqtt::Reader reader(ByteView(section), 0);
    mqtt::PropertyContext context{mqtt::scope_of(mqtt::PacketType::publish), false, UINT32_MAX};
    mqtt::read_properties(reader, context, properties);
    return properties;
}

void forward_properties(const mqtt::Properties& properties, std::vector<uint8_t>& out) {
    using mqtt::PropertyId;
    out.clear();
    mqtt::Properties kept;
    for (const mqtt::Property& property : properties.items()) {
        switch (property.id) {
            case PropertyId::topic_alias:
            case PropertyId::message_expiry_interval:
            case PropertyId::subscription_identifier:
            case PropertyId::will_delay_interval: break;
            default: kept.items().push_back(property);
        }
    }
    if (kept.empty()) return;
    ByteWriter writer(out);
    mqtt::encode_properties(writer, kept);
    size_t prefix = 1;
    while (out[prefix - 1] & 0x80) ++prefix;
    out.erase(out.begin(), out.begin() + static_cast<ptrdiff_t>(prefix));
}

void view_packet(const mqtt::Packet& packet, mqtt::PublishView& view, std::vector<uint8_t>& properties) {
    view.qos = packet.qos;
    view.dup = packet.dup;
    view.retain = packet.retain;
    view.packet_id = packet.packet_id;
    view.topic_name = ByteView(packet.topic_name);
    view.payload = ByteView(packet.payload);
    view.topic_alias =
        static_cast<uint16_t>(packet.properties.number(mqtt::PropertyId::topic_alias).value_or(0));
    const auto expiry = packet.properties.number(mqtt::PropertyId::message_expiry_interval);
    view.has_expiry = expiry.has_value();
    view.message_expiry_interval = expiry.value_or(0);
    forward_properties(packet.properties, properties);
    view.properties = ByteView(properties);
    view.forward_needs_copy = false;
}

}  // namespace comqtt::broker
