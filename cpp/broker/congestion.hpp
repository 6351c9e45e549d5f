#pragma once
// Congestion: what is known of a receiver that is full, or has been: whether it takes what it is sent, and who waits
// for it. Made when the receiver is full for the first time and kept as long as its connection, for what it has earned
// outlives one congestion. Pure bookkeeping on the thread of the receiver's shard; time is an argument.

#include <algorithm>
#include <cstdint>
#include <unordered_set>

#include "broker/config.hpp"

namespace comqtt::broker {

class Congestion {
public:
    enum class State : uint8_t {
        relieved,  ///< not full
        earning,   ///< full, and takes what it is sent as fast as it has shown that it can: it is waited for
        idle,      ///< full without progress: waited for briefly, as far as each publisher has time for such
        given_up,  ///< not waited for until it makes progress
    };

    State state() const { return state_; }
    bool full() const { return state_ != State::relieved; }
    /// When it last took or acknowledged anything at all.
    int64_t taken_ms() const { return taken_ms_; }
    int64_t check_ms() const { return check_ms_; }

    /// It is full from now on. `in_transit`: what its transport holds. `known`: others of its name were waited for in
    /// vain; it is given a moment to show that it is different.
    void begin(const Limits& limits, int64_t now_ms, uint64_t in_transit, bool known = false) {
        state_ = earned_ ? State::earning : State::idle;
        known_ = known;
        since_ms_ = progress_ms_ = taken_ms_ = idle_ms_ = now_ms;
        written_ = 0;
        seen_ = -static_cast<int64_t>(in_transit);
        plan_check(limits, now_ms, 0);
    }
    void end() { state_ = State::relieved; }

    /// The transport took bytes, or an acknowledgement came.
    void note_taken(uint64_t bytes, int64_t now_ms) {
        written_ += static_cast<int64_t>(bytes);
        taken_ms_ = now_ms;
    }
    /// It has made progress in what fills it. Returns the state before.
    State note_progress(const Limits& limits, int64_t now_ms) {
        const State before = state_;
        const int64_t gap = now_ms - progress_ms_;
        if (gap >= limits.stuck_timeout_ms) {
            // Nobody waits for one this slow: it begins anew.
            pace_ms_ = 0;
            since_ms_ = now_ms;
        } else {
            pace_ms_ = std::max(gap, pace_ms_ - pace_ms_ * gap / kForget);
        }
        earned_ = true;
        progress_ms_ = taken_ms_ = now_ms;
        state_ = State::earning;
        if (before == State::given_up) plan_check(limits, now_ms, 0);
        return before;
    }
    /// True when the peer has taken bytes since the last look. `in_transit`: what its transport holds.
    bool look(uint64_t in_transit) {
        const int64_t position = written_ - static_cast<int64_t>(in_transit);
        if (position <= seen_) return false;
        seen_ = position;
        return true;
    }
    /// It has shown a pace and does not keep it.
    bool overdue(const Limits& limits, int64_t now_ms) const {
        return state_ == State::earning && now_ms - progress_ms_ >= expected_ms(limits);
    }
    void turn_idle(int64_t now_ms, bool known = false) {
        state_ = State::idle;
        known_ = known;
        idle_ms_ = now_ms;
    }
    bool out_of_patience(const Limits& limits, int64_t now_ms) const {
        return state_ == State::idle && now_ms - idle_ms_ >= wait_ms(limits);
    }
    void give_up() { state_ = State::given_up; }

    /// When to look at it again: often while somebody waits, ever more rarely when not. `crowd`: how many others of this
    /// shard are looked at.
    void plan_check(const Limits& limits, int64_t now_ms, size_t crowd) {
        const int64_t least = least_ms(limits) * static_cast<int64_t>(1 + crowd / 64);
        switch (state_) {
            case State::relieved: check_ms_ = INT64_MAX; return;
            case State::earning:
                check_every_ms_ = std::clamp<int64_t>(pace_ms_ / 2, least, std::max<int64_t>(least, 500));
                check_ms_ = now_ms + check_every_ms_;
                return;
            case State::idle:
                check_every_ms_ = least;
                check_ms_ = std::max(now_ms + 1, std::min(now_ms + least, idle_ms_ + wait_ms(limits)));
                return;
            case State::given_up:
                check_every_ms_ = std::max(least, std::min<int64_t>(check_every_ms_ * 2, 1000));
                check_ms_ = now_ms + check_every_ms_;
        }
    }

    std::unordered_set<uint64_t> waiters;  ///< keys of publishers that were asked to wait, see key_of(Source)
    uint64_t last_asked = 0;               ///< of these

private:
    /// A pace that is not met again is forgotten in about this many milliseconds.
    static constexpr int64_t kForget = 8192;

    static int64_t patience_ms(const Limits& limits) {
        return std::min(limits.patience_ms, limits.stuck_timeout_ms);
    }
    static int64_t least_ms(const Limits& limits) { return std::max<int64_t>(1, patience_ms(limits) / 4); }
    int64_t wait_ms(const Limits& limits) const { return known_ ? least_ms(limits) : patience_ms(limits); }
    /// It is trusted to keep its pace for as long as it has kept it until now.
    int64_t expected_ms(const Limits& limits) const {
        const int64_t earned = std::min(2 * pace_ms_, progress_ms_ - since_ms_);
        return std::clamp<int64_t>(earned, least_ms(limits),
                                   std::max<int64_t>(least_ms(limits), limits.stuck_timeout_ms));
    }

    State state_ = State::relieved;
    bool known_ = false;
    bool earned_ = false;      ///< has made progress while it was full
    int64_t since_ms_ = 0;     ///< full, or slow, since then
    int64_t progress_ms_ = 0;  ///< last time it made any
    int64_t taken_ms_ = 0;     ///< last time it took or acknowledged anything
    int64_t idle_ms_ = 0;      ///< when it became idle
    int64_t pace_ms_ = 0;      ///< longest time between two signs of progress, of late
    int64_t check_ms_ = INT64_MAX;
    int64_t check_every_ms_ = 0;
    int64_t written_ = 0;  ///< bytes the transport took since it is full
    int64_t seen_ = 0;     ///< of these, with the peer when looked at last
};

}  // namespace comqtt::broker
