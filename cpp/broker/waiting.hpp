#pragma once
// Waiting: the full receivers that one publisher waits for, and the time it may still lose to those among them that take
// nothing. Made when the publisher waits for the first time, kept as long as its connection. Pure bookkeeping on the
// thread of the publisher's shard; time is an argument.

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "broker/config.hpp"

namespace comqtt::broker {

class Waiting {
public:
    /// What a pulse reads at least.
    static constexpr uint64_t kLeastPulse = 4096;

    Waiting(const Limits& limits, int64_t now_ms) : budget_us_(burst_us(limits)), at_ms_(now_ms) {}

    bool empty() const { return receivers_.empty(); }
    bool waits_for(uint64_t receiver) const { return receivers_.count(receiver) != 0; }
    /// False when the receiver takes nothing and no time is left for such: it is not waited for.
    bool add(const Limits& limits, uint64_t receiver, bool idle, int64_t now_ms) {
        settle(limits, now_ms);
        if (idle && budget_us_ < 1000) {
            remove(limits, receiver, now_ms);
            return false;
        }
        const auto [at, added] = receivers_.emplace(receiver, idle);
        if (!added) idle_ -= std::exchange(at->second, idle);
        idle_ += idle;
        return true;
    }
    /// False when it was not waited for.
    bool remove(const Limits& limits, uint64_t receiver, int64_t now_ms) {
        const auto at = receivers_.find(receiver);
        if (at == receivers_.end()) return false;
        settle(limits, now_ms);
        idle_ -= at->second;
        receivers_.erase(at);
        return true;
    }
    /// When the time for idle receivers is used up.
    int64_t idle_until_ms() const { return idle_ && held_ ? at_ms_ + budget_us_ / 1000 + 1 : INT64_MAX; }
    /// Those that take nothing are no longer waited for.
    void leave_idle(const Limits& limits, int64_t now_ms) {
        settle(limits, now_ms);
        std::erase_if(receivers_, [](const auto& receiver) { return receiver.second; });
        idle_ = 0;
    }

    /// Whether it is not read on account of this.
    bool held() const { return held_; }
    void set_held(const Limits& limits, bool held, int64_t now_ms) {
        settle(limits, now_ms);
        held_ = held;
    }

    // --- a held publisher is read a little now and then, so that what it asks is answered ---
    /// `room`: bytes that a receiver can take of it although it is full.
    void offer(uint64_t room) { room_ = std::min(room_, room); }
    void begin_pulse() {
        pulse_left_ = std::max(kLeastPulse, room_);
        pulse_ms = INT64_MAX;
    }
    bool in_pulse() const { return pulse_left_ != 0; }
    uint64_t pulse_left() const { return pulse_left_; }
    /// True when that was all that might be read.
    bool note_read(uint64_t bytes) {
        pulse_left_ -= std::min(pulse_left_, bytes);
        room_ -= std::min(room_, bytes);
        return pulse_left_ == 0;
    }
    /// It waits for nobody any more.
    void rest() {
        pulse_left_ = 0;
        room_ = UINT64_MAX;
        pulse_ms = INT64_MAX;
    }

    int64_t pulse_ms = INT64_MAX;  ///< time of the next pulse
    uint64_t handovers = 0;        ///< a bit for each shard to which too much is on its way
    uint64_t lanes = 0;            ///< a bit for each shard where this publisher is behind

private:
    /// Time that may be lost at once: enough for one receiver, and then another.
    static int64_t burst_us(const Limits& limits) {
        return limits.idle_wait_percent ? int64_t{2000} * limits.patience_ms : 0;
    }
    void settle(const Limits& limits, int64_t now_ms) {
        const int64_t elapsed = std::max<int64_t>(0, now_ms - at_ms_);
        at_ms_ = now_ms;
        budget_us_ = std::min(burst_us(limits), budget_us_ + elapsed * limits.idle_wait_percent * 10);
        if (idle_ && held_) budget_us_ -= elapsed * 1000;
    }

    std::unordered_map<uint64_t, bool> receivers_;  ///< by key, with whether it is idle
    uint32_t idle_ = 0;                             ///< of these
    bool held_ = false;
    int64_t budget_us_;
    int64_t at_ms_;  ///< budget_us_ is that of this time
    uint64_t room_ = UINT64_MAX;
    uint64_t pulse_left_ = 0;
};

}  // namespace comqtt::broker
