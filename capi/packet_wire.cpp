// Packets and their wire form.

#include "capi/guard.hpp"
#include "capi/views.hpp"
#include "mqtt/codec.hpp"

using namespace comqtt;
using namespace comqtt::capi;

namespace {

Error protocol_error(const mqtt::DecodeError& error) {
    const auto reason = static_cast<comqtt_reason>(error.reason);
    return {Status::protocol,
            fmt::format("{} [{}] at byte {}: {}", comqtt_reason_text(reason), error.statement, error.offset,
                        error.what),
            reason};
}

}  // namespace

comqtt_status comqtt_packet_validate(const comqtt_packet* packet, comqtt_sender sender,
                                     comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        const hooks::PacketBox* box = unwrap(packet);
        if (!box) return invalid("the packet is NULL or not a packet");
        if (const auto error = mqtt::validate_packet(box->packet, sender == COMQTT_FROM_CLIENT))
            return protocol_error(error);
        return {};
    });
}

comqtt_status comqtt_packet_encode(const comqtt_packet* packet, uint8_t* buffer, size_t capacity,
                                   size_t* out_len) {
    return guarded(nullptr, [&]() -> Result<void> {
        const hooks::PacketBox* box = unwrap(packet);
        if (!box) return invalid("the packet is NULL or not a packet");
        std::vector<uint8_t> wire;
        if (!mqtt::encode_packet(box->packet, wire))
            return Error{Status::protocol, "the packet has no wire form"};
        return outcome(copy_out(ByteView(wire).text(), buffer, capacity, out_len));
    });
}

comqtt_status comqtt_packet_decode(comqtt_bytes data, comqtt_protocol protocol, comqtt_sender sender,
                                   comqtt_packet** out_packet, size_t* out_used, comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        if (!out_packet) return invalid("out_packet is NULL");
        if (protocol < COMQTT_MQTT_3_1 || protocol > COMQTT_MQTT_5)
            return invalid("no such protocol version");
        const ByteView from = bytes(data);
        mqtt::FixedHeader header;
        const mqtt::FrameState state = mqtt::read_fixed_header(from, header);
        if (state == mqtt::FrameState::malformed)
            return Error{Status::protocol, "the Remaining Length is malformed [MQTT-1.5.5-1]",
                         COMQTT_REASON_MALFORMED_PACKET};
        if (state == mqtt::FrameState::need_more || header.packet_size() > from.size)
            return Error{Status::not_found, "the packet is not complete"};
        auto box = Ref<hooks::PacketBox>::adopt(new hooks::PacketBox);
        const auto error =
            mqtt::decode_packet(from.subview(0, header.packet_size()), static_cast<mqtt::Version>(protocol),
                                sender == COMQTT_FROM_CLIENT, mqtt::DecodeLimits{}, box->packet);
        if (error) return protocol_error(error);
        if (out_used) *out_used = header.packet_size();
        *out_packet = wrap(*box.detach());
        return {};
    });
}
