#pragma once

#include <time.h>

#include <cstdint>

namespace comqtt::bench {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

// Nanoseconds of the monotonic clock; the only clock of the load generator.
inline std::uint64_t now_ns() {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * kNsPerSecond + static_cast<std::uint64_t>(t.tv_nsec);
}

inline std::uint64_t seconds_to_ns(double seconds) {
    return static_cast<std::uint64_t>(seconds * static_cast<double>(kNsPerSecond));
}

inline double ns_to_seconds(std::uint64_t ns) {
    return static_cast<double>(ns) / static_cast<double>(kNsPerSecond);
}

}  // namespace comqtt::bench
