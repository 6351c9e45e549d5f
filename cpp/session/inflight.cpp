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
    while (size_ >= kIds || (!stragglers_.empty() && stragglers_.count(id_of(first_ + size_)))) {
        if (size_ >= kIds) {
            // The circle has come round to an identifier in use: it stands aside, the others go on.
            Entry& oldest = ring_[first_ & (ring_.size() - 1)];
            if (oldest.state != State::done) stragglers_[id_of(first_)] = std::move(oldest);
            oldest = {};
            ++first_;
            --size_;
        } else {
            if (size_ == ring_.size()) grow();
            ring_[(first_ + size_++) & (ring_.size() - 1)] = {};
        }
    }
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
    if (!stragglers_.empty())
        if (const auto at = stragglers_.find(id); at != stragglers_.end()) return &at->second;
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
    if (!stragglers_.empty()) stragglers_.erase(id);
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
    stragglers_.clear();
    for (Entry& entry : ring_) entry = {};
    first_ += size_;
    size_ = 0;
    count_ = 0;
    ring_.clear();
}

}  // namespace comqtt::session
