// Back-pressure: a receiver above its high mark makes the publishers that feed it wait (they are not read) until
// it is below its low mark. A receiver that stays full too long is no longer waited for, then disconnected.

#include <algorithm>

#include "broker/shard.hpp"

namespace comqtt::broker {

bool Shard::over_high_mark(const Connection& c) const {
    const Limits& limits = core_.config.limits;
    if (c.out.bytes() > limits.high_mark_bytes) return true;
    // Its queue shrinks by acknowledgements only: one that is itself not read is not waited for.
    if (c.paused_by || !c.session || !c.session->flow) return false;
    const session::Flow& flow = *c.session->flow;
    return flow.queue.bytes() > limits.high_mark_bytes ||
           flow.queue.size() > core_.config.capabilities.maximum_client_writes_pending / 2;
}

bool Shard::below_low_mark(const Connection& c) const {
    const Limits& limits = core_.config.limits;
    if (c.out.bytes() > limits.high_mark_bytes / 2) return false;
    // What it cannot acknowledge while it is not read is not waited for, or two could wait for each other.
    if (c.paused_by || !c.session || !c.session->flow) return true;
    const session::Flow& flow = *c.session->flow;
    return flow.queue.bytes() <= limits.high_mark_bytes / 2 &&
           flow.queue.size() <= core_.config.capabilities.maximum_client_writes_pending / 4;
}

void Shard::check_congestion(Connection& c, Source source) {
    if (!over_high_mark(c)) return;
    if (!c.congestion) {
        c.congestion = std::make_unique<Congestion>();
        c.congestion->since_ms = c.congestion->progress_ms = now_ms_;
        schedule(c, deadline_of(c));
    }
    if (core_.config.backpressure == BackpressurePolicy::wait && !c.congestion->given_up && source.connection)
        pause_source(source, c);
}

/// Answers are output too: who does not take them is not read, under any policy.
void Shard::check_own_output(Connection& c) {
    if (c.unread_answers || c.out.bytes() <= core_.config.limits.high_mark_bytes) return;
    c.unread_answers = true;
    check_congestion(c, {});
    metrics_.backpressure_pauses.add();
    pause(c);
}

void Shard::pause_source(Source source, Connection& receiver) {
    auto& waiters = receiver.congestion->waiters;
    const auto same = [&](const Source& other) {
        return other.connection == source.connection && other.shard == source.shard;
    };
    if (source.shard == number_) {
        Connection* publisher = connections_.find(source.connection);
        if (!publisher || publisher->state == Connection::State::closing) return;
        if (publisher->paused_by && publisher->last_waited_on == receiver.handle) return;
        if (std::any_of(waiters.begin(), waiters.end(), same)) return;
        publisher->last_waited_on = receiver.handle;
        waiters.push_back(source);
        metrics_.backpressure_pauses.add();
        pause(*publisher);
        return;
    }
    if (!waiters.empty() && same(waiters.back())) return;
    if (std::any_of(waiters.begin(), waiters.end(), same)) return;
    waiters.push_back(source);
    metrics_.backpressure_pauses.add();
    post(source.shard, [handle = source.connection](Shard& shard) {
        if (Connection* publisher = shard.connections_.find(handle)) shard.pause(*publisher);
    });
}

void Shard::resume_source(Source source) {
    if (source.shard != number_) {
        post(source.shard, [handle = source.connection](Shard& shard) {
            if (Connection* publisher = shard.connections_.find(handle)) shard.resume(*publisher);
        });
        return;
    }
    if (Connection* publisher = connections_.find(source.connection)) resume(*publisher);
}

void Shard::pause(Connection& c) {
    if (c.paused_by++ == 0 && c.link && !c.finishing) c.link->pause_reading();
    if (c.congestion && c.out.bytes() <= core_.config.limits.high_mark_bytes) release_waiters(c);
}

void Shard::resume(Connection& c) {
    if (c.half_closed) half_closed_.push_back(c.handle);  // perhaps what it waited for has come
    if (c.paused_by == 0 || --c.paused_by) return;
    c.last_waited_on = 0;
    if (c.link && !c.finishing) c.link->resume_reading();
}

void Shard::release_waiters(Connection& c) {
    if (!c.congestion) return;
    const std::vector<Source> waiters = std::move(c.congestion->waiters);
    c.congestion->waiters.clear();
    for (const Source& source : waiters) resume_source(source);
}

void Shard::relieve(Connection& c) {
    if (c.unread_answers && c.out.bytes() <= core_.config.limits.high_mark_bytes / 2) {
        c.unread_answers = false;
        resume(c);
    }
    if (!c.congestion || !below_low_mark(c)) return;
    release_waiters(c);
    c.congestion.reset();
}

}  // namespace comqtt::broker
