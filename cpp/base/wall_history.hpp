#pragma once
// WallHistory: what the wall clock showed while the process ran, so that a time it showed can be turned into one of the
// monotonic clock although it was put forward or back meanwhile. One thread.

#include <algorithm>
#include <cstdint>
#include <vector>

namespace comqtt {

class WallHistory {
public:
    /// Both clocks as read at one time. Call it often: a step is known to lie between two calls.
    void note(int64_t now_ms, int64_t wall_ms) {
        const int64_t offset = wall_ms - now_ms;
        if (!stretches_.empty()) {
            Stretch& last = stretches_.back();
            if (std::max(offset, last.offset) - std::min(offset, last.offset) <= kTolerance) {
                last.last_ms = now_ms;
                return;
            }
            if (stretches_.size() == kMost) stretches_.erase(stretches_.begin());
        }
        stretches_.push_back({offset, now_ms, now_ms});
    }

    /// When the wall clock showed this. Where it showed it twice: the later time, so that nothing is taken for older
    /// than it is. What it never showed while the process ran was before it when it lies in the past; otherwise a
    /// clock that was ahead said so: the process's beginning.
    int64_t monotonic_of(int64_t wall_ms) const {
        for (size_t i = stretches_.size(); i-- > 0;) {
            const Stretch& stretch = stretches_[i];
            const int64_t at = wall_ms - stretch.offset;
            const int64_t from = i ? stretches_[i - 1].last_ms : INT64_MIN + kTolerance;
            const bool last = i + 1 == stretches_.size();
            const int64_t to = last ? stretch.last_ms : stretches_[i + 1].first_ms;
            if (at >= from - kTolerance && at <= to + (last ? kAhead : kTolerance))
                return std::clamp(at, from, to);
        }
        return stretches_.empty() ? 0 : stretches_.front().first_ms;
    }

    /// Times between which somebody corrected the clock, as far as they are remembered.
    size_t stretches() const { return stretches_.size(); }

private:
    static constexpr int64_t kTolerance =
        1000;                                  ///< a clock that is slewed, and what lies between two readings
    static constexpr int64_t kAhead = 60'000;  ///< another thread may have read the clock later: that is now
    static constexpr size_t kMost = 64;
    struct Stretch {
        int64_t offset;    ///< of the wall clock to the monotonic one
        int64_t first_ms;  ///< monotonic
        int64_t last_ms;
    };
    std::vector<Stretch> stretches_;
};

}  // namespace comqtt
