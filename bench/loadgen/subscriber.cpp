#include "subscriber.hpp"

#include <stdexcept>

#include "clock.hpp"
#include "stamp.hpp"

namespace comqtt::bench {

Subscriber::Subscriber(Connection connection, int protocol, std::uint32_t first_publisher,
                       std::uint32_t publisher_count, std::vector<std::unique_ptr<Publisher>>& publishers)
    : Client(std::move(connection)),
      protocol_(protocol),
      first_publisher_(first_publisher),
      publishers_(publishers),
      checks_(publisher_count) {}

void Subscriber::join_group(std::vector<StreamCheck>* checks) {
    group_ = checks;
    next_in_group_.assign(checks_.size(), 0);
}

const std::uint8_t* Subscriber::consume(const std::uint8_t* begin, const std::uint8_t* end) {
    if (histogram_ != nullptr) now_ = now_ns();
    for (;;) {
        begin = consume_alike(begin, end);
        Frame frame;
        if (!next_frame(begin, end, frame)) break;
        begin = frame.end();
        on_frame(frame);
    }
    end_run();
    connection().flush();
    return begin;
}

// The fast path. The caller's slow path takes over at the first packet of another layout.
const std::uint8_t* Subscriber::consume_alike(const std::uint8_t* begin, const std::uint8_t* end) {
    const std::size_t size = packet_size_;
    if (size == 0) return begin;
    const std::uint8_t* p = begin;
    for (; static_cast<std::size_t>(end - p) >= size && is_alike(p); p += size) {
        on_message(p + payload_at_);
        if (ack_first_ != 0) acknowledge(ack_first_, p + packet_id_at_);
    }
    return p;
}

inline void Subscriber::on_message(const std::uint8_t* payload) {
    const std::uint64_t key = load_u64(payload);
    if (key != run_.key && !switch_run(key)) return;
    const std::uint64_t seq = load_u64(payload + kStampSeq);
    StreamCheck& check = checks_[run_.index];
    if (seq == check.expected() && group_ == nullptr) {
        check.advance(1);
    } else {
        on_surprise(seq);
    }
    ++run_.count;
    if (histogram_ != nullptr) {
        const std::uint64_t due = load_u64(payload + kStampTime);
        if (due != 0) histogram_->record(now_ > due ? now_ - due : 0);
    }
}

bool Subscriber::switch_run(std::uint64_t key) {
    end_run();
    const std::uint32_t index = key_publisher(key) - first_publisher_;
    if (key_magic(key) != kLiveMagic || index >= checks_.size()) {
        ++unknown_;
        return false;
    }
    run_ = {key, index, 0};
    return true;
}

void Subscriber::end_run() {
    if (run_.count != 0) {
        publishers_[first_publisher_ + run_.index]->add_delivered(run_.count);
        received_ += run_.count;
    }
    run_ = {};
}

void Subscriber::on_surprise(std::uint64_t seq) {
    if (group_ == nullptr) {
        checks_[run_.index].surprise(seq);
        return;
    }
    StreamCheck& check = (*group_)[run_.index];
    if (seq == check.expected()) {
        check.advance(1);
    } else {
        check.surprise(seq);
    }
    std::uint64_t& next = next_in_group_[run_.index];
    if (seq < next) {
        ++reordered_in_group_;
    } else {
        next = seq + 1;
    }
}

void Subscriber::on_frame(const Frame& frame) {
    switch (packet_type(frame.first)) {
        case kPublish: {
            const PublishLayout layout = publish_layout(frame, protocol_);
            if (frame.body.size() < layout.payload_at + kStampSize) {
                ++unknown_;
                return;
            }
            learn(frame, layout);
            on_message(frame.begin + payload_at_);
            if (ack_first_ != 0) acknowledge(ack_first_, frame.begin + packet_id_at_);
            return;
        }
        case packet_type(kPubrel):
            if (frame.body.size() >= 2) acknowledge(kPubcomp, frame.body.data());
            return;
        case kDisconnect: throw std::runtime_error("the broker disconnected a subscriber");
        default: return;
    }
}

void Subscriber::learn(const Frame& frame, const PublishLayout& layout) {
    const auto header = static_cast<std::size_t>(frame.body.data() - frame.begin);
    packet_size_ = header + frame.body.size();
    payload_at_ = header + layout.payload_at;
    packet_id_at_ = header + layout.packet_id_at;
    const std::size_t head_size = header + 2;  // at most 7 bytes
    head_mask_ = (1ULL << (8 * head_size)) - 1;
    head_ = load_u64(frame.begin) & head_mask_;
    const int qos = (frame.first >> 1) & 3;
    ack_first_ = qos == 0 ? 0 : qos == 1 ? kPuback : kPubrec;
}

void Subscriber::acknowledge(std::uint8_t first, const std::uint8_t* packet_id) {
    const std::uint8_t ack[4] = {first, 2, packet_id[0], packet_id[1]};
    Bytes& out = connection().pending();
    out.insert(out.end(), ack, ack + 4);
}

}  // namespace comqtt::bench
