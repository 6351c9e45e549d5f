#include "storage/file/stored_rows.hpp"

#include "mqtt/codec.hpp"
#include "mqtt/property_walk.hpp"

namespace comqtt::storage {

using mqtt::PropertyId;

bool encode_will(const mqtt::Will& will, std::vector<uint8_t>& out) {
    mqtt::Packet packet;
    packet.type = mqtt::PacketType::publish;
    packet.qos = will.qos;
    packet.retain = will.retain;
    packet.packet_id = will.qos ? 1 : 0;
    packet.topic_name = will.topic_name;
    packet.payload = will.payload;
    packet.properties = will.properties;
    packet.properties.remove(PropertyId::will_delay_interval);
    out.clear();
    return mqtt::encode_packet(packet, out);
}

bool decode_will(ByteView bytes, uint32_t delay_s, mqtt::Will& out) {
    mqtt::DecodeLimits limits;
    limits.user_properties = UINT32_MAX;
    mqtt::Packet packet;
    if (mqtt::decode_packet(bytes, mqtt::Version::v5, true, limits, packet) ||
        packet.type != mqtt::PacketType::publish)
        return false;
    out.topic_name = std::move(packet.topic_name);
    out.payload = std::move(packet.payload);
    out.qos = packet.qos;
    out.retain = packet.retain;
    out.properties = std::move(packet.properties);
    if (delay_s) out.properties.set_number(PropertyId::will_delay_interval, delay_s);
    return true;
}

uint8_t options_byte(const mqtt::TopicFilterEntry& entry) {
    return static_cast<uint8_t>(entry.qos | (entry.no_local ? 4 : 0) | (entry.retain_as_published ? 8 : 0) |
                                entry.retain_handling << 4);
}

mqtt::TopicFilterEntry entry_of(std::string_view filter, uint8_t options) {
    mqtt::TopicFilterEntry entry;
    entry.filter = filter;
    entry.qos = options & 3;
    entry.no_local = options & 4;
    entry.retain_as_published = options & 8;
    entry.retain_handling = options >> 4 & 3;
    return entry;
}

namespace {

/// The list behind bytes without their length prefix, which a Reader wants.
void read_list(ByteView raw, mqtt::Properties& out) {
    if (raw.empty()) return;
    std::vector<uint8_t> section;
    section.reserve(raw.size + 4);
    ByteWriter writer(section);
    writer.varint(static_cast<uint32_t>(raw.size));
    writer.raw(raw);
    mqtt::Reader reader(ByteView(section), 0);
    mqtt::PropertyContext context{mqtt::scope_of(mqtt::PacketType::publish), false, UINT32_MAX};
    mqtt::read_properties(reader, context, out);
}

}  // namespace

mqtt::Packet publish_of(const MessageColumns& columns) {
    mqtt::Packet packet;
    packet.type = mqtt::PacketType::publish;
    packet.topic_name = columns.topic;
    packet.payload = columns.payload.text();
    read_list(columns.properties, packet.properties);
    if (columns.has_expiry) packet.properties.set_number(PropertyId::message_expiry_interval, columns.expiry);
    for (const uint32_t identifier : columns.identifiers)
        packet.properties.add_number(PropertyId::subscription_identifier, identifier);
    return packet;
}

std::vector<uint32_t> identifiers_of(ByteView bytes) {
    std::vector<uint32_t> identifiers;
    identifiers.reserve(bytes.size / 4);
    for (size_t at = 0; at + 4 <= bytes.size; at += 4) identifiers.push_back(load_u32(bytes.data + at));
    return identifiers;
}

}  // namespace comqtt::storage
