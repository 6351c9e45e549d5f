// Retained messages: each topic belongs to one shard by its hash. A replay reads a store in small pieces, its own
// shard's directly and another's by asking for the next piece, so that it never holds anybody up.

#include "broker/packet_parts.hpp"
#include "broker/shard.hpp"
#include "topics/filter.hpp"

namespace comqtt::broker {

namespace {
constexpr size_t kPiece = 256;       ///< messages
constexpr size_t kPieceWork = 4096;  ///< topics looked at
constexpr size_t kQueueAhead = 256;  ///< replayed messages waiting for the client's window
}  // namespace

bool Shard::retained_full() const {
    const Limits& limits = core_.config.limits;
    return core_.retained_messages.load(std::memory_order_relaxed) >= limits.retained_messages ||
           core_.retained_bytes.load(std::memory_order_relaxed) >= limits.retained_bytes;
}

/// The limit is reached: only a topic that is retained already may be, and its shard has to be asked.
void Shard::ask_retained(Connection& c, Inbound& in, unsigned owner) {
    materialize(c, in);
    Ref<hooks::Deferral> answer = make_deferral(*c.client, in.box.get());
    if (!answer) {
        refuse_publish(c, in, Reason::quota_exceeded, kRetainedFull);
        return;
    }
    Suspension state;
    state.step = Step::retain;
    state.box = in.box;
    state.injected = in.injected;
    suspend(c, std::move(state), answer);
    post(owner, [answer](Shard& shard) {
        const bool known = static_cast<bool>(shard.retained_.find(answer->packet()->packet.topic_name));
        if (!known) shard.metrics_.quota_exceeded.add();
        hooks::DeferralResult result;
        result.value = static_cast<int>(known ? hooks::Verdict::allow : hooks::Verdict::deny);
        answer->complete(std::move(result));
    });
}

/// A message that was handed over to be retained. Others may have come in between: the limit holds now.
void Shard::take_retained(const mqtt::MessageRef& message) {
    const bool removes = message->payload().empty();
    const bool known = static_cast<bool>(retained_.find(message->topic_name().text()));
    if (!removes && !known && retained_full()) {
        metrics_.quota_exceeded.add();
        return;
    }
    if (!removes || known) record_retained(message);
    store_retained(message);
}

bool Shard::retain_message(Publication& p, hooks::Client* client, PacketBox* box) {
    p.origin.clock = core_.next_clock(wall_ms_);
    const mqtt::MessageRef message = p.message();
    const unsigned owner = core_.shard_of_topic(p.topic_name);
    int result = p.payload.empty() ? -1 : 1;
    if (owner == number_) {
        if (p.payload.empty() && !retained_.find(p.topic_name.text())) result = 0;
        if (result) record_retained(message);
        store_retained(message);
    } else {
        if (storing()) vouch_for(owner);
        const uint64_t logged = p.exactly_once && p.qos && storing()
                                    ? log_handover(owner, p, p.qos, std::string(hooks::kToRetained))
                                    : 0;
        post(owner, [message, logged, from = number_](Shard& shard) {
            if (logged) shard.forget_handover(from, logged);
            shard.take_retained(message);
        });
    }
    if (client && wants(EventId::on_retain_message)) {
        Ref<PacketBox> made;
        if (!box) {
            session::Delivery form;
            form.qos = p.qos;
            form.retain = true;
            made = box_packet(packet_of(p, form, 0), p.origin_id.text());
            made->frozen = true;
            box = made.get();
        }
        notify(EventId::on_retain_message, client, box, [&](hooks::Hook& hook, hooks::Event& event) {
            hook.on_retain_message(event, *client, *box, result);
        });
    }
    return true;
}

void Shard::store_retained(mqtt::MessageRef message) {
    const size_t count = retained_.count();
    const size_t bytes = retained_.bytes();
    if (message->payload().empty()) {
        retained_.remove(message->topic_name().text());
    } else {
        if (message->has_expiry()) {
            retained_expiry_.emplace_back(message->expires_ms(), message->topic_name().text());
            std::push_heap(retained_expiry_.begin(), retained_expiry_.end(), std::greater<>());
            const int64_t due = now_ms_ + std::max<int64_t>(0, message->expires_ms() - wall_ms_);
            if (due < retained_deadline_ms_) {
                retained_deadline_ms_ = due;
                deadlines_.add({due, 0, kRetained});
            }
        }
        retained_.store(std::move(message));
    }
    core_.retained_messages.fetch_add(retained_.count() - count, std::memory_order_relaxed);
    core_.retained_bytes.fetch_add(retained_.bytes() - bytes, std::memory_order_relaxed);
    metrics_.retained.set(retained_.count());
    metrics_.retained_bytes.set(retained_.bytes());
    if (retained_expiry_.size() > 64 && retained_expiry_.size() > 2 * retained_.count()) {
        // Topics published again and again leave old entries behind.
        std::vector<std::pair<int64_t, std::string>> live;
        for (auto& entry : retained_expiry_) {
            const auto kept = retained_.find(entry.second);
            if (kept && kept->expires_ms() == entry.first) live.push_back(std::move(entry));
        }
        std::sort(live.begin(), live.end());
        live.erase(std::unique(live.begin(), live.end()), live.end());
        retained_expiry_ = std::move(live);
    }
}

void Shard::expire_retained() {
    retained_deadline_ms_ = INT64_MAX;
    while (!retained_expiry_.empty() && retained_expiry_.front().first <= wall_ms_) {
        std::pop_heap(retained_expiry_.begin(), retained_expiry_.end(), std::greater<>());
        const std::string topic = std::move(retained_expiry_.back().second);
        retained_expiry_.pop_back();
        const auto message = retained_.find(topic);
        if (!message || message->expires_ms() > wall_ms_) continue;
        remove_retained(topic);
        notify(EventId::on_retained_expired, nullptr, nullptr,
               [&](hooks::Hook& hook, hooks::Event& event) { hook.on_retained_expired(event, topic); });
    }
    if (!retained_expiry_.empty()) {
        retained_deadline_ms_ = now_ms_ + std::max<int64_t>(1, retained_expiry_.front().first - wall_ms_);
        deadlines_.add({retained_deadline_ms_, 0, kRetained});
    }
}

bool Shard::remove_retained(std::string_view topic) {
    const size_t count = retained_.count();
    if (storing() && retained_.find(topic))
        record_text(hooks::Change::Kind::retained_removed, nullptr, topic);
    const size_t bytes = retained_.bytes();
    retained_.remove(topic);
    core_.retained_messages.fetch_sub(count - retained_.count(), std::memory_order_relaxed);
    core_.retained_bytes.fetch_sub(bytes - retained_.bytes(), std::memory_order_relaxed);
    metrics_.retained.set(retained_.count());
    metrics_.retained_bytes.set(retained_.bytes());
    return count != retained_.count();
}

void Shard::start_replay(Session& s, std::string_view topic_filter, topics::SubscriptionOptions options) {
    if (wants(EventId::stored_retained_by_topic)) load_retained(topic_filter);
    if (core_.retained_messages.load(std::memory_order_relaxed) == 0 && core_.shards.size() == 1) return;
    RetainedReplay replay;
    replay.session = s.id.value;
    replay.topic_filter = topic_filter;
    replay.options = options;
    replay.number = next_replay_++;
    topics::ParsedFilter parsed;
    topics::parse_filter(topic_filter, parsed);
    replay.shard = parsed.has_wildcard ? number_ : core_.shard_of_topic(ByteView(topic_filter));
    replay.stores_left = parsed.has_wildcard ? static_cast<unsigned>(core_.shards.size()) - 1 : 0;
    // The first piece goes along with SUBACK where it is at hand, the rest in turn with what others want. Retained
    // messages that other shards have acknowledged may be in the mailbox still: they come first.
    if (replay.shard == number_ && core_.mailboxes[number_]->idle() && !held_back(replay, s) &&
        replay_piece(s, replay))
        return;
    replays_.push_back(std::move(replay));
}

/// The session got a message live that replaces the retained one of its topic.
void Shard::note_live(const Session& s, ByteView topic) {
    for (RetainedReplay& replay : replays_)
        if (replay.session == s.id.value && replay.live.size() < kLiveNoted)
            replay.live.insert(routes_.hash_of(topic));
}

/// After UNSUBACK nothing is added [MQTT-3.10.4-2].
void Shard::stop_replays(const Session& s, std::string_view topic_filter) {
    std::erase_if(replays_, [&](const RetainedReplay& replay) {
        return replay.session == s.id.value && replay.topic_filter == topic_filter;
    });
}

void Shard::scan_retained(std::string_view topic_filter, topics::RetainedStore::Cursor& cursor,
                          std::vector<mqtt::MessageRef>& out) {
    retained_.scan(topic_filter, cursor, kPiece, kPieceWork, out);
}

/// Waits for another shard, or for the client to take what it was given.
bool Shard::held_back(const RetainedReplay& replay, const Session& s) const {
    return replay.waiting ||
           (s.connection && (s.connection->out.bytes() > core_.config.limits.high_mark_bytes / 2 ||
                             (s.flow && s.flow->queue.size() > kQueueAhead)));
}

/// Some replay can go on: its client took everything in this round, so that no event will tell.
bool Shard::replay_ready() const {
    return std::any_of(replays_.begin(), replays_.end(), [&](const RetainedReplay& replay) {
        const Session* s = sessions_.find(replay.session & kHandleMask);
        return !s || !held_back(replay, *s);
    });
}

/// Delivers one piece from the shard's own store; true when that was the last one.
bool Shard::replay_piece(Session& s, RetainedReplay& replay) {
    std::vector<mqtt::MessageRef> messages;
    scan_retained(replay.topic_filter, replay.cursor, messages);
    deliver_replayed(s, replay, messages);
    return replay.cursor.done && next_store(replay);
}

void Shard::run_replays() {
    replaying_ = false;
    for (size_t i = 0; i < replays_.size();) {
        Session* s = find_session(replays_[i].session);
        const bool gone =
            !s || (!s->sink && (!s->connection || s->connection->state != Connection::State::established));
        if (!gone && held_back(replays_[i], *s)) {
            ++i;
            continue;
        }
        if (!gone && replays_[i].shard != number_) {
            RetainedReplay& replay = replays_[i];
            replay.waiting = true;
            post(replay.shard, [from = number_, number = replay.number, filter = replay.topic_filter,
                                cursor = replay.cursor](Shard& owner) mutable {
                std::vector<mqtt::MessageRef> found;
                owner.scan_retained(filter, cursor, found);
                owner.post(from, [number, cursor, found](Shard& asker) {
                    asker.finish_fetch(number, cursor, found);
                });
            });
            ++i;
            continue;
        }
        if (gone || replay_piece(*s, replays_[i])) {
            replays_.erase(replays_.begin() + static_cast<ptrdiff_t>(i));
        } else {
            replaying_ = true;
            ++i;
        }
    }
}

/// Moves on to the next shard's store; true when there is none.
bool Shard::next_store(RetainedReplay& replay) const {
    if (replay.stores_left == 0) return true;
    --replay.stores_left;
    replay.shard = (replay.shard + 1) % static_cast<unsigned>(core_.shards.size());
    replay.cursor = {};
    return false;
}

void Shard::finish_fetch(uint64_t number, topics::RetainedStore::Cursor cursor,
                         std::vector<mqtt::MessageRef> messages) {
    for (size_t i = 0; i < replays_.size(); ++i) {
        RetainedReplay& replay = replays_[i];
        if (replay.number != number) continue;
        replay.waiting = false;
        replay.cursor = std::move(cursor);
        if (Session* s = find_session(replay.session)) deliver_replayed(*s, replay, messages);
        if (replay.cursor.done && next_store(replay))
            replays_.erase(replays_.begin() + static_cast<ptrdiff_t>(i));
        return;
    }
}

void Shard::deliver_replayed(Session& s, RetainedReplay& replay, std::vector<mqtt::MessageRef>& messages) {
    Ref<session::IdentifierList> identifiers;
    if (replay.options.identifier) {
        identifiers = Ref<session::IdentifierList>::adopt(new session::IdentifierList);
        identifiers->identifiers.push_back(replay.options.identifier);
    }
    for (const mqtt::MessageRef& message : messages) {
        if (message->expires_ms() <= wall_ms_) continue;
        // A newer one came live while this one was on its way [MQTT-4.6.0-5].
        if (!replay.live.empty() && replay.live.count(routes_.hash_of(message->topic_name()))) continue;
        if (replay.options.no_local && message->origin_id().text() == s.client->id) continue;
        Publication p = Publication::of(message);
        session::Delivery form;
        form.qos = std::min<uint8_t>(message->qos(), replay.options.qos);
        form.retain = true;
        form.check_read = !s.sink;
        form.identifiers = identifiers;
        const session::Delivery shown = form;
        if (!deliver(s, p, std::move(form), {}) || !wants(EventId::on_retain_published)) continue;
        const auto box = box_packet(packet_of(p, shown, 0), message->origin_id().text());
        box->frozen = true;
        notify(EventId::on_retain_published, s.client.get(), box.get(),
               [&](hooks::Hook& hook, hooks::Event& event) {
                   hook.on_retain_published(event, *s.client, *box);
               });
    }
}

void Shard::collect_retained(std::string_view filter, std::vector<mqtt::MessageRef>& out) {
    topics::RetainedStore::Cursor cursor;
    while (!cursor.done) retained_.scan(filter, cursor, 4096, 65'536, out);
}

}  // namespace comqtt::broker
