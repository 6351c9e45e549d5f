#pragma once
// Spoiling: bytes that nobody may look at any more are overwritten where that costs nobody anything (builds without
// NDEBUG), so that a view that was kept shows at once and always.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace comqtt {

#ifdef NDEBUG
inline constexpr bool kSpoiling = false;
#else
inline constexpr bool kSpoiling = true;
#endif

/// No text, no packet of a client, an impossible length.
inline constexpr uint8_t kSpoiled = 0xDB;

inline void spoil(uint8_t* bytes, size_t size) {
    if (kSpoiling && size) std::memset(bytes, kSpoiled, size);
}
inline void spoil(std::vector<uint8_t>& bytes) { spoil(bytes.data(), bytes.size()); }

}  // namespace comqtt
