#include "run_builder.hpp"

#include <algorithm>

#include "stamp.hpp"

namespace comqtt::bench {

RunBuilder::RunBuilder(const Publisher& first)
    : packet_size_(first.packet().bytes.size()),
      capacity_(std::max<std::size_t>(1, kRunBytes / packet_size_)),
      prefix_size_(first.packet().payload_at + kStampSize),
      owner_(first.id()),
      fresh_(capacity_) {
    buffer_.reserve(capacity_ * packet_size_);
    for (std::size_t i = 0; i < capacity_; ++i) {
        buffer_.insert(buffer_.end(), first.packet().bytes.begin(), first.packet().bytes.end());
    }
}

void RunBuilder::refresh_slots(const Publisher& publisher, std::size_t count) {
    if (owner_ != publisher.id()) {
        owner_ = publisher.id();
        fresh_ = 0;
    }
    const std::uint8_t* source = publisher.packet().bytes.data();
    for (; fresh_ < count; ++fresh_) {
        std::uint8_t* slot = buffer_.data() + fresh_ * packet_size_;
        if (prefix_size_ <= 64 && packet_size_ >= 64) {
            std::memcpy(slot, source, 64);  // a constant: some vector stores, no call
        } else {
            std::memcpy(slot, source, prefix_size_);
        }
    }
}

ByteView RunBuilder::build(Publisher& publisher, std::size_t count, std::uint64_t time) {
    refresh_slots(publisher, count);
    const PublishPacket& layout = publisher.packet();
    std::uint8_t* slot = buffer_.data();
    std::uint8_t* const end = slot + count * packet_size_;
    for (std::uint8_t* p = slot; p != end; p += packet_size_) {
        const std::uint64_t seq =
            publisher.has_walk() ? publisher.take_seq(p + layout.topic_at) : publisher.take_seq();
        store_u64(p + layout.payload_at + kStampSeq, seq);
    }
    if (publisher.qos() > 0) {
        for (std::uint8_t* p = slot; p != end; p += packet_size_) {
            const std::uint16_t packet_id = publisher.packet_ids().take();
            publisher.note_sent(packet_id, time);
            store_u16_be(p + layout.packet_id_at, packet_id);
        }
    }
    if (time != 0) {
        for (std::uint8_t* p = slot; p != end; p += packet_size_) {
            store_u64(p + layout.payload_at + kStampTime, time);
        }
    }
    return {slot, count * packet_size_};
}

}  // namespace comqtt::bench
