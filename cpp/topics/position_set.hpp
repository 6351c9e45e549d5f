#pragma once
// A set of small numbers in which the next one is found in a few steps: bits, and above each 64 words of them a word that
// says which are not zero.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace comqtt::topics {

/// Changed by one thread at a time, read by any; a reader sees each change a moment later at the latest.
class PositionSet {
public:
    static constexpr size_t kNone = SIZE_MAX;

    /// For the positions below `capacity`.
    explicit PositionSet(size_t capacity) {
        do {
            capacity = (capacity + 63) / 64;
            levels_.push_back({std::make_unique<Word[]>(capacity), capacity});
        } while (capacity > 1);
    }

    void insert(size_t position) {
        for (Level& level : levels_) {
            Word& word = level.words[position / 64];
            const uint64_t before = word.load(std::memory_order_relaxed);
            word.store(before | bit(position), std::memory_order_release);
            if (before) return;
            position /= 64;
        }
    }
    void erase(size_t position) {
        for (Level& level : levels_) {
            Word& word = level.words[position / 64];
            const uint64_t after = word.load(std::memory_order_relaxed) & ~bit(position);
            word.store(after, std::memory_order_release);
            if (after) return;
            position /= 64;
        }
    }
    /// The least that is not below `from`, or kNone.
    size_t next(size_t from) const {
        // Nearly always it stands in the same word.
        if (const uint64_t left = from / 64 < levels_[0].size ? word(0, from / 64) >> (from % 64) : 0)
            return from + static_cast<size_t>(__builtin_ctzll(left));
        return search(from);
    }

private:
    using Word = std::atomic<uint64_t>;
    struct Level {
        std::unique_ptr<Word[]> words;
        size_t size;
    };

    size_t search(size_t from) const {
        size_t level = 0;
        for (size_t at = from; level < levels_.size();) {
            const uint64_t left = at / 64 < levels_[level].size ? word(level, at / 64) >> (at % 64) : 0;
            if (!left) {
                at = at / 64 + 1;  // of the level above: the words behind this one
                ++level;
                continue;
            }
            at += static_cast<size_t>(__builtin_ctzll(left));
            if (level == 0) return at;
            at *= 64;  // a word that has just become zero sends the search up again
            --level;
        }
        return kNone;
    }
    static uint64_t bit(size_t position) { return uint64_t{1} << (position % 64); }
    uint64_t word(size_t level, size_t at) const {
        return levels_[level].words[at].load(std::memory_order_acquire);
    }

    std::vector<Level> levels_;  ///< the bits themselves first
};

}  // namespace comqtt::topics
