#pragma once
// A fast 64-bit hash of short strings, seeded against chosen collisions.

#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>

#include "base/bytes.hpp"

namespace comqtt {

__extension__ using uint128 = unsigned __int128;

inline uint64_t mix_hash(uint64_t a, uint64_t b) {
    const auto product = static_cast<uint128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

/// Multiply-and-fold over 8-byte words, the last one overlapping.
inline uint64_t hash_bytes(ByteView text, uint64_t seed) {
    constexpr uint64_t kFirst = 0x9E3779B97F4A7C15, kSecond = 0xD6E8FEB86659FD93;
    const auto word = [](const uint8_t* p) {
        uint64_t value;
        std::memcpy(&value, p, 8);
        return value;
    };
    uint64_t hash = seed ^ (text.size * kFirst);
    const uint8_t* p = text.data;
    size_t left = text.size;
    if (left >= 8) {
        const uint8_t* last = p + left - 8;
        for (; left > 8; left -= 8, p += 8) hash = mix_hash(hash ^ word(p), kSecond);
        return mix_hash(hash ^ word(last), kFirst);
    }
    uint64_t tail = 0;
    if (left) std::memcpy(&tail, p, left);
    return mix_hash(hash ^ tail, kFirst ^ kSecond);
}

/// Random, the same for the life of the process.
inline uint64_t process_hash_seed() {
    static const uint64_t seed = [] {
        std::random_device random;
        return (uint64_t{random()} << 32) | random();
    }();
    return seed;
}

/// For tables whose keys peers choose: the standard library's hash has no seed, and texts that collide in it can be made.
struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return hash_bytes(ByteView(text), process_hash_seed()); }
};

}  // namespace comqtt
