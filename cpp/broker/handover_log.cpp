#include "broker/handover_log.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/hash.hpp"
#include "broker/shard.hpp"
#include "topics/filter.hpp"

namespace comqtt::broker {

namespace {

constexpr std::string_view kPrefix = "$comqtt/handover/";

}  // namespace

std::string HandoverLog::client_id() const {
    return fmt::format("{}{:016x}/{}/{}/{}", kPrefix, seed, shards, from, to);
}

std::optional<HandoverLog> HandoverLog::of(std::string_view client_id) {
    if (!client_id.starts_with(kPrefix)) return {};
    HandoverLog log;
    const char* at = client_id.data() + kPrefix.size();
    const char* const end = client_id.data() + client_id.size();
    const auto number = [&](auto& value, int base) {
        const auto [after, error] = std::from_chars(at, end, value, base);
        const bool good = error == std::errc() && after != at;
        at = after;
        return good;
    };
    const auto slash = [&] { return at != end && *at++ == '/'; };
    const bool good = number(log.seed, 16) && slash() && number(log.shards, 10) && slash() &&
                      number(log.from, 10) && slash() && number(log.to, 10) && at == end && log.shards;
    return good ? std::optional(log) : std::nullopt;
}

bool HandoverLog::received_by(std::string_view session_id) const {
    return hash_bytes(ByteView(session_id), seed) % shards == to;
}

namespace {

Ref<hooks::Client> client_with_id(std::string id) {
    auto client = Ref<hooks::Client>::adopt(new hooks::Client);
    client->id = std::move(id);
    return client;
}

}  // namespace

Ref<hooks::Client> Shard::handover_log(unsigned from, unsigned to) const {
    return client_with_id(
        HandoverLog{here_.core().seed, static_cast<unsigned>(here_.core().mailboxes.size()), from, to}
            .client_id());
}

/// The position of the message in the log. The batch with it is handed over before the message is.
uint64_t Shard::log_handover(unsigned shard, Publication& p, uint8_t qos, std::string receiver) {
    Ref<hooks::Client>& log = handover_logs_[shard];
    if (!log) {
        log = handover_log(here_.number(), shard);
        hooks::Change& change = ledger_.record(Ledger::Kind::session_saved, log);
        change.details = std::make_unique<hooks::Change::Details>();
        change.details->client.id = log->id;
        change.details->client.session_expiry_s = mqtt::kNoExpiry;
        change.details->client.disconnected_at_ms = here_.wall_ms();
    }
    return ledger_.log_message(log, p.message(), qos, p.retain, std::move(receiver));
}

/// What became of the message is in this round.
void Shard::forget_handover(unsigned from, uint64_t position) {
    Ref<hooks::Client>& log = arrived_logs_[from];
    if (!log) log = handover_log(from, here_.number());
    ledger_.record(Ledger::Kind::message_removed, log).position = position;
}

void Shard::replay_handovers(const hooks::StoredClient& log,
                             const std::vector<hooks::StoredMessage>& messages) {
    const auto whose = HandoverLog::of(log.id);
    if (!whose) return;
    const auto client = client_with_id(log.id);
    for (const hooks::StoredMessage& record : messages) {
        replay(record, *whose);
        ledger_.record(Ledger::Kind::message_removed, client).position = record.position;
    }
    // What all shards made of them and that they are done is one batch.
    for (const auto& shard : here_.core().shards)
        if (shard.get() != this) ledger_.take_changes(shard->ledger_);
    close_round();
}

void Shard::end_handover_log(const hooks::StoredClient& log) {
    const auto client = client_with_id(log.id);
    ledger_.record(Ledger::Kind::session_removed, client);
    close_round();
}

/// Those of this shard's sessions that match the topic and are to receive it, with the QoS it was handed over with at
/// most. False when there is none.
template <typename F>
bool Shard::replay_here(const session::Delivery& stored, F&& receives) {
    Route route;
    matches_.clear();
    here_.core().index.match(stored.message->topic_name().text(), matches_);
    fill_targets(route);
    Publication p = Publication::of(stored.message);
    p.qos = std::min(p.qos, stored.qos);
    bool any = false;
    for (const Target& target : route.targets) {
        const bool own = is_own(target, 0, p.origin_id);
        if ((own && !target.own) || !receives(target.session->client->id)) continue;
        any = true;
        session::Delivery form = form_for(target, p, own);
        form.message = stored.message;
        form.check_read = true;
        if (form.qos) enqueue(*target.session, std::move(form));
    }
    return any;
}

void Shard::replay(const hooks::StoredMessage& record, const HandoverLog& log) {
    const session::Delivery stored = delivery_of(record);
    if (stored.message->due_ms() <= here_.now_ms()) return;
    const ByteView topic = stored.message->topic_name();
    if (record.share == hooks::kToRetained) {
        here_.core().shards[here_.core().shard_of_topic(topic)]->take_retained(stored.message, false);
        return;
    }
    const std::string_view receiver = record.share;
    if (receiver.starts_with(hooks::kToClient)) {
        const std::string_view name = receiver.substr(hooks::kToClient.size());
        const auto client = here_.core().registry.find(name);
        if (!client) return;
        Shard& owner = *here_.core().shards[here_.core().shard_of(name)];
        topics::SubscriptionOptions options;
        options.qos = stored.qos;
        // A hook may have chosen a client that is not subscribed.
        if (!owner.replay_here(stored, [&](std::string_view id) { return id == name; }))
            owner.replay_to(client->session, options, stored);
        return;
    }
    if (!stored.share) {
        for (const auto& shard : here_.core().shards)
            shard->replay_here(stored, [&](std::string_view id) { return log.received_by(id); });
        return;
    }
    topics::Matches found;
    here_.core().index.match(topic.text(), found);
    for (const auto& group : found.groups) {
        if (group->share_name != stored.share->share_name ||
            group->topic_filter != stored.share->topic_filter)
            continue;
        const topics::GroupMember* member = group->pick();
        here_.core().shards[member->subscriber.shard()]->replay_to(member->subscriber.value, member->options,
                                                                   stored);
    }
}

void Shard::replay_to(uint64_t subscriber, topics::SubscriptionOptions options,
                      const session::Delivery& stored) {
    Session* s = clients_.session(subscriber);
    if (!s) return;
    session::Delivery form;
    form.message = stored.message;
    form.share = stored.share;
    form.qos = std::min<uint8_t>(stored.message->qos(), options.qos);
    form.retain = options.retain_as_published && stored.message->retain();
    form.check_read = true;
    session::add_identifier(form.identifiers, options.identifier);
    if (form.qos) enqueue(*s, std::move(form));
}

}  // namespace comqtt::broker
