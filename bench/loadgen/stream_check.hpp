#pragma once

#include <cstdint>
#include <vector>

namespace comqtt::bench {

// Counts exactly what came out of one stream of numbered messages 0, 1, 2, ...: unique,
// duplicated, reordered (arrived after a later one). As long as all is in order it is one
// counter; from the first surprise on it keeps one bit per message.
class StreamCheck {
public:
    // The number that would be in order, so that the reader's loop compares one word.
    std::uint64_t expected() const { return expected_; }
    void advance(std::uint64_t count) { expected_ += count; }

    // A number other than the expected one.
    void surprise(std::uint64_t seq) {
        if (expected_ != kUseBits) {
            base_ = expected_;
            highest_ = base_ == 0 ? kNone : base_ - 1;
            expected_ = kUseBits;
        }
        if (seq < base_) {
            ++duplicated_;
            return;
        }
        const std::uint64_t bit = seq - base_;
        if (bit > kMaxBits) {
            ++corrupt_;
            return;
        }
        if (bit / 64 >= bits_.size()) bits_.resize(bit / 64 + 1 + bits_.size() / 2);
        std::uint64_t& word = bits_[bit / 64];
        const std::uint64_t mask = 1ULL << (bit % 64);
        if ((word & mask) != 0) {
            ++duplicated_;
            return;
        }
        word |= mask;
        ++unique_in_bits_;
        if (highest_ != kNone && seq < highest_) {
            ++reordered_;
        } else {
            highest_ = seq;
        }
    }

    std::uint64_t unique() const { return expected_ == kUseBits ? base_ + unique_in_bits_ : expected_; }
    std::uint64_t duplicated() const { return duplicated_; }
    std::uint64_t reordered() const { return reordered_; }
    std::uint64_t corrupt() const { return corrupt_; }

private:
    static constexpr std::uint64_t kUseBits = ~0ULL;
    static constexpr std::uint64_t kNone = ~0ULL;
    static constexpr std::uint64_t kMaxBits = 1ULL << 33;

    std::uint64_t expected_ = 0;
    std::uint64_t base_ = 0;
    std::uint64_t highest_ = kNone;
    std::uint64_t unique_in_bits_ = 0;
    std::uint64_t duplicated_ = 0;
    std::uint64_t reordered_ = 0;
    std::uint64_t corrupt_ = 0;
    std::vector<std::uint64_t> bits_;
};

}  // namespace comqtt::bench
