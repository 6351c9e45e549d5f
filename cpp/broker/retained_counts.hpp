#pragma once
// RetainedCounts: how many retained messages each shard holds or is about to hold, in all, by the first level of their
// topics and by topic, so that a subscription asks only shards that may have something for it. Any thread.
//
// A shard that hands a message over to its keeper counts it before the publisher is acknowledged and lets the keeper
// take it off when it has arrived: whoever learns of the message finds it counted.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/hash.hpp"

namespace comqtt::broker {

class RetainedCounts {
public:
    RetainedCounts(unsigned shards, uint64_t seed)
        : seed_(seed), shards_(shards), topics_(new std::atomic<uint32_t>[kTopics]()) {}

    void add(unsigned shard, std::string_view topic) { change(shard, topic, 1); }
    void remove(unsigned shard, std::string_view topic) { change(shard, topic, UINT32_MAX); }

    /// A bit for each shard that may hold something for a filter with wildcards.
    uint64_t holders(std::string_view topic_filter) const {
        const std::string_view level = first_level(topic_filter);
        const bool any_level = level == "+" || level == "#";
        const size_t bucket = bucket_of(level);
        uint64_t found = 0;
        for (size_t i = 0; i < shards_.size(); ++i) {
            const auto& count = any_level ? shards_[i].all : shards_[i].levels[bucket];
            if (count.load(std::memory_order_acquire)) found |= uint64_t{1} << i;
        }
        return found;
    }
    /// Whether this very topic may be retained.
    bool may_hold(std::string_view topic) const {
        return topics_[hash_bytes(ByteView(topic), seed_) % kTopics].load(std::memory_order_acquire) != 0;
    }

private:
    static constexpr size_t kLevels = 1024;
    static constexpr size_t kTopics = 65'536;
    struct alignas(64) OfShard {
        std::atomic<uint32_t> all{0};  ///< but `$` topics, which no filter beginning with a wildcard matches
        std::array<std::atomic<uint32_t>, kLevels> levels{};
    };

    static std::string_view first_level(std::string_view text) { return text.substr(0, text.find('/')); }
    size_t bucket_of(std::string_view level) const { return hash_bytes(ByteView(level), ~seed_) % kLevels; }
    void change(unsigned shard, std::string_view topic, uint32_t by) {
        OfShard& counts = shards_[shard];
        topics_[hash_bytes(ByteView(topic), seed_) % kTopics].fetch_add(by, std::memory_order_acq_rel);
        counts.levels[bucket_of(first_level(topic))].fetch_add(by, std::memory_order_acq_rel);
        if (!topic.starts_with('$')) counts.all.fetch_add(by, std::memory_order_acq_rel);
    }

    const uint64_t seed_;
    std::vector<OfShard> shards_;
    std::unique_ptr<std::atomic<uint32_t>[]> topics_;
};

}  // namespace comqtt::broker
