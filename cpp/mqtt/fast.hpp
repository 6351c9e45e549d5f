#pragma once
// The few steps of the read loop that are worth inlining into it. They decide the plain case and
// leave everything else to codec.hpp and publish_view.hpp.

#include <cstdint>

#include "base/bytes.hpp"
#include "mqtt/codec.hpp"
#include "mqtt/publish_view.hpp"
#include "mqtt/types.hpp"

namespace comqtt::mqtt {

/// read_fixed_header, inline.
[[gnu::always_inline]] inline FrameState read_fixed_header_inline(ByteView bytes, FixedHeader& out) {
    if (bytes.size < 2) return FrameState::need_more;
    const uint8_t* p = bytes.data;
    out.type = static_cast<PacketType>(p[0] >> 4);
    out.flags = p[0] & 0x0F;
    uint32_t length = p[1] & 0x7Fu;
    if (p[1] < 0x80) [[likely]] {
        out.header_size = 2;
        out.remaining_length = length;
        return FrameState::complete_header;
    }
    for (unsigned at = 2; at <= 4; ++at) {
        if (at >= bytes.size) return FrameState::need_more;
        const uint8_t byte = p[at];
        length |= (byte & 0x7Fu) << (7 * (at - 1));
        if (byte < 0x80) {
            if (byte == 0) return FrameState::malformed;  // more bytes than needed [MQTT-1.5.5-1]
            out.header_size = static_cast<uint8_t>(at + 1);
            out.remaining_length = length;
            return FrameState::complete_header;
        }
    }
    return FrameState::malformed;
}

/// Reads a PUBLISH that needs no closer look: legal flags, a topic name, a packet id where one is due,
/// no properties. The bytes of the topic name are NOT checked (use plain_topic_name, or compare
/// with a name that was). False means nothing but "use parse_publish", `out` is then undefined.
[[gnu::always_inline]] inline bool read_plain_publish(ByteView frame, const FixedHeader& header,
                                                      Version version, PublishView& out) {
    const uint8_t qos = (header.flags >> 1) & 3;
    const bool dup = header.flags & 8;
    const size_t fixed = size_t{2} + (qos ? 2 : 0) + (version == Version::v5 ? 1 : 0);
    if (qos == 3 || (dup && qos == 0) || header.remaining_length < fixed) return false;
    const uint8_t* p = frame.data + header.header_size;
    const size_t topic_size = load_u16(p);
    if (topic_size == 0 || topic_size > header.remaining_length - fixed) return false;
    out = PublishView{};
    out.topic_name = {p + 2, topic_size};
    p += 2 + topic_size;
    if (qos) {
        out.packet_id = load_u16(p);
        if (out.packet_id == 0) return false;
        p += 2;
    }
    if (version == Version::v5 && *p++ != 0) return false;
    out.qos = qos;
    out.dup = dup;
    out.retain = header.flags & 1;
    out.payload = {p, static_cast<size_t>(frame.data + header.packet_size() - p)};
    return true;
}

}  // namespace comqtt::mqtt
