#include "mqtt/encode.hpp"

namespace comqtt::mqtt {
namespace {

uint8_t subscription_options(const TopicFilterEntry& entry, Version version) {
    if (version != Version::v5) return entry.qos;
    return static_cast<uint8_t>(entry.qos | (entry.no_local ? 0x04 : 0) |
                                (entry.retain_as_published ? 0x08 : 0) | entry.retain_handling << 4);
}

template <typename Out>
void write_head(Out& out, const Packet& packet) {
    out.u16(packet.packet_id);
    if (packet.version == Version::v5) write_properties(out, packet.properties);
}

}  // namespace

template <typename Out>
void write_subscribe(Out& out, const Packet& packet) {
    write_head(out, packet);
    for (const TopicFilterEntry& entry : packet.filters) {
        out.require(entry.qos <= 2 && entry.retain_handling <= 2);
        out.string(std::string_view(entry.filter));
        out.u8(subscription_options(entry, packet.version));
    }
}

template <typename Out>
void write_unsubscribe(Out& out, const Packet& packet) {
    write_head(out, packet);
    for (const TopicFilterEntry& entry : packet.filters) out.string(std::string_view(entry.filter));
}

template <typename Out>
void write_suback(Out& out, const Packet& packet) {
    write_head(out, packet);
    for (const uint8_t code : packet.reason_codes)
        out.u8(packet.version != Version::v5 && code > 2 ? 0x80 : code);
}

template <typename Out>
void write_unsuback(Out& out, const Packet& packet) {
    write_head(out, packet);
    if (packet.version == Version::v5) out.raw(packet.reason_codes);
}

template void write_subscribe(SizeCounter&, const Packet&);
template void write_subscribe(BodyWriter&, const Packet&);
template void write_unsubscribe(SizeCounter&, const Packet&);
template void write_unsubscribe(BodyWriter&, const Packet&);
template void write_suback(SizeCounter&, const Packet&);
template void write_suback(BodyWriter&, const Packet&);
template void write_unsuback(SizeCounter&, const Packet&);
template void write_unsuback(BodyWriter&, const Packet&);

}  // namespace comqtt::mqtt
