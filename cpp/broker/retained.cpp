// Retained messages: each topic belongs to one shard by its hash. How they reach new subscribers: replaying.cpp.

#include "broker/packet_parts.hpp"
#include "broker/shard.hpp"
#include "topics/filter.hpp"

namespace comqtt::broker {

namespace {

constexpr size_t kExpiredAtOnce = 256;

/// Takes no room of others': the server's own.
bool counts(std::string_view topic) { return !topic.starts_with("$SYS/"); }

void count_retained(Core& core, int64_t messages, int64_t bytes) {
    core.retained_messages.fetch_add(static_cast<uint64_t>(messages), std::memory_order_relaxed);
    core.retained_bytes.fetch_add(static_cast<uint64_t>(bytes), std::memory_order_relaxed);
}

/// Room for one more, taken before its shard has it, so that nobody else is promised the same. False when there is none,
/// which a message that replaces another does not mind.
bool take_room(Core& core, const mqtt::Message& message) {
    const Limits& limits = core.config.limits;
    const auto bytes = static_cast<int64_t>(message.footprint());
    count_retained(core, 1, bytes);
    if (core.retained_messages.load(std::memory_order_relaxed) <= limits.retained_messages &&
        core.retained_bytes.load(std::memory_order_relaxed) <
            limits.retained_bytes + static_cast<uint64_t>(bytes))
        return true;
    count_retained(core, -1, -bytes);
    return false;
}

}  // namespace

bool Shard::retained_full(const Core& core) {
    const Limits& limits = core.config.limits;
    return core.retained_messages.load(std::memory_order_relaxed) >= limits.retained_messages ||
           core.retained_bytes.load(std::memory_order_relaxed) >= limits.retained_bytes;
}

/// At the limit a topic that is retained already may be replaced, whoever publishes to it. Of another shard's topics only
/// their keeper knows for certain.
bool Shard::may_be_retained(std::string_view topic, unsigned owner) const {
    if (!retained_full()) return true;
    return owner == here_.number() ? static_cast<bool>(retained_.find(topic))
                                   : here_.core().retained_counts.may_hold(topic);
}

void Shard::refuse_retained(std::string_view client_id, std::string_view topic) {
    here_.metrics().quota_exceeded.add();
    uint64_t suppressed = 0;
    if (here_.core().log.enabled(LogLevel::warn) && limited_.retained.allow(here_.now_ms(), suppressed))
        here_.core().log.write(LogLevel::warn, "broker",
                               "client '{}': its message is not retained for '{}': {}{}", client_id,
                               topic.substr(0, 200), kRetainedFull, lines_held_back(suppressed));
}

/// For publishers that get no answer: a will, an inline client's message. It goes to its receivers all the same.
void Shard::retain_unanswered(Publication& p, hooks::Client& client, PacketBox& box) {
    if (!p.retain) return;
    if (p.payload.empty() ||
        may_be_retained(p.topic_name.text(), here_.core().shard_of_topic(p.topic_name))) {
        retain_message(p, &client, &box);
    } else {
        refuse_retained(client.id, p.topic_name.text());
    }
}

/// The limit is reached: only a topic that is retained already may be, and its shard has to be asked.
void Shard::ask_retained(Connection& c, Inbound& in, unsigned owner) {
    materialize(c, in);
    Ref<hooks::Deferral> answer = make_deferral(*c.client, in.box.get());
    if (!answer) {
        refuse_retained(c.client->id, in.view.topic_name.text());
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
        hooks::DeferralResult result;
        result.value = static_cast<int>(known ? hooks::Verdict::allow : hooks::Verdict::deny);
        answer->complete(std::move(result));
    });
}

/// A message that was handed over to be retained. Without room of its own the limit holds now: others may have come in
/// between.
void Shard::take_retained(const mqtt::MessageRef& message, bool has_room) {
    const bool removes = message->payload().empty();
    const bool known = static_cast<bool>(retained_.find(message->topic_name().text()));
    // The server's own are not counted.
    if (!has_room && !removes && !known && message->origin().publisher && retained_full()) {
        refuse_retained(message->origin_id().text(), message->topic_name().text());
        return;
    }
    if (!removes || known) record_retained(message);
    store_retained(message);
    // Only now: nobody else is to find it free in between.
    if (has_room) count_retained(here_.core(), -1, -static_cast<int64_t>(message->footprint()));
}

