// What is due when: connections, sessions, verdicts, $SYS, retained messages.

#include <algorithm>

#include "broker/shard.hpp"

namespace comqtt::broker {

namespace {
constexpr size_t kDueAtOnce = 500;  ///< in one round; others are served before the next ones

/// Messages that expire one after the other are looked at together.
constexpr int64_t kLookAgainMs = 20;

}  // namespace

void Shard::schedule(Connection& c, int64_t at_ms) {
    if (at_ms >= c.scheduled_ms) return;
    c.scheduled_ms = at_ms;
    timers_.at(Timers::Kind::connection, c.handle, at_ms);
}

void Shard::schedule(Session& s, int64_t at_ms) {
    if (at_ms >= s.scheduled_ms) return;
    s.scheduled_ms = at_ms;
    timers_.at(Timers::Kind::session, s.id.value, at_ms);
}

int64_t Shard::deadline_of(const Connection& c) const {
    const Limits& limits = here_.core().config.limits;
    int64_t at = INT64_MAX;
    switch (c.state) {
        case Connection::State::closing: return c.since_ms;
        case Connection::State::awaiting_connect: at = c.since_ms + limits.connect_timeout_ms; break;
        case Connection::State::authenticating:
            if (!c.suspension) {
                at = c.last_received_ms + limits.connect_timeout_ms;
            } else if (c.suspension->step == Step::take_over) {
                at = c.last_received_ms + limits.takeover_timeout_ms;
            }
            break;
        case Connection::State::established:
            // A client that is not read cannot show that it is alive.
            if (c.keep_alive_ms && !c.paused_by && !c.suspension) at = c.last_received_ms + c.keep_alive_ms;
            break;
    }
    if (c.congested())
        at = std::min({at, c.congestion->check_ms(), c.congestion->taken_ms() + limits.stuck_disconnect_ms});
    if (c.waiting) at = std::min({at, c.waiting->idle_until_ms(), c.waiting->pulse_ms});
    return at;
}

int64_t Shard::deadline_of(const Session& s) const {
    int64_t at = s.connection ? INT64_MAX : s.expires_ms;
    if (s.will) at = std::min(at, s.will->due_ms);
    if (!s.connection || s.known_room != UINT64_MAX) {
        // Looked at again when a message may have expired: publishers of other threads wait to hear of the room.
        int64_t due = s.flow ? s.flow->queue.next_due_ms() : INT64_MAX;
        if (s.tail) due = std::min(due, s.tail->next_due_ms());
        at = std::min(at, std::max(due, here_.now_ms() + kLookAgainMs));
    }
    return at;
}

void Shard::run_deadlines() {
    share_.renew();
    for (size_t done = 0; done < kDueAtOnce && !share_.used_up() && timers_.due(here_.now_ms()); ++done) {
        const Timers::Due due = timers_.pop();
        switch (due.kind) {
            case Timers::Kind::connection:
                if (Connection* c = clients_.connection(due.ref); c && c->scheduled_ms == due.at_ms) {
                    c->scheduled_ms = INT64_MAX;
                    connection_due(*c);
                }
                break;
            case Timers::Kind::session:
                if (Session* s = clients_.session(due.ref); s && s->scheduled_ms == due.at_ms) {
                    s->scheduled_ms = INT64_MAX;
                    session_due(*s);
                }
                break;
            case Timers::Kind::deferral: deferral_due(due.ref); break;
            case Timers::Kind::load: loads_.due(due.ref); break;
            case Timers::Kind::sys_topics: publish_sys_topics(); break;
            case Timers::Kind::retained:
                if (shelf_.is_due(due.at_ms)) done += expire_retained();
                break;
        }
    }
    overdue_ = timers_.due(here_.now_ms());
}

void Shard::connection_due(Connection& c) {
    const Limits& limits = here_.core().config.limits;
    if (deadline_of(c) > here_.now_ms()) {
        schedule(c, deadline_of(c));
        return;
    }
    if (c.state == Connection::State::closing) {
        if (c.link) c.link->abort();
        if (c.link_lost) forget(c);  // its end could not be finished
        return;
    }
    if (c.congested()) check_receiver(c);
    if (c.congested() && here_.now_ms() >= c.congestion->taken_ms() + limits.stuck_disconnect_ms) {
        close(c, {.reason = Reason::quota_exceeded,
                  .text = "the client took no bytes within limits.stuck-disconnect-ms",
                  .tell_client = false,
                  .level = LogLevel::warn});
        if (c.link) c.link->abort();
        return;
    }
    if (c.waiting) waiting_due(c);
    switch (c.state) {
        case Connection::State::awaiting_connect:
        case Connection::State::authenticating:
            if (c.suspension && c.suspension->step == Step::take_over) {
                ready_takers_.push_back(c.handle);  // the old connection has had its time
                return;
            }
            if (!c.suspension && deadline_of(c) <= here_.now_ms()) {
                here_.metrics().connect_timeouts.add();
                close(c, {.reason = Reason::keep_alive_timeout,
                          .text = "CONNECT did not arrive in time",
                          .tell_client = c.state == Connection::State::authenticating});
                return;
            }
            break;
        case Connection::State::established:
            if (c.keep_alive_ms && !c.paused_by && !c.suspension &&
                here_.now_ms() >= c.last_received_ms + c.keep_alive_ms) {
                here_.metrics().keep_alive_timeouts.add();
                close(c, {.reason = Reason::keep_alive_timeout,
                          .text = "nothing received within 1.5 times the keep alive",
                          .statement = "MQTT-3.1.2-22"});
                return;
            }
            break;
        case Connection::State::closing: return;
    }
    schedule(c, deadline_of(c));
}

void Shard::session_due(Session& s) {
    if (s.will && s.will->due_ms <= here_.now_ms()) {
        const auto will = std::move(s.will);
        begin_will(*will->client, will->box, 0);
        if (s.stored) ledger_.save_session(s);
    }
    if (!s.connection && s.expires_ms <= here_.now_ms()) {
        end_session(s, true);
        return;
    }
    expire_queue(s);
    if (s.tail && s.connection && s.connection->state == Connection::State::established) fetch_page(s);
    schedule(s, deadline_of(s));
}

/// Lets go of all queued messages that have expired. Costs nothing when none has.
void Shard::expire_queue(Session& s) {
    bool any = false;
    if (s.flow && s.flow->queue.next_due_ms() <= here_.now_ms()) {
        session::Delivery delivery;
        while (s.flow->queue.take_expired(here_.now_ms(), delivery)) {
            any = true;
            uncount_queued(1, delivery.message->footprint());
            ledger_.forget_message(s, delivery.position);
            drop_inflight(s, delivery, 0);
        }
    }
    if (s.tail && s.tail->next_due_ms() <= here_.now_ms()) any |= expire_tail(s);
    if (!any) return;
    s.client->queued.store(static_cast<uint32_t>(queue_length(s)), std::memory_order_relaxed);
    note_fullness(s);
}

}  // namespace comqtt::broker
