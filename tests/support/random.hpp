#pragma once
// Random: a small seeded generator (splitmix64). The same seed gives the same numbers everywhere.

#include <cstddef>
#include <cstdint>

namespace support {

class Random {
public:
    explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15 + 0xD6E8FEB86659FD93) {}

    uint64_t next() {
        uint64_t z = state_ += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
    /// 0 .. limit-1; 0 when the limit is 0.
    size_t below(size_t limit) { return limit ? static_cast<size_t>(next() % limit) : 0; }
    /// Both ends included.
    size_t between(size_t low, size_t high) { return low + below(high - low + 1); }
    bool chance(unsigned percent) { return next() % 100 < percent; }
    template <typename Container>
    auto& pick(Container& all) {
        return all[below(all.size())];
    }

private:
    uint64_t state_;
};

}  // namespace support
