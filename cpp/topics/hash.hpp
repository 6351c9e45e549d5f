#pragma once
// A seeded 64-bit hash of short byte strings. The seed is random per index, so that a client cannot choose
// filters that collide.

#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>

namespace comqtt::topics {

class Hasher {
public:
    Hasher() {
        std::random_device device;
        seed_ = (uint64_t{device()} << 32) | device();
    }
    explicit constexpr Hasher(uint64_t seed) : seed_(seed) {}

    uint64_t operator()(std::string_view text) const { return hash(text, seed_); }
    /// Hash of a text below a parent (an address or a number).
    uint64_t operator()(const void* parent, std::string_view text) const {
        return hash(text, mix(seed_ ^ reinterpret_cast<uintptr_t>(parent), kFirst));
    }
    uint64_t operator()(uint64_t number) const { return mix(mix(number ^ seed_, kFirst), kSecond); }

private:
    static constexpr uint64_t kFirst = 0xD6E8FEB86659FD93ull;
    static constexpr uint64_t kSecond = 0xA0761BC5C9F0E2B7ull;

    // Folds the 128-bit product: every input bit reaches every output bit.
    static uint64_t mix(uint64_t a, uint64_t b) {
        __extension__ using Wide = unsigned __int128;
        Wide product = static_cast<Wide>(a) * b;
        return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
    }
    static uint64_t hash(std::string_view text, uint64_t state) {
        const char* at = text.data();
        size_t left = text.size();
        state ^= left * kSecond;
        while (left >= 8) {
            uint64_t word;
            std::memcpy(&word, at, 8);
            state = mix(state ^ word, kFirst);
            at += 8;
            left -= 8;
        }
        uint64_t tail = 0;
        if (left) std::memcpy(&tail, at, left);
        return mix(mix(state ^ tail, kFirst) ^ kSecond, kFirst);
    }

    uint64_t seed_;
};

}  // namespace comqtt::topics
