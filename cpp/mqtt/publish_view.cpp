#include "mqtt/publish_view.hpp"

#include "mqtt/decode.hpp"
#include "mqtt/fast.hpp"

namespace comqtt::mqtt {
namespace {

bool check_publish_flags(Reader& reader, uint8_t flags) {
    if (((flags >> 1) & 3) == 3)
        return reader.fail_at(0, Reason::malformed_packet, "MQTT-3.3.1-4", "QoS is 3");
    if ((flags & 8) && !(flags & 6))
        return reader.fail_at(0, Reason::malformed_packet, "MQTT-3.3.1-2", "DUP with QoS 0");
    return true;
}

bool check_name(Reader& reader, size_t where, ByteView topic_name) {
    const TextFlaw flaw = scan_topic_name(topic_name);
    if (flaw == TextFlaw::none) [[likely]]
        return true;
    return reader.bad_text(flaw, where, flaw == TextFlaw::wildcard ? "MQTT-3.3.2-2" : "MQTT-3.3.2-1");
}

/// An empty name is legal only where an alias stands for it.
bool check_empty_name(Reader& reader, size_t where, Version version, uint16_t topic_alias) {
    if (topic_alias != 0) return true;
    if (version == Version::v5)
        return reader.fail_at(where, Reason::protocol_error, "3.3.2.1",
                              "empty topic name without topic alias");
    return reader.fail_at(where, Reason::topic_name_invalid, "MQTT-4.7.3-1", "topic name is empty");
}

void note_property(const PropertyValue& value, PublishView& out) {
    switch (value.info->id) {
        case PropertyId::topic_alias:
            out.topic_alias = static_cast<uint16_t>(value.number);
            out.forward_needs_copy = true;
            break;
        case PropertyId::message_expiry_interval:
            out.has_expiry = true;
            out.message_expiry_interval = value.number;
            out.forward_needs_copy = true;
            break;
        case PropertyId::subscription_identifier: out.forward_needs_copy = true; break;
        case PropertyId::payload_format_indicator:
            out.has_payload_format = true;
            out.payload_format = static_cast<uint8_t>(value.number);
            break;
        default: break;
    }
}

bool read_publish_properties(Reader& reader, bool from_client, const DecodeLimits& limits, PublishView& out) {
    PropertyContext context{scope_of(PacketType::publish), from_client, limits.user_properties};
    return walk_properties(reader, context, out.properties,
                           [&out](const PropertyValue& value) { note_property(value, out); });
}

const char* ack_statement(PacketType type) {
    switch (type) {
        case PacketType::puback: return "MQTT-3.4.2-1";
        case PacketType::pubrec: return "MQTT-3.5.2-1";
        case PacketType::pubrel: return "MQTT-3.6.2-1";
        default: return "MQTT-3.7.2-1";
    }
}

bool read_publish(Reader& reader, const FixedHeader& header, Version version, bool from_client,
                  const DecodeLimits& limits, bool check_topic, PublishView& out) {
    if (!check_publish_flags(reader, header.flags)) return false;
    out.qos = (header.flags >> 1) & 3;
    out.dup = header.flags & 8;
    out.retain = header.flags & 1;
    const size_t name_at = reader.offset();
    if (!reader.binary(out.topic_name)) return false;
    if (check_topic && !check_name(reader, name_at, out.topic_name)) return false;
    if (out.qos && !reader.packet_id(out.packet_id, from_client ? "MQTT-2.2.1-3" : "MQTT-2.2.1-4"))
        return false;
    if (version == Version::v5 && !read_publish_properties(reader, from_client, limits, out)) return false;
    if (out.topic_name.empty() && !check_empty_name(reader, name_at, version, out.topic_alias)) return false;
    out.payload = reader.rest();
    return true;
}

bool read_ack(Reader& reader, const FixedHeader& header, Version version, bool from_client,
              const DecodeLimits& limits, AckView& out) {
    if (!reader.packet_id(out.packet_id, "MQTT-2.2.1-5")) return false;
    if (reader.empty()) return true;
    if (version != Version::v5) return reader.at_end();
    if (!read_reason(reader, header.type, from_client, ack_statement(header.type), out.reason)) return false;
    if (reader.empty()) return true;
    PropertyContext context{scope_of(header.type), from_client, limits.user_properties};
    return walk_properties(reader, context, out.properties, [](const PropertyValue&) {}) && reader.at_end();
}

/// The general case of parse_publish.
[[gnu::noinline]] DecodeError parse_any_publish(ByteView frame, const FixedHeader& header, Version version,
                                                bool from_client, const DecodeLimits& limits,
                                                bool check_topic, PublishView& out) {
    out = PublishView{};
    Reader reader(frame, header.header_size);
    read_publish(reader, header, version, from_client, limits, check_topic, out);
    return reader.error();
}

}  // namespace

DecodeError parse_publish(ByteView frame, const FixedHeader& header, Version version, bool from_client,
                          const DecodeLimits& limits, bool check_topic, PublishView& out) {
    if (frame.size == header.packet_size() && read_plain_publish(frame, header, version, out)) [[likely]] {
        if (!check_topic || plain_topic_name(out.topic_name)) [[likely]]
            return {};
    }
    return parse_any_publish(frame, header, version, from_client, limits, check_topic, out);
}

DecodeError parse_ack(ByteView frame, const FixedHeader& header, Version version, bool from_client,
                      const DecodeLimits& limits, AckView& out) {
    out = AckView{};
    if (header.remaining_length == 2 && frame.size == header.packet_size() &&
        header.flags == (header.type == PacketType::pubrel ? 2 : 0)) [[likely]] {
        out.packet_id = load_u16(frame.data + header.header_size);
        if (out.packet_id != 0) return {};
    }
    if (DecodeError error = check_flags(header, version)) return error;
    Reader reader(frame, header.header_size);
    read_ack(reader, header, version, from_client, limits, out);
    return reader.error();
}

void copy_forward_properties(ByteView properties, std::vector<uint8_t>& out) {
    Reader reader(properties, 0);
    while (!reader.empty()) {
        const size_t start = reader.offset();
        PropertyValue value;
        uint8_t id = 0;
        reader.u8(id);
        value.info = lookup_property(id);
        if (!value.info || !read_property_value(reader, value)) return;  // not a checked list
        const PropertyId known = value.info->id;
        if (known == PropertyId::topic_alias || known == PropertyId::message_expiry_interval ||
            known == PropertyId::subscription_identifier)
            continue;
        const ByteView whole = properties.subview(start, reader.offset() - start);
        out.insert(out.end(), whole.begin(), whole.end());
    }
}

}  // namespace comqtt::mqtt
