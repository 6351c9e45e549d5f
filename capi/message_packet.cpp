#include "capi/message_packet.hpp"

#include "base/bytes.hpp"
#include "mqtt/codec.hpp"

namespace comqtt::capi {

// It goes by way of the wire form, in which its properties are kept.
Result<Ref<hooks::PacketBox>> packet_of(const mqtt::Message& message) {
    std::vector<uint8_t> body;
    ByteWriter out(body);
    out.raw(message.topic_wire());
    if (message.qos() > 0) out.u16(1);
    out.varint(static_cast<uint32_t>(message.properties().size));
    out.raw(message.properties());
    out.raw(message.payload());
    std::vector<uint8_t> frame;
    ByteWriter head(frame);
    head.u8(static_cast<uint8_t>(0x30 | (message.qos() << 1) | (message.retain() ? 1 : 0)));
    head.varint(static_cast<uint32_t>(body.size()));
    head.raw(body);

    auto box = Ref<hooks::PacketBox>::adopt(new hooks::PacketBox);
    constexpr mqtt::DecodeLimits kNoLimits{UINT32_MAX, UINT32_MAX};
    if (const auto error = mqtt::decode_packet(frame, mqtt::Version::v5, false, kNoLimits, box->packet))
        return Error{Status::internal, error.what};
    box->packet.packet_id = 0;
    box->origin = message.origin_id().text();
    box->created_ms = message.created_ms();
    box->frozen = true;
    return box;
}

}  // namespace comqtt::capi
