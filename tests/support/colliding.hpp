#pragma once
// Texts that all have the same std::hash: what a hostile client can make, for that hash has no secret. They are ASCII,
// control characters among them, without '/', '+' and '#'.

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "random.hpp"

namespace support {

/// std::hash of the GNU library folds each 8 bytes w into its state by `state = (state ^ f(w)) * m`, m odd. A word whose
/// f differs in the highest bit only changes just that bit of the state, and a second such word changes it back. So a
/// pair of words and the pair of their twins can stand for each other anywhere.
class Colliding {
public:
    Colliding() {
        Random random(7);
        for (auto& pair : words_)
            for (auto& both : pair) both = twins(random);
    }

    /// `count` texts, at most 2^kPairs. All have the same length.
    std::vector<std::string> texts(size_t count) const {
        std::vector<std::string> made;
        for (size_t number = 0; number < count; ++number) {
            std::string text;
            for (size_t i = 0; i < kPairs; ++i) {
                const size_t which = number >> i & 1;
                for (const auto& both : words_[i]) append(text, both[which]);
            }
            made.push_back(std::move(text));
        }
        return made;
    }

    /// As many others of the same length, with hashes as they come.
    static std::vector<std::string> others(size_t count) {
        Random random(8);
        std::vector<std::string> made(count);
        for (std::string& text : made)
            for (size_t i = 0; i < 2 * kPairs * 8; ++i) text += static_cast<char>('a' + random.below(26));
        return made;
    }

private:
    static constexpr size_t kPairs = 14;
    static constexpr uint64_t kMultiplier = 0xc6a4a7935bd1e995;
    using Twins = std::array<uint64_t, 2>;

    static uint64_t folded(uint64_t word) {
        word *= kMultiplier;
        return (word ^ word >> 47) * kMultiplier;
    }
    static uint64_t unfolded(uint64_t value) {
        uint64_t inverse = kMultiplier;  // of an odd number, by Newton's iteration
        for (int i = 0; i < 6; ++i) inverse *= 2 - kMultiplier * inverse;
        value *= inverse;
        return (value ^ value >> 47) * inverse;
    }
    static bool plain(uint64_t word) {
        for (int i = 0; i < 8; ++i) {
            const auto byte = static_cast<uint8_t>(word >> 8 * i);
            if (byte == 0 || byte > 0x7F || byte == '/' || byte == '+' || byte == '#') return false;
        }
        return true;
    }
    static Twins twins(Random& random) {
        for (;;) {
            const uint64_t word = random.next() & 0x7F7F'7F7F'7F7F'7F7F;
            const uint64_t twin = unfolded(folded(word) ^ uint64_t{1} << 63);
            if (plain(word) && plain(twin)) return {word, twin};
        }
    }
    static void append(std::string& text, uint64_t word) {
        char bytes[8];
        std::memcpy(bytes, &word, sizeof bytes);
        text.append(bytes, sizeof bytes);
    }

    std::array<std::array<Twins, 2>, kPairs> words_;
};

}  // namespace support
