#include "mqtt/decode.hpp"

namespace comqtt::mqtt {
namespace {

constexpr uint32_t type_bit(PacketType type) { return 1u << static_cast<unsigned>(type); }

constexpr uint32_t kBothWays = type_bit(PacketType::publish) | type_bit(PacketType::puback) |
                               type_bit(PacketType::pubrec) | type_bit(PacketType::pubrel) |
                               type_bit(PacketType::pubcomp);
constexpr uint32_t kFromClient = kBothWays | type_bit(PacketType::connect) | type_bit(PacketType::subscribe) |
                                 type_bit(PacketType::unsubscribe) | type_bit(PacketType::pingreq) |
                                 type_bit(PacketType::disconnect);
constexpr uint32_t kFromServer = kBothWays | type_bit(PacketType::connack) | type_bit(PacketType::suback) |
                                 type_bit(PacketType::unsuback) | type_bit(PacketType::pingresp);
constexpr uint32_t kFromServerV5 =
    kFromServer | type_bit(PacketType::disconnect) | type_bit(PacketType::auth);

DecodeError malformed(const char* statement, const char* what) {
    return {Reason::malformed_packet, statement, what, 0};
}

/// The type exists in this version and flows in this direction (table 2-1).
DecodeError check_direction(PacketType type, Version version, bool from_client) {
    const bool v5 = version == Version::v5;
    if (type == PacketType::reserved) return malformed("2.1.2", "packet type 0");
    if (type == PacketType::auth && !v5) return malformed("2.1.2", "AUTH needs MQTT 5.0");
    const uint32_t client = v5 ? kFromClient | type_bit(PacketType::auth) : kFromClient;
    const uint32_t server = v5 ? kFromServerV5 : kFromServer;
    if ((from_client ? client : server) & type_bit(type)) return {};
    return {Reason::protocol_error, "2.1.2", "this side does not send packets of this type", 0};
}

const char* flags_statement(PacketType type) {
    switch (type) {
        case PacketType::pubrel: return "MQTT-3.6.1-1";
        case PacketType::subscribe: return "MQTT-3.8.1-1";
        case PacketType::unsubscribe: return "MQTT-3.10.1-1";
        case PacketType::disconnect: return "MQTT-3.14.1-1";
        case PacketType::auth: return "MQTT-3.15.1-1";
        default: return "MQTT-2.1.3-1";
    }
}

bool decode_body(Reader& reader, const DecodeContext& context, Packet& out) {
    switch (out.type) {
        case PacketType::connect: return decode_connect(reader, context, out);
        case PacketType::connack: return decode_connack(reader, context, out);
        case PacketType::subscribe: return decode_subscribe(reader, context, out);
        case PacketType::suback: return decode_suback(reader, context, out);
        case PacketType::unsubscribe: return decode_unsubscribe(reader, context, out);
        case PacketType::unsuback: return decode_unsuback(reader, context, out);
        case PacketType::disconnect: return decode_disconnect(reader, context, out);
        case PacketType::auth: return decode_auth(reader, context, out);
        default: return reader.at_end();  // PINGREQ, PINGRESP
    }
}

bool is_ack(PacketType type) { return type >= PacketType::puback && type <= PacketType::pubcomp; }

}  // namespace

DecodeError check_flags(const FixedHeader& header, Version version) {
    const bool two = header.type == PacketType::pubrel || header.type == PacketType::subscribe ||
                     header.type == PacketType::unsubscribe;
    // MQTT 3.1 lets these three be sent again with DUP.
    const uint8_t looked_at = two && version == Version::v31 ? 0x07 : 0x0F;
    if (header.type == PacketType::publish || (header.flags & looked_at) == (two ? 2 : 0)) return {};
    return malformed(flags_statement(header.type), "reserved flags of the fixed header");
}

bool read_reason(Reader& reader, PacketType type, bool from_client, const char* statement, Reason& out) {
    const size_t where = reader.offset();
    uint8_t code = 0;
    if (!reader.u8(code)) return false;
    out = static_cast<Reason>(code);
    return reason_allowed(out, type, !from_client) ||
           reader.fail_at(where, Reason::protocol_error, statement, "reason code not allowed in this packet");
}

DecodeError decode_packet(ByteView frame, Version version, bool from_client, const DecodeLimits& limits,
                          Packet& out) {
    out = Packet{};
    DecodeContext context{{}, from_client, limits};
    switch (read_fixed_header(frame, context.header)) {
        case FrameState::complete_header: break;
        case FrameState::need_more: return malformed("2.1.4", "fixed header is incomplete");
        case FrameState::malformed: return malformed("MQTT-1.5.5-1", "remaining length");
    }
    const FixedHeader& header = context.header;
    out.type = header.type;
    out.version = header.type == PacketType::connect ? Version::v311 : version;
    if (header.packet_size() != frame.size)
        return malformed("2.1.4", "remaining length is not the length of the packet");
    if (DecodeError error = check_direction(header.type, version, from_client)) return error;
    if (DecodeError error = check_flags(header, version)) return error;
    if (header.type == PacketType::publish) return decode_publish(frame, context, out);
    if (is_ack(header.type)) return decode_ack(frame, context, out);

    Reader reader(frame, header.header_size, header.type == PacketType::connect ? "MQTT-3.1.4-1" : "2.1.4");
    decode_body(reader, context, out);
    return reader.error();
}

}  // namespace comqtt::mqtt
