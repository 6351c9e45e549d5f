#include "mqtt/reader.hpp"

namespace comqtt::mqtt {

bool Reader::varint(uint32_t& out) {
    const size_t start = offset();
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
        uint8_t byte = 0;
        if (!u8(byte)) return false;
        value |= (byte & 0x7Fu) << shift;
        if (byte < 0x80) {
            if (byte == 0 && shift > 0)
                return fail_at(start, Reason::malformed_packet, "MQTT-1.5.5-1",
                               "variable byte integer longer than needed");
            out = value;
            return true;
        }
    }
    return fail_at(start, Reason::malformed_packet, "1.5.5", "variable byte integer of more than four bytes");
}

bool Reader::utf8(ByteView& out, const char* statement) {
    const size_t start = offset();
    if (!binary(out)) return false;
    const TextFlaw flaw = scan_text(out);
    return flaw == TextFlaw::none || bad_text(flaw, start, statement);
}

bool Reader::packet_id(PacketId& out, const char* statement) {
    const size_t start = offset();
    if (!u16(out)) return false;
    return out != 0 || fail_at(start, Reason::protocol_error, statement, "packet identifier is 0");
}

bool Reader::bad_text(TextFlaw flaw, size_t where, const char* statement) {
    switch (flaw) {
        case TextFlaw::null_character:
            return fail_at(where, Reason::malformed_packet, "MQTT-1.5.4-2", "text contains U+0000");
        case TextFlaw::wildcard:
            return fail_at(where, Reason::topic_name_invalid, statement, "topic name contains a wildcard");
        default: return fail_at(where, Reason::malformed_packet, statement, "text is not well-formed UTF-8");
    }
}

}  // namespace comqtt::mqtt
