#pragma once

#include <cstdint>
#include <vector>

#include "client.hpp"
#include "clock.hpp"
#include "stamp.hpp"
#include "wire.hpp"

namespace comqtt::bench {

// The '#' subscriber of `retained`: ticks off each retained message, passes over live ones.
class RetainedReader : public Client {
public:
    RetainedReader(Connection connection, int protocol, std::size_t expected)
        : Client(std::move(connection)), protocol_(protocol), seen_(expected, false) {}

    const std::uint8_t* consume(const std::uint8_t* begin, const std::uint8_t* end) override {
        Frame frame;
        while (next_frame(begin, end, frame)) {
            begin = frame.end();
            if (packet_type(frame.first) == kPublish) on_publish(frame);
            if (frame.first == kPubrel && frame.body.size() >= 2) {
                append_ack(connection().pending(), kPubcomp, load_u16_be(frame.body.data()));
            }
        }
        connection().flush();
        return begin;
    }

    bool is_complete() const { return received_ == seen_.size(); }
    std::size_t received() const { return received_; }
    std::uint64_t duplicated() const { return duplicated_; }
    std::uint64_t live() const { return live_; }
    std::uint64_t without_flag() const { return without_flag_; }
    std::uint64_t first_ns() const { return first_ns_; }
    std::uint64_t last_ns() const { return last_ns_; }

private:
    void on_publish(const Frame& frame) {
        const PublishLayout layout = publish_layout(frame, protocol_);
        const int qos = (frame.first >> 1) & 3;
        if (qos > 0) {
            append_ack(connection().pending(), qos == 1 ? kPuback : kPubrec,
                       load_u16_be(frame.body.data() + layout.packet_id_at));
        }
        if (frame.body.size() < layout.payload_at + kStampSize) return;
        const std::uint8_t* payload = frame.body.data() + layout.payload_at;
        const std::uint64_t index = load_u64(payload + kStampSeq);
        if (key_magic(load_u64(payload)) != kRetainedMagic || index >= seen_.size()) {
            ++live_;
            return;
        }
        if ((frame.first & kRetainFlag) == 0) ++without_flag_;
        tick_off(index);
    }

    void tick_off(std::uint64_t index) {
        if (seen_[index]) {
            ++duplicated_;
            return;
        }
        seen_[index] = true;
        ++received_;
        if (received_ == 1) first_ns_ = now_ns();
        if (is_complete()) last_ns_ = now_ns();
    }

    int protocol_;
    std::vector<bool> seen_;
    std::size_t received_ = 0;
    std::uint64_t duplicated_ = 0;
    std::uint64_t live_ = 0;
    std::uint64_t without_flag_ = 0;
    std::uint64_t first_ns_ = 0;
    std::uint64_t last_ns_ = 0;
};

}  // namespace comqtt::bench
