// Rounds end: what waited for the stores goes out, or is refused.

#include "broker/rounds.hpp"

#include <iterator>

#include "broker/shard.hpp"

namespace comqtt::broker {

Round& Rounds::close(int64_t now_ms) {
    Round& round = open();
    round.closed = true;
    round.since_ms = now_ms;
    round.footprint = footprint_;
    if (!changes_.empty()) {
        const size_t usual = changes_.size();
        round.changes = std::make_shared<hooks::Changes::List>(std::move(changes_));
        changes_ = hooks::Changes::List();
        changes_.reserve(std::min<size_t>(usual, 1024));
    }
    uncommitted_ += footprint_;
    footprint_ = 0;
    ++open_number_;
    return round;
}

void Rounds::take_changes(Rounds& other) {
    std::move(other.changes_.begin(), other.changes_.end(), std::back_inserter(changes_));
    other.changes_.clear();
    footprint_ += std::exchange(other.footprint_, 0);
}

Round* Rounds::find(uint64_t number) {
    if (rounds_.empty() || number < rounds_.front().number) return nullptr;
    const uint64_t offset = number - rounds_.front().number;
    // Rounds are numbered without gaps from the first one on.
    return offset < rounds_.size() ? &rounds_[offset] : nullptr;
}

Round Rounds::take_ended() {
    Round round = std::move(rounds_.front());
    rounds_.pop_front();
    uncommitted_ -= round.footprint;
    return round;
}

bool Rounds::take_held(uint64_t round, Held& out) {
    if (held_.empty() || held_.front().round != round) return false;
    out = std::move(held_.front());
    held_.pop_front();
    return true;
}

/// Hands the changes of this round to the stores. What waits for it goes out when all have answered.
void Shard::close_round() {
    if (!rounds_.something_open()) return;
    Round& round = rounds_.close(here_.now_ms());
    if (round.changes) {
        here_.metrics().store_rounds.add();
        here_.metrics().store_changes.add(round.changes->size());
        here_.core().uncommitted_bytes.fetch_add(round.footprint, std::memory_order_relaxed);
        here_.each(EventId::store_changes, [&](hooks::Hook& hook) {
            const auto changes = Ref<hooks::Changes>::adopt(
                new hooks::Changes(round.changes, round.footprint, here_.number(),
                                   [mailbox = here_.core().mailboxes[here_.number()], number = round.number](
                                       Status status, const std::string& text, bool reported) {
                                       mailbox->post([number, status, text, reported](Shard& shard) {
                                           reported ? shard.store_failing(status, text)
                                                    : shard.store_answered(number, status, text);
                                       });
                                   }));
            hooks::Event event(EventId::store_changes, here_.wall_ms());
            ++round.stores;
            Status status = hook.store_changes(event, *changes);
            if (event.failed()) {
                here_.core().hooks.report_failure(event, hook);
                status = Status::callback;
            }
            if (status == Status::ok && changes->dismiss()) {
                --round.stores;
                here_.core().store_health.report(Status::ok, {});
            } else if (status != Status::pending) {
                changes->complete(status, event.failed() ? event.failure() : "the store refused it");
            }
        });
    }
    confirm(round);
    finish_rounds();
}

void Shard::store_answered(uint64_t number, Status status, const std::string& text) {
    Round* round = rounds_.find(number);
    if (!round) return;
    --round->stores;
    if (status == Status::ok) {
        if (here_.core().store_health.report(Status::ok, {}))
            here_.core().log.write(LogLevel::info, "broker", "the store commits again");
    } else if (round->status == Status::ok) {
        round->status = status;
        round->text = text;
        handover_logs_.assign(handover_logs_.size(), {});  // whether they are stored is not known any more
        here_.metrics().store_failures.add();
        here_.core().log.write(LogLevel::error, "broker", "a batch of {} changes was not stored: {}",
                               round->changes ? round->changes->size() : 0, text);
    }
    confirm(*round);
    finish_rounds();
}

void Shard::store_failing(Status status, const std::string& text) {
    here_.metrics().store_failures.add();
    if (here_.core().store_health.report(status, text))
        here_.core().log.write(LogLevel::error, "broker",
                               "the store cannot commit: {}; QoS 1 and 2 messages are refused until it can",
                               text);
}

/// Another shard has stored what we handed to it, or could not.
void Shard::round_confirmed(uint64_t number, Status status, const std::string& text) {
    Round* round = rounds_.find(number);
    if (!round) return;
    --round->shards;
    if (status != Status::ok && round->status == Status::ok) {
        round->status = status;
        round->text = text;
    }
    confirm(*round);
    finish_rounds();
}

/// Tells the shards that wait for what became of their batches in this round.
void Shard::confirm(Round& round) {
    if (!round.closed || round.stores) return;
    const auto tell = [&](std::vector<Confirmation>& confirmations) {
        for (const Confirmation& wanted : std::exchange(confirmations, {}))
            post(wanted.shard, [number = wanted.round, status = round.status, text = round.text](
                                   Shard& shard) { shard.round_confirmed(number, status, text); });
    };
    tell(round.confirmations);
    if (!round.shards) tell(round.passed_on);
}

void Shard::finish_rounds() {
    while (rounds_.ended()) {
        const Round round = rounds_.take_ended();
        here_.core().uncommitted_bytes.fetch_sub(round.footprint);
        Held held;
        while (rounds_.take_held(round.number, held)) release_held(held, round);
    }
    here_.metrics().acks_held.set(rounds_.held_count());
    uncommitted_since_ms_.store(rounds_.oldest_ms(), std::memory_order_relaxed);
    resume_store_waiters();
    wake_store_waiters();
}

/// Connections that were not read for the stores' sake go on when half of what may wait for them does.
void Shard::resume_store_waiters() {
    if (store_waiters_.empty()) return;
    const Limits& limits = here_.core().config.limits;
    const uint64_t shards = here_.core().mailboxes.size();
    if (rounds_.uncommitted() <= limits.uncommitted_bytes / shards / 2 &&
        here_.core().uncommitted_bytes.load() <= limits.uncommitted_bytes / 2 &&
        rounds_.held_count() <= limits.held_acks / shards / 2) {
        for (const uint64_t handle : std::exchange(store_waiters_, {})) {
            Connection* c = clients_.connection(handle);
            if (!c || !c->waits_for_store) continue;
            // Those before it may have filled it up again.
            if (c->held > limits.client_held_acks / 2 || store_backlog()) {
                store_waiters_.push_back(handle);
                continue;
            }
            if (c->input_waits) {
                // Not here: what it sent makes changes of a round, and this one may be closed already.
                post(here_.number(), [handle](Shard& shard) { shard.continue_store_waiter(handle); });
                continue;
            }
            c->waits_for_store = false;
            resume(*c);
        }
    }
    if (!store_waiters_.empty()) here_.core().store_waiters.fetch_or(uint64_t{1} << here_.number());
}

/// Its packets that came before it was held up are handled now.
void Shard::continue_store_waiter(uint64_t handle) {
    Connection* c = clients_.connection(handle);
    if (!c || !c->waits_for_store) return;
    c->waits_for_store = c->input_waits = false;
    c->last_received_ms = here_.now_ms();
    continue_input(*c, {});
    if (c->state == Connection::State::established) check_own_output(*c);
    resume(*c);
}

/// Those of other shards: what they wait for may have been ours.
void Shard::wake_store_waiters() {
    const uint64_t own = uint64_t{1} << here_.number();
    if (!(here_.core().store_waiters.load() & ~own)) return;
    if (here_.core().uncommitted_bytes.load() > here_.core().config.limits.uncommitted_bytes / 2) return;
    for (uint64_t shards = here_.core().store_waiters.fetch_and(own) & ~own; shards; shards &= shards - 1)
        post(static_cast<unsigned>(__builtin_ctzll(shards)),
             [](Shard& shard) { shard.resume_store_waiters(); });
}

/// As much waits for the stores as may, here or, of what was handed over, elsewhere.
bool Shard::store_backlog() const {
    const Limits& limits = here_.core().config.limits;
    const uint64_t shards = here_.core().mailboxes.size();
    return rounds_.uncommitted() + rounds_.footprint() > limits.uncommitted_bytes / shards ||
           here_.core().uncommitted_bytes.load(std::memory_order_relaxed) > limits.uncommitted_bytes ||
           rounds_.held_count() > limits.held_acks / shards;
}

/// The same, and the stores have not committed anything for a while: there is no point in waiting for room.
bool Shard::store_stuck() const {
    return store_backlog() &&
           (here_.core().store_health.failing() ||
            rounds_.oldest_ms() < here_.now_ms() - int64_t{here_.core().config.limits.slow_store_ms});
}

/// After each packet that left something for the stores, or waits for them.
void Shard::check_store_backlog(Connection& c) {
    if (store_backlog()) wait_for_store(c);
}

/// This client is not read, and what it has sent already is not looked at, until less waits for the stores.
void Shard::wait_for_store(Connection& c) {
    if (c.waits_for_store || c.last_words || c.state != Connection::State::established) return;
    c.waits_for_store = true;
    here_.metrics().backpressure_pauses.add();
    store_waiters_.push_back(c.handle);
    pause(c);
    // Others see the bit, or there is less by the time the task runs: each looks at what the other one writes first.
    here_.core().store_waiters.fetch_or(uint64_t{1} << here_.number());
    post(here_.number(), [](Shard& shard) { shard.resume_store_waiters(); });
}

/// What waits is bounded here, whatever it answers: each packet of a client that is held up costs memory.
void Shard::hold(Connection& c, Held held) {
    held.connection = c.handle;
    ++c.held;
    c.held_pubacks += held.type == mqtt::PacketType::puback;
    c.corked += held.kind == Held::Kind::uncork;
    rounds_.hold(std::move(held));
    if (c.held >= here_.core().config.limits.client_held_acks || store_backlog()) wait_for_store(c);
}

void Shard::hold_flow(Connection& c, Session& s, Held::Kind kind, mqtt::PacketId id) {
    Held held;
    held.kind = kind;
    held.id = id;
    held.session = s.id.value;
    hold(c, std::move(held));
}

/// Everything from here on goes out when the round has ended.
void Shard::cork(Connection& c) {
    Held held;
    held.kind = Held::Kind::uncork;
    hold(c, std::move(held));
}

void Shard::release_held(Held& held, const Round& round) {
    Connection* c = held.connection ? clients_.connection(held.connection) : nullptr;
    if (c) {
        --c->held;
        c->held_pubacks -= held.type == mqtt::PacketType::puback;
        c->corked -= held.kind == Held::Kind::uncork;
        if (c->state == Connection::State::closing && held.kind != Held::Kind::uncork) c = nullptr;
    }
    const bool failed = round.status != Status::ok;
    switch (held.kind) {
        case Held::Kind::ack:
        case Held::Kind::packet:
            if (c && failed) {
                refuse_held(*c, held, round);
            } else if (c && held.packet) {
                send_packet(*c, std::move(*held.packet));
            } else if (c) {
                send_ack(*c, held.type, held.id, held.reason);
            }
            return;
        case Held::Kind::uncork:
            if (c && failed && c->state != Connection::State::closing) {
                c->out.clear(chunks_);
                refuse_unstored(*c, round);
            }
            if (c) touch_output(*c);
            return;
        case Held::Kind::publish:
        case Held::Kind::pubrel: release_flow(c, held); return;
    }
}

/// The message, or PUBREL, that is stored now.
void Shard::release_flow(Connection* c, const Held& held) {
    Session* s = clients_.session(held.session);
    if (s && s->flow && held.kind == Held::Kind::publish) --s->flow->held_publishes;
    session::Inflight::Entry* entry = s && s->flow ? s->flow->inflight.find(held.id) : nullptr;
    if (!entry || !entry->held) return;
    entry->held = false;
    if (!c || c->session != s) {
        // It has reconnected meanwhile: what it was not sent is sent in turn.
        if (s->connection && s->connection->state == Connection::State::established) pump(*s->connection, *s);
        return;
    }
    if (entry->state == session::Inflight::State::released) {
        send_ack(*c, mqtt::PacketType::pubrel, held.id, Reason::success);
        return;
    }
    session::Delivery delivery = entry->delivery;
    if (delivery.message->due_ms() <= here_.now_ms()) {
        drop_inflight(*s, delivery, held.id);
        finish_flow(*s, held.id);
        pump(*c, *s);
        return;
    }
    if (!s->flow->resend.empty() || c->out.bytes() > here_.core().config.limits.high_mark_bytes) {
        // As much as the client may be given at once: the rest goes out in turn as it takes that.
        s->flow->resend.push_back(held.id);
        touch_output(*c);
        return;
    }
    entry->delivery.sent = true;
    Publication p = Publication::of(delivery.message);
    if (send_delivery(*c, *s, std::move(delivery), held.id, p)) return;
    finish_flow(*s, held.id);
    pump(*c, *s);
}

void Shard::refuse_held(Connection& c, Held& held, const Round& round) {
    const Reason reason =
        round.status == Status::queue_full ? Reason::quota_exceeded : Reason::implementation_specific_error;
    using mqtt::PacketType;
    const bool v5 = c.version == mqtt::Version::v5;
    const PacketType type = held.packet ? held.packet->type : held.type;
    if (v5 && (type == PacketType::puback || type == PacketType::pubrec)) {
        const mqtt::PacketId id = held.packet ? held.packet->packet_id : held.id;
        Session* s = c.session;
        if (type == PacketType::pubrec && s && s->flow && s->flow->received.remove(id)) {
            s->flow->unreleased -= s->flow->unreleased != 0;
            if (s->stored) record(hooks::Change::Kind::received_removed, s).packet_id = id;
        }
        send_ack(c, type, id, reason, round.text);
        return;
    }
    refuse_unstored(c, round);
}

/// MQTT has no answer that would say so.
void Shard::refuse_unstored(Connection& c, const Round& round) {
    const std::string text = "not stored: " + round.text;
    close(c, {.reason = Reason::implementation_specific_error, .text = text.c_str()});
}

}  // namespace comqtt::broker
