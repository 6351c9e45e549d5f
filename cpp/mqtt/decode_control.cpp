#include "mqtt/decode.hpp"

namespace comqtt::mqtt {

bool decode_disconnect(Reader& reader, const DecodeContext& context, Packet& out) {
    if (out.version != Version::v5) return reader.at_end();
    if (reader.empty())
        return context.from_client || reader.fail(Reason::protocol_error, "MQTT-3.14.2-1",
                                                  "only a client disconnects with reason code 0x00");
    if (!read_reason(reader, out.type, context.from_client, "MQTT-3.14.2-1", out.reason)) return false;
    if (reader.empty()) return true;
    PropertyContext properties = context.properties(scope_of(out.type));
    return read_properties(reader, properties, out.properties) && reader.at_end();
}

bool decode_auth(Reader& reader, const DecodeContext& context, Packet& out) {
    if (reader.empty())  // Success, which only a server says
        return !context.from_client ||
               reader.fail(Reason::protocol_error, "MQTT-3.15.2-1", "reason code not allowed in this packet");
    if (!read_reason(reader, out.type, context.from_client, "MQTT-3.15.2-1", out.reason)) return false;
    const size_t properties_at = reader.offset();
    PropertyContext properties = context.properties(scope_of(out.type));
    if (!read_properties(reader, properties, out.properties)) return false;
    const bool short_form = out.reason == Reason::success && out.properties.empty();
    if (!short_form && !out.properties.has(PropertyId::authentication_method))
        return reader.fail_at(properties_at, Reason::protocol_error, "3.15.2.2.2",
                              "AUTH without Authentication Method");
    return reader.at_end();
}

}  // namespace comqtt::mqtt
