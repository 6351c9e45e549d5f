#include "mqtt/encode.hpp"

namespace comqtt::mqtt {
namespace {

uint8_t connect_flags(const ConnectFields& connect) {
    unsigned flags = connect.clean_start ? 0x02 : 0;
    if (connect.will) {
        flags |= 0x04u | connect.will->qos * 8u;
        if (connect.will->retain) flags |= 0x20;
    }
    if (connect.password) flags |= 0x40;
    if (connect.username) flags |= 0x80;
    return static_cast<uint8_t>(flags);
}

std::string_view protocol_name(Version version) { return version == Version::v31 ? "MQIsdp" : "MQTT"; }

template <typename Out>
void write_will(Out& out, const Will& will, Version version) {
    out.require(will.qos <= 2);
    if (version == Version::v5) write_properties(out, will.properties);
    out.string(std::string_view(will.topic_name));
    out.string(std::string_view(will.payload));
}

}  // namespace

template <typename Out>
void write_connect(Out& out, const Packet& packet) {
    const ConnectFields& connect = packet.connect;
    out.string(protocol_name(packet.version));
    out.u8(static_cast<uint8_t>(packet.version));
    out.u8(connect_flags(connect));
    out.u16(connect.keep_alive);
    if (packet.version == Version::v5) write_properties(out, packet.properties);
    out.string(std::string_view(connect.client_id));
    if (connect.will) write_will(out, *connect.will, packet.version);
    if (connect.username) out.string(std::string_view(*connect.username));
    if (connect.password) out.string(std::string_view(*connect.password));
}

template <typename Out>
void write_connack(Out& out, const Packet& packet) {
    const bool session_present = packet.session_present && packet.version != Version::v31;
    out.u8(session_present ? 1 : 0);
    if (packet.version == Version::v5) {
        out.u8(static_cast<uint8_t>(packet.reason));
        write_properties(out, packet.properties);
    } else {
        // The broker closes instead when there is none; a packet that is encoded all the same says "unavailable".
        out.u8(connack_return_code_v3(packet.reason).value_or(3));
    }
}

template void write_connect(SizeCounter&, const Packet&);
template void write_connect(BodyWriter&, const Packet&);
template void write_connack(SizeCounter&, const Packet&);
template void write_connack(BodyWriter&, const Packet&);

}  // namespace comqtt::mqtt
