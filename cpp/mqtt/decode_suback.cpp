#include "mqtt/decode.hpp"

namespace comqtt::mqtt {
namespace {

bool return_code_allowed(uint8_t code, PacketType type, Version version) {
    if (version != Version::v5) return code <= 2 || code == 0x80;
    return reason_allowed(static_cast<Reason>(code), type, true);
}

/// One code for each topic filter of the request, at least one.
bool read_codes(Reader& reader, const char* statement, Packet& out) {
    if (reader.empty()) return reader.fail(Reason::protocol_error, statement, "no reason code");
    const size_t codes_at = reader.offset();
    const ByteView codes = reader.rest();
    for (size_t at = 0; at < codes.size; ++at)
        if (!return_code_allowed(codes[at], out.type, out.version))
            return reader.fail_at(codes_at + at, Reason::protocol_error, statement,
                                  "reason code not allowed in this packet");
    out.reason_codes.assign(codes.begin(), codes.end());
    return true;
}

bool read_head(Reader& reader, const DecodeContext& context, Packet& out) {
    if (!reader.packet_id(out.packet_id, "MQTT-2.2.1-6")) return false;
    PropertyContext properties = context.properties(scope_of(out.type));
    return out.version != Version::v5 || read_properties(reader, properties, out.properties);
}

}  // namespace

bool decode_suback(Reader& reader, const DecodeContext& context, Packet& out) {
    return read_head(reader, context, out) && read_codes(reader, "MQTT-3.9.3-2", out);
}

bool decode_unsuback(Reader& reader, const DecodeContext& context, Packet& out) {
    if (!read_head(reader, context, out)) return false;
    if (out.version != Version::v5) return reader.at_end();
    return read_codes(reader, "MQTT-3.11.3-2", out);
}

}  // namespace comqtt::mqtt
