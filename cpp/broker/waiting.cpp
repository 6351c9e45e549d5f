// Back-pressure, the publisher's side: it is not read while it waits for full receivers. For those that take nothing it
// waits only as far as its budget goes. However long it waits, it is read a little now and then, so that a PINGREQ is
// answered in time.

#include <algorithm>

#include "broker/shard.hpp"

namespace comqtt::broker {

namespace {

/// The longest time between two pulses.
constexpr int64_t kLongestPulsePeriodMs = 5000;

/// `keep_alive_ms`: 1.5 times the client's interval. Four times within that interval: what was sent before a PINGREQ may
/// take more than one pulse.
int64_t pulse_period(uint32_t keep_alive_ms) {
    return std::clamp<int64_t>(keep_alive_ms / 6, 1, kLongestPulsePeriodMs);
}

}  // namespace

void Shard::pause(Connection& c) {
    if (c.paused_by++ == 0 && c.link && !c.finishing) c.link->pause_reading();
    if (c.congested() && c.out.bytes() <= here_.core().config.limits.high_mark_bytes) release_waiters(c);
}

void Shard::resume(Connection& c) {
    if (c.half_closed) half_closed_.push_back(c.handle);  // perhaps what it waited for has come
    if (c.paused_by == 0 || --c.paused_by) return;
    // Until now it could not show that it is alive.
    c.last_received_ms = here_.now_ms();
    schedule(c, deadline_of(c));
    if (c.link && !c.finishing) c.link->resume_reading();
}

Waiting& Shard::waiting_of(Connection& c) {
    if (!c.waiting) c.waiting = std::make_unique<Waiting>(here_.core().config.limits, here_.now_ms());
    return *c.waiting;
}

/// `room`: bytes the receiver can take of it although it is full. Asked again, the last answer counts.
void Shard::begin_waiting(Connection& c, uint64_t receiver, bool idle, uint64_t room) {
    if (c.state == Connection::State::closing) return;
    Waiting& waiting = waiting_of(c);
    if (!waiting.add(here_.core().config.limits, receiver, idle, here_.now_ms())) {
        here_.metrics().waits_refused.add();
        go_on_if_free(c);
        return;
    }
    waiting.offer(room);
    if (!waiting.held() && !waiting.in_pulse()) {
        here_.metrics().backpressure_pauses.add();
        hold_back(c);
    } else {
        schedule(c, deadline_of(c));
    }
}

void Shard::stop_waiting(Connection& c, uint64_t receiver) {
    if (c.waiting && c.waiting->remove(here_.core().config.limits, receiver, here_.now_ms()))
        go_on_if_free(c);
}

void Shard::go_on_if_free(Connection& c) {
    if (!c.waiting->empty()) return;
    c.waiting->rest();
    let_read(c);
}

void Shard::hold_back(Connection& c) {
    Waiting& waiting = *c.waiting;
    waiting.set_held(here_.core().config.limits, true, here_.now_ms());
    waiting.pulse_ms = c.keep_alive_ms ? here_.now_ms() + pulse_period(c.keep_alive_ms) : INT64_MAX;
    schedule(c, deadline_of(c));
    pause(c);
}

void Shard::let_read(Connection& c) {
    if (!c.waiting->held()) return;
    c.waiting->set_held(here_.core().config.limits, false, here_.now_ms());
    resume(c);
}

/// Bytes were read although it waits.
void Shard::note_pulse(Connection& c, size_t bytes) {
    if (c.waiting->note_read(bytes)) hold_back(c);
}

void Shard::waiting_due(Connection& c) {
    Waiting& waiting = *c.waiting;
    if (waiting.idle_until_ms() <= here_.now_ms()) {
        waiting.leave_idle(here_.core().config.limits, here_.now_ms());
        here_.metrics().waits_refused.add();
        go_on_if_free(c);
    }
    if (waiting.pulse_ms <= here_.now_ms()) {
        waiting.begin_pulse();
        let_read(c);
    }
}

}  // namespace comqtt::broker
