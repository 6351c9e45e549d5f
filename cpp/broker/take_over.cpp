// A client id that connects again. What arrived on its present connection before comes first: a DISCONNECT,
// which leaves no will, a PUBLISH, a SUBSCRIBE. So the CONNECT waits while that connection's transport is read
// empty, paused or not, and the verdict it waits for is awaited; both have bounds (limits.takeover-*). It is a
// matter of the same round when there is no verdict to wait for, less than kTakeOverPiece to read, and not for
// very many receivers. Several CONNECTs of one client id take over one after the other, in the order they came
// in.
//
// This happens at the end of the round, not inside the handling of CONNECT: reading another connection there would
// overwrite the read buffer that the CONNECT stands in, and could end the session under its feet.

#include <algorithm>

#include "broker/shard.hpp"

namespace comqtt::broker {

namespace {

constexpr CloseCause kTakenOver{.reason = Reason::session_taken_over,
                                .text = "the client id connected again",
                                .statement = "MQTT-3.1.4-3"};
constexpr size_t kTakeOverPiece = 262'144;  ///< bytes of one connection in one round, as with any other

std::pair<std::string_view, uint64_t> connect_key(const Connection& c) {
    return {c.client->id, c.opening->order};
}

}  // namespace

/// A CONNECT is not finished within its call: it waits for a verdict, for the client's AUTH, or to take over.
void Shard::note_waiting_connect(Connection& c) {
    c.waits_to_connect = true;
    connects_.all.emplace(connect_key(c), &c);
}

/// It is finished, or its connection ends.
void Shard::forget_waiting_connect(Connection& c) {
    if (std::exchange(c.waits_to_connect, false)) connects_.all.erase(connect_key(c));
    if (!connects_.takers.empty() && c.client && c.opening && connects_.takers.erase(connect_key(c)))
        note_taker(c);
}

/// `c` is established. CONNECTs of its client id that came before it and still wait must not overtake it.
void Shard::end_earlier_connects(const Connection& c) {
    const std::string_view id = c.client->id;
    for (;;) {
        const auto at = connects_.all.lower_bound(std::pair(id, uint64_t{0}));
        if (at == connects_.all.end() || at->first.first != id || at->first.second >= c.opening->order)
            return;
        close(*at->second, kTakenOver);  // removes it
    }
}

/// The session that `c` asks for has a connection. Goes on in run_take_overs().
void Shard::wait_for_old_connection(Connection& c, Ref<PacketBox> box) {
    Suspension state;
    state.step = Step::take_over;
    state.box = std::move(box);
    state.bytes_left = here_.core().config.limits.takeover_bytes;
    c.suspension = std::make_unique<Suspension>(std::move(state));
    c.last_received_ms = here_.now_ms();
    connects_.takers.emplace(connect_key(c), &c);
    pause(c);
    schedule(c, deadline_of(c));
    note_taker(c);
}

/// Whose turn it is to take over the session of this client id; null when nobody waits.
Connection* Shard::first_taker(const Connection& c) const {
    if (connects_.takers.empty() || !c.client) return nullptr;
    const std::string_view id = c.client->id;
    const auto at = connects_.takers.lower_bound(std::pair(id, uint64_t{0}));
    return at != connects_.takers.end() && at->first.first == id ? at->second : nullptr;
}

/// Something happened to a connection that may be waited for: its verdict came, it was established, it ended.
void Shard::note_taker(const Connection& c) {
    if (const Connection* taker = first_taker(c)) ready_takers_.push_back(taker->handle);
}

void Shard::run_take_overs() {
    share_.renew();
    for (const uint64_t handle : std::exchange(ready_takers_, {})) {
        if (share_.used_up()) {
            ready_takers_.push_back(handle);
            continue;
        }
        Connection* c = clients_.connection(handle);
        if (c && first_taker(*c) == c) take_over(*c);
    }
}

/// False when the old connection has more to say, or waits for a verdict, and there is time for it.
bool Shard::hear_out(Connection& c, Connection& old) {
    if (here_.now_ms() >= c.last_received_ms + here_.core().config.limits.takeover_timeout_ms) return true;
    struct LastWords {
        explicit LastWords(Connection& connection) : c(connection) { c.last_words = true; }
        ~LastWords() { c.last_words = false; }
        Connection& c;
    } const last_words(old);
    const bool waited_for_store = std::exchange(old.waits_for_store, false);
    const bool waited_turn = std::exchange(old.waits_turn, false);
    if (std::exchange(old.input_waits, false) && !old.suspension) continue_input(old, {});
    if (waited_for_store) resume(old);
    if (waited_turn) resume(old);
    for (size_t piece = kTakeOverPiece; !old.suspension;) {
        if (old.waits_turn) {
            ready_takers_.push_back(c.handle);
            return false;
        }
        const uint64_t limit = std::min<uint64_t>(piece, c.suspension->bytes_left);
        if (!limit && !c.suspension->bytes_left) return true;
        if (!limit) {
            ready_takers_.push_back(c.handle);
            return false;
        }
        const Arrived arrived = old.link ? old.link->read_arrived(limit) : Arrived{0, true};
        if (arrived.end && old.state == Connection::State::established)
            close(old, {.reason = Reason::unspecified_error,
                        .text = "the client closed the connection",
                        .by_client = true,
                        .tell_client = false});
        if (!arrived.bytes || old.state != Connection::State::established) return true;
        if (c.state == Connection::State::closing) return true;  // a hook ended it
        piece -= arrived.bytes;
        c.suspension->bytes_left -= arrived.bytes;
    }
    return false;
}

/// Ends the connection that has the session, when it may end, and goes on with the CONNECT of `c`.
void Shard::take_over(Connection& c) {
    const auto known = here_.core().registry.find(c.client->id);
    const Session* s = known ? clients_.session(known->session) : nullptr;
    if (Connection* old = s ? s->connection : nullptr) {
        if (!hear_out(c, *old)) return;
        if (c.state == Connection::State::closing) return;
        if (old->state == Connection::State::established) {
            here_.metrics().takeovers.add();
            close(*old, kTakenOver);
        }
    }
    connects_.takers.erase(connect_key(c));
    Ref<PacketBox> box = std::move(c.suspension->box);
    c.suspension.reset();
    c.last_received_ms = here_.now_ms();
    establish(c, std::move(box), Progress::announced);
    continue_input(c, {});
    resume(c);
    if (c.state != Connection::State::closing) schedule(c, deadline_of(c));
    note_taker(c);
}

}  // namespace comqtt::broker
