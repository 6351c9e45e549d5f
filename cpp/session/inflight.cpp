#include "session/inflight.hpp"

#include <utility>

namespace comqtt::session {

void Inflight::grow() {
    std::vector<Entry> larger(ring_.empty() ? 8 : ring_.size() * 2);
    for (uint64_t i = 0; i < size_; ++i)
        larger[(first_ + i) & (larger.size() - 1)] =
            std::move(ring_[(first_ + i) & (ring_.size() - 1)]);
    ring_ = std::move(larger);
}

mqtt::PacketId Inflight::push(Delivery&& delivery) {
    if (size_ == ring_.size()) grow();
    const uint64_t sequence = first_ + size_++;
    Entry& entry = ring_[sequence & (ring_.size() - 1)];
    entry.delivery = std::move(delivery);
    entry.state = State::published;
    ++count_;
    return id_of(sequence);
}

uint64_t Inflight::sequence_of(mqtt::PacketId id) const {
    const uint64_t offset = (id - 1 + kIds - first_ % kIds) % kIds;
    return first_ + offset;
}

Inflight::Entry* Inflight::find(mqtt::PacketId id) {
    if (id == 0) return nullptr;
    const uint64_t sequence = sequence_of(id);
    if (sequence - first_ >= size_) return nullptr;
    Entry& entry = ring_[sequence & (ring_.size() - 1)];
    return entry.state == State::done ? nullptr : &entry;
}

Delivery Inflight::finish(mqtt::PacketId id) {
    Entry* entry = find(id);
    if (!entry) return {};
    Delivery delivery = std::move(entry->delivery);
    entry->delivery = {};
    entry->state = State::done;
    --count_;
    while (size_ && ring_[first_ & (ring_.size() - 1)].state == State::done) {
        ++first_;
        --size_;
    }
    return delivery;
}

bool Inflight::restore(mqtt::PacketId id, Delivery delivery, bool released) {
    if (id == 0) return false;
    if (size_ == 0) first_ = uint64_t{id} - 1;
    const uint64_t sequence = sequence_of(id);
    if (sequence < first_ + size_ || sequence - first_ >= kIds) return false;
    while (first_ + size_ <= sequence) {
        if (size_ == ring_.size()) grow();
        ring_[(first_ + size_++) & (ring_.size() - 1)] = {};
    }
    Entry& entry = ring_[sequence & (ring_.size() - 1)];
    entry.delivery = std::move(delivery);
    entry.state = released ? State::released : State::published;
    ++count_;
    return true;
}

void Inflight::clear() {
    for (Entry& entry : ring_) entry = {};
    first_ += size_;
    size_ = 0;
    count_ = 0;
    ring_.clear();
}

}  // namespace comqtt::session
