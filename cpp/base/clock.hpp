#pragma once
// Time as the core sees it. Shards read the clock once per batch and pass the value on.

#include <atomic>
#include <chrono>
#include <cstdint>

namespace comqtt {

class Clock {
public:
    virtual ~Clock() = default;
    /// Milliseconds that only grow.
    virtual int64_t monotonic_ms() const = 0;
    /// Unix milliseconds.
    virtual int64_t wall_ms() const = 0;
};

class SystemClock final : public Clock {
public:
    int64_t monotonic_ms() const override {
        using namespace std::chrono;
        return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
    }
    int64_t wall_ms() const override {
        using namespace std::chrono;
        return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    }
};

/// Moves only when told to. Starts at a fixed wall time so that runs repeat.
class ManualClock final : public Clock {
public:
    static constexpr int64_t kStartWallMs = 1'700'000'000'000;
    int64_t monotonic_ms() const override { return elapsed_.load(std::memory_order_acquire); }
    int64_t wall_ms() const override {
        return kStartWallMs + monotonic_ms() + corrected_.load(std::memory_order_acquire);
    }
    void set(int64_t elapsed_ms) { elapsed_.store(elapsed_ms, std::memory_order_release); }
    /// Somebody puts the wall clock forward, or back.
    void correct_wall(int64_t ms) { corrected_.fetch_add(ms, std::memory_order_acq_rel); }

private:
    std::atomic<int64_t> elapsed_{0};
    std::atomic<int64_t> corrected_{0};
};

}  // namespace comqtt
