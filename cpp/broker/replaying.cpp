// Retained messages on their way to new subscribers. A store is read in small pieces, the own shard's directly and
// another's by asking it for many replays at once, one request at a time; a round does a bounded part of what is
// pending, whoever it is for.

#include "broker/packet_parts.hpp"
#include "broker/shard.hpp"
#include "topics/filter.hpp"

namespace comqtt::broker {

namespace {
using Budget = topics::RetainedStore::Budget;

constexpr Budget kPiece = {256, 4096, 512 * 1024};  ///< of one replay
constexpr size_t kAsks = 512;                       ///< in one request
constexpr size_t kTurn = 64;                        ///< replays of one session, then it is another's turn
constexpr size_t kSessions = 512;                   ///< looked at in a round
constexpr size_t kQueueAhead = 256;                 ///< replayed messages waiting for the client's window

/// Reads a piece, at the expense of `budget`.
void read_piece(const topics::RetainedStore& store, std::string_view topic_filter,
                topics::RetainedStore::Cursor& cursor, Budget& budget, std::vector<mqtt::MessageRef>& out) {
    const Budget given{std::min(kPiece.messages, budget.messages), std::min(kPiece.topics, budget.topics),
                       std::min(kPiece.bytes, budget.bytes)};
    Budget left = given;
    store.scan(topic_filter, cursor, left, out);
    budget.messages -= given.messages - left.messages;
    budget.topics -= std::max<size_t>(1, given.topics - left.topics);
    budget.bytes -= given.bytes - left.bytes;
}

}  // namespace

const Budget Shard::kReplayWork = {1024, 4096, 1024 * 1024};

void Shard::start_replay(Session& s, std::string_view topic_filter, topics::SubscriptionOptions options) {
    if (wants(EventId::stored_retained_by_topic)) load_retained(topic_filter);
    replays_.stop(s.replays, topic_filter);  // begins anew
    topics::ParsedFilter parsed;
    topics::parse_filter(topic_filter, parsed);
    Replay replay;
    if (parsed.has_wildcard) {
        replay.stores = here_.core().retained_counts.holders(topic_filter);
    } else if (here_.core().retained_counts.may_hold(topic_filter)) {
        replay.stores = uint64_t{1} << here_.core().shard_of_topic(ByteView(topic_filter));
    }
    const uint64_t own = uint64_t{1} << here_.number();
    replay.number = replays_.take_number();
    // The first piece goes along with SUBACK where it is at hand, the rest in turn with what others want. Retained
    // messages that other shards have acknowledged may be in the mailbox still: they come first.
    const uint64_t mail = here_.mailbox().posted();
    const bool drained = mail == mail_done();
    if (replay.stores & own && drained && !held_back(s) && !first_pieces_.spent()) {
        std::vector<mqtt::MessageRef> messages;
        read_piece(shelf_.store(), topic_filter, replay.cursor, first_pieces_, messages);
        deliver_replayed(s, replay.number, options, messages);
        if (replay.cursor.done) {
            replay.cursor = {};
            replay.stores &= ~own;
        }
    }
    if (replay.stores) {
        replay.topic_filter = topic_filter;
        replay.options = options;
        replay.after_mail = mail;
        replay.store =
            replay.stores & own ? here_.number() : static_cast<unsigned>(__builtin_ctzll(replay.stores));
        replays_.add(s.id.value, s.replays, std::move(replay));
    }
    here_.metrics().retained_replays.set(replays_.count());
}

/// The client has to take what it was given first.
bool Shard::held_back(const Session& s) const {
    return s.connection && (s.connection->out.bytes() > here_.core().config.limits.high_mark_bytes / 2 ||
                            (s.flow && s.flow->queue.size() > kQueueAhead));
}

void Shard::run_replays() {
    if (!replays_.busy()) return;
    replay_own_store();
    for (unsigned store = 0; store < here_.core().shards.size(); ++store)
        if (store != here_.number() && !replays_.waiting(store) && replays_.queued(store)) ask_store(store);
    replays_.free_some();
}

void Shard::replay_own_store() {
    Budget budget = kReplayWork;
    std::vector<mqtt::MessageRef> messages;
    uint64_t id = 0;
    for (size_t left = std::min(kSessions, replays_.queued(here_.number())); left && !budget.spent();
         --left) {
        replays_.next_session(here_.number(), id);
        Session* s = clients_.session(id);
        if (!s || !s->replays) continue;
        Replays::leave_queue(*s->replays, here_.number());
        for (size_t turn = 0; turn < kTurn && !budget.spent(); ++turn) {
            if (!s->replays || held_back(*s)) break;  // woken when it has taken what it has
            Replay* replay = Replays::front(*s->replays, here_.number());
            if (!replay || replay->after_mail > mail_done()) break;
            messages.clear();
            read_piece(shelf_.store(), replay->topic_filter, replay->cursor, budget, messages);
            deliver_replayed(*s, replay->number, replay->options, messages);
            if (s->replays) replays_.advance_front(id, s->replays, here_.number());
        }
        if (s->replays) wake_replays(*s);
        replays_changed(*s);
    }
}

/// Asks another shard for the next piece of as many replays as it looks through at once.
void Shard::ask_store(unsigned store) {
    auto asks = std::make_shared<std::vector<ReplayAsk>>();
    uint64_t id = 0;
    for (size_t left = std::min(kSessions, replays_.queued(store)); left && asks->size() < kAsks; --left) {
        replays_.next_session(store, id);
        Session* s = clients_.session(id);
        if (!s || !s->replays) continue;
        SessionReplays& of = *s->replays;
        Replays::leave_queue(of, store);
        if (held_back(*s)) continue;
        for (size_t turn = 0; turn < kTurn && asks->size() < kAsks && Replays::front(of, store); ++turn)
            asks->push_back(Replays::ask_front(id, of, store));
        replays_.wake(id, of);
    }
    if (asks->empty()) return;
    replays_.set_waiting(store, true);
    post_notice(store, [asks, from = here_.number()](Shard& asked) {
        asked.answer_replays(*asks);
        asked.post(from,
                   [asks, store = asked.here_.number()](Shard& asker) { asker.take_answers(store, *asks); });
    });
}

void Shard::answer_replays(std::vector<ReplayAsk>& asks) {
    Budget budget = kReplayWork;
    for (ReplayAsk& ask : asks) {
        if (budget.spent()) return;
        read_piece(shelf_.store(), ask.topic_filter, ask.cursor, budget, ask.found);
        ask.answered = true;
    }
}

void Shard::take_answers(unsigned store, std::vector<ReplayAsk>& asks) {
    replays_.set_waiting(store, false);
    // Those there was no time for are first the next time, in their order.
    for (auto ask = asks.rbegin(); ask != asks.rend() && !ask->answered; ++ask)
        if (Session* s = clients_.session(ask->session); s && s->replays)
            replays_.answered(ask->session, s->replays, *ask);
    for (ReplayAsk& ask : asks) {
        if (!ask.answered) break;
        Session* s = clients_.session(ask.session);
        const Replay* replay = s && s->replays ? Replays::find(*s->replays, ask) : nullptr;
        if (!replay) continue;
        deliver_replayed(*s, replay->number, replay->options, ask.found);
        if (s->replays) replays_.answered(ask.session, s->replays, ask);
        replays_changed(*s);
    }
}

void Shard::replays_changed(const Session& s) {
    here_.metrics().retained_replays.set(replays_.count());
    if (!s.replays && s.connection && s.connection->half_closed) half_closed_.push_back(s.connection->handle);
}

void Shard::deliver_replayed(Session& s, uint64_t number, topics::SubscriptionOptions options,
                             const std::vector<mqtt::MessageRef>& messages) {
    if (messages.empty()) return;
    Ref<session::IdentifierList> identifiers;
    session::add_identifier(identifiers, options.identifier);
    for (const mqtt::MessageRef& message : messages) {
        if (message->due_ms() <= here_.now_ms()) continue;
        // A newer one came live while this one was on its way [MQTT-4.6.0-5].
        if (s.replays && s.replays->overtaken(routes_.hash_of(message->topic_name()), number)) continue;
        if (options.no_local && message->origin_id().text() == s.client->id) continue;
        Publication p = Publication::of(message);
        session::Delivery form;
        form.qos = std::min<uint8_t>(message->qos(), options.qos);
        form.retain = true;
        form.check_read = !s.sink;
        form.identifiers = identifiers;
        const session::Delivery shown = form;
        if (!deliver(s, p, std::move(form), {}) || !wants(EventId::on_retain_published)) continue;
        const auto box = box_packet(packet_of(p, shown, 0), message->origin_id().text());
        box->frozen = true;
        here_.notify(EventId::on_retain_published, s.client.get(), box.get(),
                     [&](hooks::Hook& hook, hooks::Event& event) {
                         hook.on_retain_published(event, *s.client, *box);
                     });
    }
}

}  // namespace comqtt::broker
