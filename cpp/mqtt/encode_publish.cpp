#include "mqtt/encode.hpp"

namespace comqtt::mqtt {

template <typename Out>
void write_publish(Out& out, const Packet& packet) {
    out.require(packet.qos <= 2);
    out.string(std::string_view(packet.topic_name));
    if (packet.qos) out.u16(packet.packet_id);
    if (packet.version == Version::v5) write_properties(out, packet.properties);
    out.raw(std::string_view(packet.payload));
}

template <typename Out>
void write_ack(Out& out, const Packet& packet) {
    out.u16(packet.packet_id);
    if (packet.version != Version::v5) return;
    if (packet.reason == Reason::success && packet.properties.empty()) return;
    out.u8(static_cast<uint8_t>(packet.reason));
    if (!packet.properties.empty()) write_properties(out, packet.properties);
}

template void write_publish(SizeCounter&, const Packet&);
template void write_publish(BodyWriter&, const Packet&);
template void write_ack(SizeCounter&, const Packet&);
template void write_ack(BodyWriter&, const Packet&);

}  // namespace comqtt::mqtt
