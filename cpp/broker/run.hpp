#pragma once
// Run: QoS 0 publishes of one client to one topic in a row, one block of bytes that is routed and forwarded at once.

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/call_bound.hpp"
#include "broker/mail.hpp"
#include "mqtt/codec.hpp"
#include "mqtt/types.hpp"

namespace comqtt::broker {

/// How much of a run goes to so many receivers in one go.
struct RunLimits {
    explicit RunLimits(size_t receivers) {
        if (receivers <= 1) return;  // a division costs as much as a short message
        messages = 1 + kDeliveries / receivers;
        bytes = 1 + kBytes / receivers;
    }
    bool reached(size_t count, size_t size) const { return count >= messages || size >= bytes; }
    size_t messages = SIZE_MAX;
    size_t bytes = SIZE_MAX;

private:
    static constexpr size_t kDeliveries = 131'072;
    static constexpr size_t kBytes = 16 * 1024 * 1024;
};

struct Run : CallBound {
    Run() = default;
    ByteView packets;         ///< as received
    uint32_t count = 0;       ///< of packets
    mqtt::Version version{};  ///< form of the packets
    uint64_t publisher = 0;   ///< SubscriberId value of the publishing session
    ByteView origin_id;       ///< its client id
    Source source;            ///< the publishing connection

    /// Of the first packet.
    ByteView topic() const { return topic_of(packets); }
    static ByteView topic_of(ByteView packet) {
        mqtt::FixedHeader header;
        mqtt::read_fixed_header(packet, header);
        const uint8_t* body = packet.data + header.header_size;
        return {body + 2, load_u16(body)};
    }
    /// The same, but for other packets of it.
    Run part(ByteView of, uint32_t packet_count) const { return Run(of, packet_count, *this); }
    /// What follows these bytes, which are whole packets. Not counted.
    Run from(size_t bytes) const { return Run(packets.from(bytes), 0, *this); }
    /// The first packets, as many as have the topic of the first and are within the limits, one in any case.
    Run of_one_topic(const RunLimits& limits) const {
        const ByteView name = topic();
        const uint8_t* p = packets.begin();
        uint32_t in_a_row = 0;
        while (p < packets.end()) {
            const ByteView rest(p, static_cast<size_t>(packets.end() - p));
            if (in_a_row && (limits.reached(in_a_row, static_cast<size_t>(p - packets.begin())) ||
                             !(topic_of(rest) == name)))
                break;
            mqtt::FixedHeader header;
            mqtt::read_fixed_header(rest, header);
            p += header.packet_size();
            ++in_a_row;
        }
        return Run({packets.begin(), static_cast<size_t>(p - packets.begin())}, in_a_row, *this);
    }
    /// Calls fn(packet, topic name, payload) for each.
    template <typename F>
    void each(F&& fn) const {
        for (const uint8_t* p = packets.begin(); p < packets.end();) {
            mqtt::FixedHeader header;
            mqtt::read_fixed_header({p, static_cast<size_t>(packets.end() - p)}, header);
            const uint8_t* body = p + header.header_size;
            const size_t topic = load_u16(body);
            const size_t head = 2 + topic + (version == mqtt::Version::v5 ? 1 : 0);
            fn(ByteView(p, header.packet_size()), ByteView(body + 2, topic),
               ByteView(body + head, header.remaining_length - head));
            p += header.packet_size();
        }
    }
    /// Appends the packets to `out` in the other form: 3.x for 5.0, 5.0 for 3.x.
    void convert(std::vector<uint8_t>& out) const;

private:
    Run(ByteView of, uint32_t packet_count, const Run& whole)
        : packets(of),
          count(packet_count),
          version(whole.version),
          publisher(whole.publisher),
          origin_id(whole.origin_id),
          source(whole.source) {}
};

}  // namespace comqtt::broker
