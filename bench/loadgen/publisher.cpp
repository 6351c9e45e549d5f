#include "publisher.hpp"

#include <algorithm>
#include <stdexcept>

#include "clock.hpp"
#include "stamp.hpp"

namespace comqtt::bench {

Publisher::Publisher(Connection connection, std::uint32_t id, const PublishSpec& spec, std::uint32_t fanout,
                     const Flow& flow)
    : Client(std::move(connection)),
      id_(id),
      fanout_(fanout),
      qos_(spec.qos),
      flow_(flow),
      packet_(make_publish(spec)) {
    write_stamp(packet_.bytes.data() + packet_.payload_at, stream_key(kLiveMagic, id), 0, 0);
}

void Publisher::set_walk(const WildcardWalk* walk, WildcardWalk::Place start) {
    walk_ = walk;
    place_ = start;
    seqs_.assign(walk->clients(), 0);
}

void Publisher::set_ack_histogram(Histogram* histogram) {
    ack_histogram_ = histogram;
    sent_at_.resize(65'536);
}

std::uint64_t Publisher::credit() const {
    std::uint64_t outstanding = unacknowledged();
    if (flow_.bounded_by_delivery) {
        const std::uint64_t arrived = delivered_ + written_off_;
        const std::uint64_t wanted = sent_ * fanout_;
        const std::uint64_t missing = wanted > arrived ? wanted - arrived : 0;
        const std::uint64_t undelivered = (missing + fanout_ - 1) / fanout_;
        outstanding = std::max(outstanding, undelivered);
    }
    return flow_.window > outstanding ? flow_.window - outstanding : 0;
}

const std::uint8_t* Publisher::consume(const std::uint8_t* begin, const std::uint8_t* end) {
    if (ack_histogram_ != nullptr) now_ = now_ns();
    Frame frame;
    while (next_frame(begin, end, frame)) {
        begin = frame.end();
        on_ack(frame);
    }
    return begin;
}

void Publisher::time_ack(std::uint16_t packet_id) {
    if (ack_histogram_ == nullptr || !packet_ids_.is_used(packet_id)) return;
    const std::uint64_t sent_at = sent_at_[packet_id];
    ack_histogram_->record(now_ > sent_at ? now_ - sent_at : 0);
}

void Publisher::on_ack(const Frame& frame) {
    if (packet_type(frame.first) == kDisconnect) {
        throw std::runtime_error("the broker disconnected a publisher, reason " +
                                 std::to_string(frame.body.empty() ? 0 : frame.body[0]));
    }
    if (frame.body.size() < 2) return;
    const std::uint16_t packet_id = load_u16_be(frame.body.data());
    const bool refused = frame.body.size() > 2 && frame.body[2] >= 0x80;
    if (refused) ++bad_acks_;
    switch (packet_type(frame.first)) {
        case kPuback: time_ack(packet_id); [[fallthrough]];
        case kPubcomp:
            if (!packet_ids_.release(packet_id)) ++bad_acks_;
            break;
        case kPubrec:
            if (!packet_ids_.is_used(packet_id)) ++bad_acks_;
            time_ack(packet_id);
            if (refused) {
                packet_ids_.release(packet_id);
            } else {
                append_ack(connection().pending(), kPubrel, packet_id);
            }
            break;
        default: break;
    }
}

}  // namespace comqtt::bench
