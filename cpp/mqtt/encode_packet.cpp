#include "mqtt/codec.hpp"
#include "mqtt/encode.hpp"

namespace comqtt::mqtt {
namespace {

template <typename Out>
void write_body(Out& out, const Packet& packet) {
    switch (packet.type) {
        case PacketType::connect: return write_connect(out, packet);
        case PacketType::connack: return write_connack(out, packet);
        case PacketType::publish: return write_publish(out, packet);
        case PacketType::puback:
        case PacketType::pubrec:
        case PacketType::pubrel:
        case PacketType::pubcomp: return write_ack(out, packet);
        case PacketType::subscribe: return write_subscribe(out, packet);
        case PacketType::suback: return write_suback(out, packet);
        case PacketType::unsubscribe: return write_unsubscribe(out, packet);
        case PacketType::unsuback: return write_unsuback(out, packet);
        case PacketType::pingreq:
        case PacketType::pingresp: return;
        case PacketType::disconnect: return write_disconnect(out, packet);
        case PacketType::auth: return write_auth(out, packet);
        default: return out.require(false);
    }
}

uint8_t first_byte(const Packet& packet) {
    unsigned flags = 0;
    switch (packet.type) {
        case PacketType::publish:
            flags = (packet.dup ? 8u : 0u) | (packet.qos * 2u) | (packet.retain ? 1u : 0u);
            break;
        case PacketType::pubrel:
        case PacketType::subscribe:
        case PacketType::unsubscribe: flags = 2; break;
        default: break;
    }
    return static_cast<uint8_t>(static_cast<unsigned>(packet.type) << 4 | flags);
}

bool known_version(Version version) {
    return version == Version::v31 || version == Version::v311 || version == Version::v5;
}

}  // namespace

bool encode_packet(const Packet& packet, std::vector<uint8_t>& out) {
    SizeCounter counter;
    counter.require(known_version(packet.version));
    write_body(counter, packet);
    if (!counter.fits() || counter.size() > kMaxRemainingLength) return false;
    const auto remaining_length = static_cast<uint32_t>(counter.size());
    const size_t start = out.size();
    out.resize(start + 1 + varint_size(remaining_length) + remaining_length);
    uint8_t* at = out.data() + start;
    *at++ = first_byte(packet);
    BodyWriter writer(store_varint(at, remaining_length));
    write_body(writer, packet);
    return true;
}

}  // namespace comqtt::mqtt
