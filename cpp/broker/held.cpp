// What waits for the stores: held answers and messages, and clients that are not read meanwhile. Rounds end: what waited
// goes out, or is refused.

#include "broker/shard.hpp"

namespace comqtt::broker {

void Shard::close_round() {
    if (ledger_.close()) finish_rounds();
}

void Shard::store_answered(uint64_t number, Status status, const std::string& text) {
    // Whether the hand-over logs are stored is not known any more when it has failed.
    if (status != Status::ok) handover_logs_.assign(handover_logs_.size(), {});
    ledger_.answered(number, status, text);
    finish_rounds();
}

/// Another shard has stored what we handed to it, or could not.
void Shard::round_confirmed(uint64_t number, Status status, const std::string& text) {
    ledger_.confirmed(number, status, text);
    finish_rounds();
}

void Shard::finish_rounds() {
    Round round;
    while (ledger_.take_ended(round)) {
        Held held;
        while (ledger_.take_held(round.number, held)) release_held(held, round);
    }
    ledger_.settle();
    resume_store_waiters();
    wake_store_waiters();
}

/// Connections that were not read for the stores' sake go on when half of what may wait for them does.
void Shard::resume_store_waiters() {
    if (store_waiters_.empty()) return;
    if (ledger_.half_empty()) {
        for (const uint64_t handle : std::exchange(store_waiters_, {})) {
            Connection* c = clients_.connection(handle);
            if (!c || !c->waits_for_store) continue;
            // Those before it may have filled it up again.
            if (c->held > here_.core().config.limits.client_held_acks / 2 || ledger_.backlog()) {
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
        post_notice(static_cast<unsigned>(__builtin_ctzll(shards)),
                    [](Shard& shard) { shard.resume_store_waiters(); });
}

/// After each packet that left something for the stores, or waits for them.
void Shard::check_store_backlog(Connection& c) {
    if (ledger_.backlog()) wait_for_store(c);
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
    ledger_.hold(std::move(held));
    if (c.held >= here_.core().config.limits.client_held_acks || ledger_.backlog()) wait_for_store(c);
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
                const bool of_filters = held.packet->type == mqtt::PacketType::unsuback;
                if (!send_packet(*c, std::move(*held.packet)) && of_filters) end_for_large_answer(*c);
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
            if (s->stored) ledger_.record(Ledger::Kind::received_removed, s).packet_id = id;
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

/// A flow that is over: acknowledged or given up.
void Shard::finish_flow(Session& s, mqtt::PacketId id) {
    session::Inflight::Entry* entry = s.flow->inflight.find(id);
    if (!entry) return;
    ledger_.forget_message(s, entry->delivery.position);
    end_flow(s, id, *entry);
}

}  // namespace comqtt::broker
