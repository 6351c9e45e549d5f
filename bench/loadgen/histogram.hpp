#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace comqtt::bench {

// Counts of nanosecond values: 64 buckets per power of two (an error below 1.6 %), the
// largest value exactly. Recording is a few instructions and never allocates.
class Histogram {
public:
    void record(std::uint64_t ns) {
        ++counts_[index_of(ns)];
        ++count_;
        max_ = std::max(max_, ns);
    }

    void clear() { *this = Histogram{}; }

    std::uint64_t count() const { return count_; }
    std::uint64_t max() const { return max_; }

    // The value that `fraction` (0 to 1) of the recorded ones do not exceed.
    std::uint64_t percentile(double fraction) const {
        const auto wanted = static_cast<std::uint64_t>(fraction * static_cast<double>(count_));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            seen += counts_[i];
            if (seen > wanted) return std::min(upper_bound_of(i), max_);
        }
        return max_;
    }

private:
    static constexpr unsigned kBits = 6;
    static constexpr std::uint64_t kSub = 1u << kBits;

    static std::size_t index_of(std::uint64_t value) {
        if (value < kSub) return value;
        const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kBits - 1;
        return (shift + 1) * kSub + ((value >> shift) - kSub);
    }

    static std::uint64_t upper_bound_of(std::size_t index) {
        if (index < kSub) return index;
        const std::size_t shift = index / kSub - 1;
        return ((kSub + index % kSub + 1) << shift) - 1;
    }

    std::array<std::uint64_t, (64 - kBits + 1) * kSub> counts_{};
    std::uint64_t count_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace comqtt::bench
