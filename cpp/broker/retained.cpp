// Retained messages: each topic belongs to one shard by its hash. How they reach new subscribers: replaying.cpp.

#include "broker/packet_parts.hpp"
#include "broker/retained_room.hpp"
#include "broker/shard.hpp"
#include "topics/filter.hpp"

namespace comqtt::broker {

namespace {
constexpr size_t kExpiredAtOnce = 256;
}  // namespace

/// At the limit a topic that is retained already may be replaced, whoever publishes to it. Of another shard's topics only
/// their keeper knows for certain.
bool Shard::may_be_retained(std::string_view topic, unsigned owner) const {
    if (!retained_full(here_.core())) return true;
    return owner == here_.number() ? shelf_.has(topic) : here_.core().retained_counts.may_hold(topic);
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
    Ref<hooks::Deferral> answer = verdicts_.make_deferral(*c.client, in.box.get());
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
    post_notice(owner, [answer](Shard& shard) {
        const bool known = shard.shelf_.has(answer->packet()->packet.topic_name);
        hooks::DeferralResult result;
        result.value = static_cast<int>(known ? hooks::Verdict::allow : hooks::Verdict::deny);
        answer->complete(std::move(result));
    });
}

/// A message that was handed over to be retained. Without room of its own the limit holds now: others may have come in
/// between.
void Shard::take_retained(const mqtt::MessageRef& message, bool has_room) {
    const bool removes = message->payload().empty();
    const bool known = shelf_.has(message->topic_name().text());
    // The server's own are not counted.
    if (!has_room && !removes && !known && message->origin().publisher && retained_full(here_.core())) {
        refuse_retained(message->origin_id().text(), message->topic_name().text());
        return;
    }
    if (!removes || known) ledger_.record_retained(message);
    shelf_.put(message);
    // Only now: nobody else is to find it free in between.
    if (has_room) return_retained_room(here_.core(), *message);
}

bool Shard::retain_message(Publication& p, hooks::Client* client, PacketBox* box) {
    p.origin.clock = here_.core().next_clock(here_.wall_ms());
    const mqtt::MessageRef message = p.message();
    const unsigned owner = here_.core().shard_of_topic(p.topic_name);
    int result = p.payload.empty() ? -1 : 1;
    if (owner == here_.number()) {
        if (p.payload.empty() && !shelf_.has(p.topic_name.text())) result = 0;
        if (result) ledger_.record_retained(message);
        shelf_.put(message);
    } else {
        if (ledger_.storing()) ledger_.vouch_for(owner);
        const uint64_t logged = p.exactly_once && p.qos && ledger_.storing()
                                    ? log_handover(owner, p, p.qos, std::string(hooks::kToRetained))
                                    : 0;
        // Counted before anybody can learn of it: who subscribes then asks its shard.
        const bool counted = !p.payload.empty();
        if (counted) here_.core().retained_counts.add(owner, p.topic_name.text());
        const bool has_room =
            counted && takes_retained_room(p.topic_name.text()) && take_retained_room(here_.core(), *message);
        outboxes_.task_of(owner, message,
                          [message, logged, counted, has_room, from = here_.number()](Shard& shard) {
                              if (logged) shard.forget_handover(from, logged);
                              shard.take_retained(message, has_room);
                              if (counted)
                                  shard.here_.core().retained_counts.remove(shard.here_.number(),
                                                                            message->topic_name().text());
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

/// Gives how many it looked at; the deadline stands again when more are due than are removed at once.
size_t Shard::expire_retained() {
    size_t left = kExpiredAtOnce;
    for (std::string topic; shelf_.next_expired(topic, left);) {
        remove_retained(topic);
        here_.notify(EventId::on_retained_expired, nullptr, nullptr,
                     [&](hooks::Hook& hook, hooks::Event& event) { hook.on_retained_expired(event, topic); });
    }
    shelf_.plan();
    return kExpiredAtOnce - left;
}

bool Shard::remove_retained(std::string_view topic) {
    if (ledger_.storing() && shelf_.has(topic))
        ledger_.record_text(Ledger::Kind::retained_removed, nullptr, topic);
    return shelf_.remove(topic);
}

void Shard::collect_retained(std::string_view filter, std::vector<mqtt::MessageRef>& out) {
    topics::RetainedStore::Cursor cursor;
    while (!cursor.done) shelf_.store().scan(filter, cursor, 4096, 65'536, out);
}

}  // namespace comqtt::broker
