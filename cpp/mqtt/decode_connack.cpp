#include "mqtt/decode.hpp"

namespace comqtt::mqtt {
namespace {

bool read_connack_code(Reader& reader, Version version, Reason& out) {
    if (version == Version::v5) return read_reason(reader, PacketType::connack, false, "MQTT-3.2.2-8", out);
    const size_t where = reader.offset();
    uint8_t code = 0;
    if (!reader.u8(code)) return false;
    out = connack_reason_of_v3(code);
    return code <= 5 ||
           reader.fail_at(where, Reason::malformed_packet, "MQTT-3.2.2-8", "reserved return code");
}

}  // namespace

bool decode_connack(Reader& reader, const DecodeContext& context, Packet& out) {
    const size_t flags_at = reader.offset();
    uint8_t flags = 0;
    if (!reader.u8(flags)) return false;
    if (flags > (out.version == Version::v31 ? 0 : 1))
        return reader.fail_at(flags_at, Reason::malformed_packet, "MQTT-3.2.2-1",
                              "reserved connect acknowledge flags");
    out.session_present = flags & 1;
    if (!read_connack_code(reader, out.version, out.reason)) return false;
    if (out.session_present && out.reason != Reason::success)
        return reader.fail_at(flags_at, Reason::protocol_error, "MQTT-3.2.2-6",
                              "session present in a refusal");
    PropertyContext properties = context.properties(scope_of(PacketType::connack));
    if (out.version == Version::v5 && !read_properties(reader, properties, out.properties)) return false;
    return reader.at_end();
}

}  // namespace comqtt::mqtt
