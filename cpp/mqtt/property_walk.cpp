#include "mqtt/property_walk.hpp"

namespace comqtt::mqtt {
namespace {

bool read_number(Reader& reader, PropertyType type, uint32_t& out) {
    switch (type) {
        case PropertyType::byte: {
            uint8_t byte = 0;
            if (!reader.u8(byte)) return false;
            out = byte;
            return true;
        }
        case PropertyType::two_byte: {
            uint16_t two = 0;
            if (!reader.u16(two)) return false;
            out = two;
            return true;
        }
        case PropertyType::four_byte: return reader.u32(out);
        default: return reader.varint(out);
    }
}

bool check_number(Reader& reader, size_t where, const PropertyInfo& info, uint32_t number) {
    switch (info.rule) {
        case PropertyRule::boolean:
            return number <= 1 || reader.fail_at(where, Reason::protocol_error, info.statement,
                                                 "property value is neither 0 nor 1");
        case PropertyRule::non_zero:
            return number != 0 ||
                   reader.fail_at(where, Reason::protocol_error, info.statement, "property value is 0");
        case PropertyRule::alias:
            return number != 0 ||
                   reader.fail_at(where, Reason::topic_alias_invalid, info.statement, "topic alias is 0");
        default: return true;
    }
}

/// A Response Topic is a Topic Name.
bool check_response_topic(Reader& reader, size_t where, ByteView topic) {
    if (topic.empty())
        return reader.fail_at(where, Reason::protocol_error, "MQTT-4.7.3-1", "response topic is empty");
    return scan_topic_name(topic) != TextFlaw::wildcard ||
           reader.fail_at(where, Reason::protocol_error, "MQTT-3.3.2-14",
                          "response topic contains a wildcard");
}

}  // namespace

bool read_property_value(Reader& reader, PropertyValue& out) {
    const PropertyInfo& info = *out.info;
    const size_t where = reader.offset();
    switch (info.type) {
        case PropertyType::utf8:
            return reader.utf8(out.text, info.statement) &&
                   (info.rule != PropertyRule::topic_name || check_response_topic(reader, where, out.text));
        case PropertyType::utf8_pair:
            return reader.utf8(out.text, info.statement) && reader.utf8(out.value, info.statement);
        case PropertyType::binary: return reader.binary(out.text);
        default:
            return read_number(reader, info.type, out.number) &&
                   check_number(reader, where, info, out.number);
    }
}

bool check_property_place(Reader& reader, size_t where, const PropertyInfo* info, uint64_t seen,
                          PropertyContext& context) {
    if (!info)
        return reader.fail_at(where, Reason::malformed_packet, "2.2.2.2", "unknown property identifier");
    if (!(info->scopes & context.scope))
        return reader.fail_at(where, Reason::malformed_packet, "2.2.2.2",
                              "property not allowed in this packet");
    if (info->id == PropertyId::user_property)
        return context.user_limit-- != 0 || reader.fail_at(where, Reason::packet_too_large, "3.1.2.11.8",
                                                           "more user properties than this server accepts");
    if (info->id == PropertyId::subscription_identifier && context.from_client &&
        context.scope == table::kPublish)
        return reader.fail_at(where, Reason::protocol_error, "MQTT-3.3.4-6",
                              "subscription identifier in a PUBLISH of a client");
    if (info->id == PropertyId::session_expiry_interval && !context.from_client &&
        context.scope == table::kDisconnect)
        return reader.fail_at(where, Reason::protocol_error, "MQTT-3.14.2-2",
                              "session expiry interval in a DISCONNECT of a server");
    if ((seen & property_bit(info->id)) && !(info->repeats & context.scope))
        return reader.fail_at(where, Reason::protocol_error, "2.2.2.2", "property stands twice");
    return true;
}

bool read_properties(Reader& reader, PropertyContext& context, Properties& out) {
    ByteView list;
    return walk_properties(reader, context, list, [&out](const PropertyValue& value) {
        Property property;
        property.id = value.info->id;
        property.number = value.number;
        property.text = value.text.text();
        property.value = value.value.text();
        out.items().push_back(std::move(property));
    });
}

}  // namespace comqtt::mqtt
