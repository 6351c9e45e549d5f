#pragma once
// ReadShare: how many bytes of one connection are read at a time. What it sends may cost so much that a large read would
// keep all others of the thread waiting. One for each connection; its loop's thread.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace comqtt::net {

class ReadShare {
public:
    /// Bytes to read at most.
    size_t limit() const { return bytes_; }

    /// Runs handle(), which makes something of `count` bytes, and learns from a large one how long that takes.
    template <typename F>
    void spend(size_t count, F&& handle) {
        if (count < kLeast) {
            handle();
            return;
        }
        const auto began = std::chrono::steady_clock::now();
        handle();
        note(count, std::chrono::steady_clock::now() - began);
    }
    void note(size_t count, std::chrono::nanoseconds took) {
        const double most =
            static_cast<double>(count) * kMostTime / std::max(took, std::chrono::nanoseconds(1));
        bytes_ = static_cast<uint32_t>(std::clamp(most, double{kLeast}, double{kMost}));
    }

private:
    static constexpr std::chrono::nanoseconds kMostTime{2'000'000};
    static constexpr uint32_t kLeast = 16'384, kMost = 262'144;
    uint32_t bytes_ = kMost;
};

}  // namespace comqtt::net
