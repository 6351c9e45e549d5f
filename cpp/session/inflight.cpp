#include "session/inflight.hpp"

#include <algorithm>
#include <utility>

namespace comqtt::session {

void Inflight::grow() {
    std::vector<Entry> larger(ring_.empty() ? 4 : ring_.size() * 2);
    for (uint64_t i = 0; i < size_; ++i) larger[(first_ + i) & (larger.size() - 1)] = std::move(entry_at(i));
    ring_ = std::move(larger);
}

void Inflight::set_aside_oldest() {
    Entry& oldest = entry_at(0);
    if (oldest.state != State::done) stragglers_[first_id_] = {std::move(oldest), next_age_++};
    oldest = {};
    drop_oldest();
}

std::vector<std::pair<uint64_t, mqtt::PacketId>> Inflight::by_age() const {
    std::vector<std::pair<uint64_t, mqtt::PacketId>> all;
    for (const auto& [id, straggler] : stragglers_) all.emplace_back(straggler.age, id);
    std::sort(all.begin(), all.end());
    return all;
}

mqtt::PacketId Inflight::push(Delivery&& delivery) {
    while (size_ >= kIds || (!stragglers_.empty() && stragglers_.count(id_at(size_)))) {
        if (size_ >= kIds) {
            // The circle has come round to an identifier in use: it stands aside, the others go on.
            set_aside_oldest();
        } else {
            if (size_ == ring_.size()) grow();
            entry_at(size_++) = {};
        }
    }
    if (size_ == ring_.size()) grow();
    const mqtt::PacketId id = id_at(size_);
    Entry& entry = entry_at(size_++);
    entry.delivery = std::move(delivery);
    entry.state = State::published;
    entry.held = false;
    ++count_;
    count_bytes(entry);
    return id;
}

Inflight::Entry* Inflight::find(mqtt::PacketId id) {
    if (id == 0) return nullptr;
    if (!stragglers_.empty())
        if (const auto at = stragglers_.find(id); at != stragglers_.end()) return &at->second.entry;
    const uint64_t offset = offset_of(id);
    if (offset >= size_) return nullptr;
    Entry& entry = entry_at(offset);
    return entry.state == State::done ? nullptr : &entry;
}

void Inflight::finish(mqtt::PacketId id, Entry& entry) {
    --count_;
    forget_bytes(entry);
    if (!stragglers_.empty() && stragglers_.erase(id)) return;
    entry.delivery.clear();
    entry.state = State::done;
    while (size_ && entry_at(0).state == State::done) drop_oldest();
}

bool Inflight::restore(mqtt::PacketId id, Delivery delivery, bool released) {
    if (id == 0 || find(id)) return false;
    // Far ahead, or behind the newest: what is in the ring is nearly a circle older, or more.
    if (offset_of(id) - size_ >= kLongestGap)
        while (size_) set_aside_oldest();
    if (size_ == 0) first_id_ = id;
    const uint64_t offset = offset_of(id);
    while (size_ <= offset) {
        if (size_ == ring_.size()) grow();
        entry_at(size_++) = {};
    }
    Entry& entry = entry_at(offset);
    entry.delivery = std::move(delivery);
    entry.state = released ? State::released : State::published;
    entry.held = false;
    ++count_;
    count_bytes(entry);
    return true;
}

void Inflight::clear() {
    stragglers_.clear();
    ring_.clear();
    first_id_ = id_at(size_);
    size_ = 0;
    count_ = 0;
    bytes_ = 0;
}

}  // namespace comqtt::session
