#pragma once
// Turns: work that may come in its ten thousands at once and costs much apiece, such as pipes that open and close.

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <iterator>
#include <utility>
#include <vector>

#include "base/mutex.hpp"

namespace comqtt::net {

/// Kept in order; a round takes a share. Owned by one loop, on whose thread all but add() is called.
class Turns {
public:
    using Work = std::function<void()>;

    /// Thread-safe. Whoever adds wakes the loop. After close() the work is let go of, not run.
    void add(Work work) {
        const Lock lock(mutex_);
        if (closed_) return;
        waiting_.push_back(std::move(work));
        count_.store(waiting_.size(), std::memory_order_release);
    }
    /// The loop has ended: lets go of what waits. Thread-safe.
    void close() {
        std::deque<Work> dropped;  // let go of behind the lock
        const Lock lock(mutex_);
        closed_ = true;
        dropped.swap(waiting_);
        count_.store(0, std::memory_order_release);
    }
    /// Costs no lock: it is asked each round.
    bool empty() const { return count_.load(std::memory_order_acquire) == 0; }
    /// The oldest, at most so many.
    std::vector<Work> take(size_t most) {
        if (empty()) return {};
        const Lock lock(mutex_);
        const auto end = waiting_.begin() + static_cast<ptrdiff_t>(std::min(most, waiting_.size()));
        std::vector<Work> taken(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
        waiting_.erase(waiting_.begin(), end);
        count_.store(waiting_.size(), std::memory_order_release);
        return taken;
    }

private:
    Mutex mutex_;
    std::deque<Work> waiting_ COMQTT_GUARDED_BY(mutex_);
    bool closed_ COMQTT_GUARDED_BY(mutex_) = false;
    std::atomic<size_t> count_{0};
};

}  // namespace comqtt::net