bool Shard::retain_message(Publication& p, hooks::Client* client, PacketBox* box) {
    p.origin.clock = here_.core().next_clock(here_.wall_ms());
    const mqtt::MessageRef message = p.message();
    const unsigned owner = here_.core().shard_of_topic(p.topic_name);
    int result = p.payload.empty() ? -1 : 1;
    if (owner == here_.number()) {
        if (p.payload.empty() && !retained_.find(p.topic_name.text())) result = 0;
        if (result) record_retained(message);
        store_retained(message);
    } else {
        if (storing()) vouch_for(owner);
        const uint64_t logged = p.exactly_once && p.qos && storing()
                                    ? log_handover(owner, p, p.qos, std::string(hooks::kToRetained))
                                    : 0;
        // Counted before anybody can learn of it: who subscribes then asks its shard.
        const bool counted = !p.payload.empty();
        if (counted) here_.core().retained_counts.add(owner, p.topic_name.text());
        const bool has_room = counted && counts(p.topic_name.text()) && take_room(here_.core(), *message);
        post(owner, [message, logged, counted, has_room, from = here_.number()](Shard& shard) {
            if (logged) shard.forget_handover(from, logged);
            shard.take_retained(message, has_room);
            if (counted)
                shard.here_.core().retained_counts.remove(shard.here_.number(), message->topic_name().text());
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
        here_.notify(EventId::on_retain_message, client, box, [&](hooks::Hook& hook, hooks::Event& event) {
            hook.on_retain_message(event, *client, *box, result);
        });
    }
    return true;
}

void Shard::store_retained(mqtt::MessageRef message) {
    const size_t count = retained_.count();
    const size_t bytes = retained_.bytes();
    const mqtt::MessageRef named = message;
    const std::string_view topic = named->topic_name().text();
    if (message->payload().empty()) {
        retained_.remove(topic);
    } else {
        if (message->has_expiry()) {
            retained_expiry_.emplace_back(message->due_ms(), topic);
            std::push_heap(retained_expiry_.begin(), retained_expiry_.end(), std::greater<>());
            const int64_t due = std::max(here_.now_ms(), message->due_ms());
            if (due < retained_deadline_ms_) {
                retained_deadline_ms_ = due;
                timers_.at(Timers::Kind::retained, 0, due);
            }
        }
        retained_.store(std::move(message));
    }
    if (retained_.count() > count) here_.core().retained_counts.add(here_.number(), topic);
    if (retained_.count() < count) here_.core().retained_counts.remove(here_.number(), topic);
    if (counts(topic))
        count_retained(here_.core(), static_cast<int64_t>(retained_.count() - count),
                       static_cast<int64_t>(retained_.bytes() - bytes));
    here_.metrics().retained.set(retained_.count());
    here_.metrics().retained_bytes.set(retained_.bytes());
    if (retained_expiry_.size() > 64 && retained_expiry_.size() > 2 * retained_.count()) {
        // Topics published again and again leave old entries behind.
        std::vector<std::pair<int64_t, std::string>> live;
        for (auto& entry : retained_expiry_) {
            const auto kept = retained_.find(entry.second);
            if (kept && kept->due_ms() == entry.first) live.push_back(std::move(entry));
        }
        std::sort(live.begin(), live.end());
        live.erase(std::unique(live.begin(), live.end()), live.end());
        retained_expiry_ = std::move(live);
    }
}

/// Gives how many it looked at; the deadline stands again when more are due than are removed at once.
size_t Shard::expire_retained() {
    retained_deadline_ms_ = INT64_MAX;
    size_t done = 0;
    for (; done < kExpiredAtOnce && !retained_expiry_.empty() &&
           retained_expiry_.front().first <= here_.now_ms();
         ++done) {
        std::pop_heap(retained_expiry_.begin(), retained_expiry_.end(), std::greater<>());
        const std::string topic = std::move(retained_expiry_.back().second);
        retained_expiry_.pop_back();
        const auto message = retained_.find(topic);
        if (!message || message->due_ms() > here_.now_ms()) continue;
        remove_retained(topic);
        here_.notify(EventId::on_retained_expired, nullptr, nullptr,
                     [&](hooks::Hook& hook, hooks::Event& event) { hook.on_retained_expired(event, topic); });
    }
    if (!retained_expiry_.empty()) {
        retained_deadline_ms_ = std::max(here_.now_ms(), retained_expiry_.front().first);
        timers_.at(Timers::Kind::retained, 0, retained_deadline_ms_);
    }
    return done;
}

bool Shard::remove_retained(std::string_view topic) {
    const size_t count = retained_.count();
    if (storing() && retained_.find(topic))
        record_text(hooks::Change::Kind::retained_removed, nullptr, topic);
    const size_t bytes = retained_.bytes();
    retained_.remove(topic);
    if (retained_.count() < count) here_.core().retained_counts.remove(here_.number(), topic);
    if (counts(topic))
        count_retained(here_.core(), static_cast<int64_t>(retained_.count() - count),
                       static_cast<int64_t>(retained_.bytes() - bytes));
    here_.metrics().retained.set(retained_.count());
    here_.metrics().retained_bytes.set(retained_.bytes());
    return count != retained_.count();
}

void Shard::collect_retained(std::string_view filter, std::vector<mqtt::MessageRef>& out) {
    topics::RetainedStore::Cursor cursor;
    while (!cursor.done) retained_.scan(filter, cursor, 4096, 65'536, out);
}

}  // namespace comqtt::broker
