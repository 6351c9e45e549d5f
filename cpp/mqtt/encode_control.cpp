#include "mqtt/encode.hpp"

namespace comqtt::mqtt {

template <typename Out>
void write_disconnect(Out& out, const Packet& packet) {
    if (packet.version != Version::v5) return;
    if (packet.reason == Reason::normal_disconnection && packet.properties.empty()) return;
    out.u8(static_cast<uint8_t>(packet.reason));
    if (!packet.properties.empty()) write_properties(out, packet.properties);
}

template <typename Out>
void write_auth(Out& out, const Packet& packet) {
    out.require(packet.version == Version::v5);
    if (packet.reason == Reason::success && packet.properties.empty()) return;
    out.u8(static_cast<uint8_t>(packet.reason));
    write_properties(out, packet.properties);
}

template void write_disconnect(SizeCounter&, const Packet&);
template void write_disconnect(BodyWriter&, const Packet&);
template void write_auth(SizeCounter&, const Packet&);
template void write_auth(BodyWriter&, const Packet&);

}  // namespace comqtt::mqtt
