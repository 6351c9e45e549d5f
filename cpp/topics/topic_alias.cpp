#include "topics/topic_alias.hpp"

#include <algorithm>
#include <bit>

namespace comqtt::topics {

InboundAliases::Result InboundAliases::set(uint16_t alias, std::string_view topic, uint16_t maximum,
                                           size_t maximum_bytes) {
    if (alias == 0 || alias > maximum) return Result::out_of_range;  // [MQTT-3.3.2-8] [MQTT-3.3.2-9]
    auto known = topics_.find(alias);
    size_t freed = known == topics_.end() ? 0 : known->second.size();
    size_t bytes = bytes_ - freed + topic.size();
    if (bytes > maximum_bytes) return Result::too_many_bytes;
    if (known == topics_.end())
        topics_.emplace(alias, topic);
    else
        known->second.assign(topic);
    bytes_ = bytes;
    return Result::ok;
}

InboundAliases::Result InboundAliases::find(uint16_t alias, uint16_t maximum, std::string_view& topic) const {
    if (alias == 0 || alias > maximum) return Result::out_of_range;
    auto known = topics_.find(alias);
    if (known == topics_.end()) return Result::unknown;
    topic = known->second;
    return Result::ok;
}

namespace {

constexpr size_t kCallsPerFade = 8;

// Two places in a table of counts, the size of which is a power of two.
struct Places {
    size_t first;
    size_t second;
    Places(std::string_view topic, size_t size) {
        size_t hash = TextHash()(topic);
        first = hash & (size - 1);
        second = (hash >> 32) & (size - 1);
    }
};

}  // namespace

OutboundAliases::OutboundAliases(uint16_t maximum) : maximum_(maximum) {}

OutboundAliases::Choice OutboundAliases::use(std::string_view topic) {
    if (maximum_ == 0) return {};
    bool full = entries_.size() == maximum_;
    if (full) fade();
    auto known = by_topic_.find(topic);
    if (known != by_topic_.end()) {
        uint8_t& uses = entries_[known->second - 1u]->uses;
        if (full && uses < UINT8_MAX) ++uses;
        return {known->second, false};
    }
    if (!full) {
        entries_.push_back(std::make_unique<Entry>());
        return give(static_cast<uint16_t>(entries_.size()), topic, 0);
    }
    uint8_t uses = count_other(topic);
    dice_ = dice_ * 1664525u + 1013904223u;
    size_t challenged = (dice_ >> 16) % maximum_;
    if (uses < 2 * entries_[challenged]->uses + 2) return {};
    by_topic_.erase(entries_[challenged]->topic);
    return give(static_cast<uint16_t>(challenged + 1), topic, uses);
}

OutboundAliases::Choice OutboundAliases::give(uint16_t alias, std::string_view topic, uint8_t uses) {
    Entry& entry = *entries_[alias - 1u];
    entry.topic.assign(topic);
    entry.uses = uses;
    by_topic_.emplace(entry.topic, alias);
    return {alias, true};
}

uint8_t OutboundAliases::count_other(std::string_view topic) {
    Places places(topic, others_.size());
    // Only what is lowest grows: a place that other topics share is not made worse.
    uint8_t lowest = std::min(others_[places.first], others_[places.second]);
    if (lowest == UINT8_MAX) return lowest;
    for (size_t place : {places.first, places.second})
        if (others_[place] == lowest) others_[place] = static_cast<uint8_t>(lowest + 1);
    return static_cast<uint8_t>(lowest + 1);
}

// Halves every count once in a period, one count at a time.
void OutboundAliases::fade() {
    if (others_.empty()) others_.resize(std::bit_ceil(std::clamp<size_t>(4u * maximum_, 128, 8192)));
    if (++calls_ % kCallsPerFade != 0) return;
    if (fading_ < others_.size()) others_[fading_] /= 2;
    if (fading_ < entries_.size()) entries_[fading_]->uses /= 2;
    size_t period = std::max(others_.size(), entries_.size());
    fading_ = static_cast<uint16_t>((fading_ + 1u) % period);
}

}  // namespace comqtt::topics
