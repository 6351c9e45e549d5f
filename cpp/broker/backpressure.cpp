// Back-pressure, the receiver's side. A receiver above its high mark is full: the publishers that feed it are asked to
// wait until it is below its low mark. It is waited for while it makes progress: takes bytes when its output is what is
// full, acknowledges when its queue is. One that makes none is waited for once, briefly, and then given up until it does.
// What the publishers make of it is in waiting.cpp.

#include <algorithm>

#include "broker/shard.hpp"

namespace comqtt::broker {

bool Shard::over_high_mark(const Connection& c) const {
    const Limits& limits = here_.core().config.limits;
    if (c.out.bytes() > limits.high_mark_bytes) return true;
    // Its queue shrinks by acknowledgements only: one that is itself not read is not waited for. On disk it may be longer.
    if (c.paused_by || !c.session || !c.session->flow) return false;
    return c.session->flow->queue.bytes() > limits.high_mark_bytes ||
           queue_bytes(*c.session) > limits.client_queued_bytes / 2 ||
           queue_length(*c.session) > here_.core().config.capabilities.maximum_client_writes_pending / 2;
}

bool Shard::below_low_mark(const Connection& c) const {
    const Limits& limits = here_.core().config.limits;
    if (c.out.bytes() > limits.high_mark_bytes / 2) return false;
    // What it cannot acknowledge while it is not read is not waited for, or two could wait for each other.
    if (c.paused_by || !c.session || !c.session->flow) return true;
    return c.session->flow->queue.bytes() <= limits.high_mark_bytes / 2 &&
           queue_bytes(*c.session) <= limits.client_queued_bytes / 4 &&
           queue_length(*c.session) <= here_.core().config.capabilities.maximum_client_writes_pending / 4;
}

/// What the output of a full receiver may hold while nobody waits for it: several high marks as long as few are full, so
/// that one which reads in large, rare steps need not lose anything.
uint64_t Shard::slack_mark() const {
    const Limits& limits = here_.core().config.limits;
    const uint64_t full = std::max<uint64_t>(1, here_.core().congested.load(std::memory_order_relaxed));
    const uint64_t most = std::min(limits.client_queued_bytes / 4, limits.high_mark_bytes * 16);
    return std::max(limits.high_mark_bytes, std::min(limits.queued_bytes / 8 / full, most));
}

bool Shard::over_slack(const Connection& c) const {
    return c.out.bytes() > here_.core().config.limits.high_mark_bytes && c.out.bytes() > slack_mark();
}

void Shard::check_congestion(Connection& c, Source source) {
    if (!over_high_mark(c)) return;
    if (!c.congested()) {
        flush(c);  // what this round has written may not have been offered to it yet
        if (!over_high_mark(c)) return;
        begin_congestion(c);
    }
    Congestion& full = *c.congestion;
    if (here_.core().config.backpressure != BackpressurePolicy::wait || !source.connection || c.given_up())
        return;
    const uint64_t publisher = key_of(source);
    if (full.last_asked == publisher) return;
    full.last_asked = publisher;
    if (full.waiters.size() > here_.core().connections.load(std::memory_order_relaxed))
        release_waiters(c);  // some have closed long since
    if (full.waiters.insert(publisher).second) ask_to_wait(publisher, c);
}

void Shard::begin_congestion(Connection& c) {
    if (!c.congestion) c.congestion = std::make_unique<Congestion>();
    Congestion& full = *c.congestion;
    full.begin(here_.core().config.limits, here_.now_ms(), c.link ? c.link->in_transit() : 0,
               c.client && here_.core().idle_receivers.knows(*c.client, here_.now_ms()));
    ++congested_;
    here_.core().congested.fetch_add(1, std::memory_order_relaxed);
    schedule(c, deadline_of(c));
}

void Shard::end_congestion(Connection& c) {
    if (!c.congested()) return;
    release_waiters(c);
    c.congestion->end();
    --congested_;
    here_.core().congested.fetch_sub(1, std::memory_order_relaxed);
}

/// The transport took bytes. They are progress when the output is what is full, and not, say, the answer to a PINGREQ.
void Shard::note_taken(Connection& c, size_t bytes) {
    c.congestion->note_taken(bytes, here_.now_ms());
    if (c.out.bytes() + bytes > here_.core().config.limits.high_mark_bytes / 2) note_progress(c);
}

void Shard::note_acknowledged(Connection& c) {
    if (!c.congested()) return;
    c.congestion->note_taken(0, here_.now_ms());
    if (c.out.bytes() <= here_.core().config.limits.high_mark_bytes) note_progress(c);
}

void Shard::note_progress(Connection& c) {
    const Congestion::State before = c.congestion->note_progress(here_.core().config.limits, here_.now_ms());
    if (before == Congestion::State::earning) return;
    schedule(c, deadline_of(c));
    ask_waiters(c);
}

/// Looks whether a full receiver has made progress that nobody was told of, and what follows when it has not.
void Shard::check_receiver(Connection& c) {
    const Limits& limits = here_.core().config.limits;
    Congestion& full = *c.congestion;
    if (full.check_ms() > here_.now_ms()) return;
    // The transport accepts more only when a good part of its buffer is free: the peer has taken some before that.
    if (c.out.bytes() > limits.high_mark_bytes / 2 && c.link && full.look(c.link->in_transit()))
        note_progress(c);
    if (full.overdue(limits, here_.now_ms())) {
        full.turn_idle(here_.now_ms(),
                       c.client && here_.core().idle_receivers.knows(*c.client, here_.now_ms()));
        ask_waiters(c);
    } else if (full.out_of_patience(limits, here_.now_ms())) {
        give_up(c);
    }
    if (c.congested()) full.plan_check(limits, here_.now_ms(), congested_);
}

void Shard::give_up(Connection& c) {
    const Limits& limits = here_.core().config.limits;
    c.congestion->give_up();
    here_.metrics().stuck_consumers.add();
    if (c.client)
        here_.core().idle_receivers.note(*c.client, here_.now_ms(), limits.idle_memory_ms,
                                         limits.idle_receivers);
    uint64_t suppressed = 0;
    if (c.client && here_.core().log.enabled(LogLevel::warn) &&
        limited_.idle.allow(here_.now_ms(), suppressed))
        here_.core().log.write(
            LogLevel::warn, "broker",
            "{} ({}): {} bytes wait and it takes nothing, publishers no longer wait for it{}",
            c.client->remote, c.client->id, c.out.bytes() + (c.session ? queue_bytes(*c.session) : 0),
            lines_held_back(suppressed));
    release_waiters(c);
}

/// Answers are output too: who does not take them is not read, under any policy. What it is sent besides has bounds of its
/// own: its acknowledgements are read meanwhile, for it may take nothing before it could send them.
void Shard::check_own_output(Connection& c) {
    const uint64_t mark = here_.core().config.limits.high_mark_bytes;
    if (c.unread_answers || c.answers <= mark || c.out.bytes() <= mark) return;
    c.unread_answers = true;
    check_congestion(c, {});
    here_.metrics().backpressure_pauses.add();
    pause(c);
}

void Shard::ask_to_wait(uint64_t publisher, Connection& receiver) {
    const Congestion& full = *receiver.congestion;
    const uint64_t key = key_of({receiver.handle, here_.number()});
    const bool idle = full.state() == Congestion::State::idle;
    // What it may be sent all the same, now and then: shared so that all who wait do not exceed it together.
    const uint64_t mark = slack_mark(), used = receiver.out.bytes(), others = full.waiters.size() - 1;
    const uint64_t room = mark > used ? (mark - used) / (others * others + 1) : 0;
    const auto tell = [handle = source_of(publisher).connection, key, idle, room](Shard& shard) {
        if (Connection* c = shard.clients_.connection(handle)) shard.begin_waiting(*c, key, idle, room);
    };
    const unsigned shard = source_of(publisher).shard;
    shard == here_.number() ? tell(*this) : post_notice(shard, tell);
}

/// Asks all of them again: the receiver has begun to make progress, or has stopped.
void Shard::ask_waiters(Connection& receiver) {
    const std::unordered_set<uint64_t> waiters = receiver.congestion->waiters;
    for (const uint64_t publisher : waiters)
        if (receiver.congestion->waiters.count(publisher)) ask_to_wait(publisher, receiver);
}

void Shard::release_waiters(Connection& receiver) {
    if (!receiver.congestion) return;
    const std::unordered_set<uint64_t> waiters = std::exchange(receiver.congestion->waiters, {});
    receiver.congestion->last_asked = 0;
    const uint64_t key = key_of({receiver.handle, here_.number()});
    for (const uint64_t publisher : waiters) {
        const auto tell = [handle = source_of(publisher).connection, key](Shard& shard) {
            if (Connection* c = shard.clients_.connection(handle)) shard.stop_waiting(*c, key);
        };
        const unsigned shard = source_of(publisher).shard;
        shard == here_.number() ? tell(*this) : post_notice(shard, tell);
    }
}

void Shard::relieve(Connection& c) {
    if (c.unread_answers && c.out.bytes() <= here_.core().config.limits.high_mark_bytes / 2) {
        c.unread_answers = false;
        resume(c);
    }
    if (c.congested() && below_low_mark(c)) end_congestion(c);
}

}  // namespace comqtt::broker
