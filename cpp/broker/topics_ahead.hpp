#pragma once
// TopicsAhead: hashes and prefetches for a batch of publishes with changing topics.

#include <cstddef>
#include <cstdint>

#include "broker/route.hpp"

namespace comqtt::broker {

/// Looks at the packets that follow, where every packet has another topic, so that their routes are on their way into
/// the cache when their turn comes.
class TopicsAhead {
public:
    TopicsAhead(const RouteCache& routes, const uint8_t* p, const uint8_t* end)
        : routes_(routes), next_(p), end_(end) {}

    /// The topic's hash, known already when the packet at `p` was looked at before.
    uint64_t hash_at(const uint8_t* p, ByteView topic) {
        while (count_ && ring_[first_].at < p) drop();
        if (next_ < p) next_ = p;
        const bool known = count_ && ring_[first_].at == p;
        const uint64_t hash = known ? ring_[first_].hash : routes_.hash_of(topic);
        while (count_ < kDepth && look()) {
        }
        if (count_ > kDepth / 2) routes_.prefetch_route(ring_[(first_ + kDepth / 2) % kDepth].hash);
        return hash;
    }

private:
    static constexpr uint32_t kDepth = 8;
    struct Packet {
        const uint8_t* at;
        uint64_t hash;
    };
    void drop() {
        first_ = (first_ + 1) % kDepth;
        --count_;
    }
    /// Only plain packets of less than 128 bytes; others end the look ahead.
    bool look() {
        if (end_ - next_ < 4 || next_[0] != 0x30 || next_[1] & 0x80) return false;
        const size_t topic = load_u16(next_ + 2);
        const size_t size = 2 + size_t{next_[1]};
        if (topic + 4 > size || size > static_cast<size_t>(end_ - next_)) return false;
        const uint64_t hash = routes_.hash_of({next_ + 4, topic});
        routes_.prefetch_cell(hash);
        ring_[(first_ + count_++) % kDepth] = {next_, hash};
        next_ += size;
        return true;
    }

    const RouteCache& routes_;
    const uint8_t* next_;
    const uint8_t* end_;
    Packet ring_[kDepth];
    uint32_t first_ = 0;
    uint32_t count_ = 0;
};

}  // namespace comqtt::broker
