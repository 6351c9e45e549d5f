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

std::string share_text(const session::ShareName& share) {
    return "$share/" + share.share_name + "/" + share.topic_filter;
}

/// The position of the message in the log. The batch with it is handed over before the message is.
uint64_t Shard::log_handover(unsigned shard, Publication& p, std::string receiver) {
    using Kind = hooks::Change::Kind;
    Ref<hooks::Client>& log = handover_logs_[shard];
    if (!log) {
        log = Ref<hooks::Client>::adopt(new hooks::Client);
        log->id = HandoverLog{core_.seed, static_cast<unsigned>(core_.mailboxes.size()), number_, shard}
                      .client_id();
        hooks::Change& change = record(Kind::session_saved, log);
        change.details = std::make_unique<hooks::Change::Details>();
        change.details->client.id = log->id;
        change.details->client.session_expiry_s = mqtt::kNoExpiry;
        change.details->client.disconnected_at_ms = wall_ms_;
    }
    hooks::Change& change = record(Kind::message_queued, log);
    change.message = p.message();
    change.message_key = change.message->key(core_.next_message_key);
    change.qos = p.qos;
    change.retain = p.retain;
    change.position = next_position_++;
    if (!receiver.empty()) {
        change.details = std::make_unique<hooks::Change::Details>();
        change.details->text = std::move(receiver);
    }
    rounds_.add_footprint(change.message->footprint());
    return change.position;
}

/// What became of the message is in this round.
void Shard::forget_handover(unsigned from, uint64_t position) {
    Ref<hooks::Client>& log = arrived_logs_[from];
    if (!log) {
        log = Ref<hooks::Client>::adopt(new hooks::Client);
        log->id =
            HandoverLog{core_.seed, static_cast<unsigned>(core_.mailboxes.size()), from, number_}.client_id();
    }
    record(hooks::Change::Kind::message_removed, log).position = position;
}

void Shard::replay_handovers(const hooks::StoredClient& log,
                             const std::vector<hooks::StoredMessage>& messages) {
    const auto whose = HandoverLog::of(log.id);
    if (!whose) return;
    const auto client = Ref<hooks::Client>::adopt(new hooks::Client);
    client->id = log.id;
    for (const hooks::StoredMessage& record : messages) {
        replay(record, *whose);
        this->record(hooks::Change::Kind::message_removed, client).position = record.position;
    }
    // What all shards made of them and that they are done is one batch.
    for (const auto& shard : core_.shards)
        if (shard.get() != this) rounds_.take_changes(shard->rounds_);
    close_round();
}

void Shard::end_handover_log(const hooks::StoredClient& log) {
    const auto client = Ref<hooks::Client>::adopt(new hooks::Client);
    client->id = log.id;
    record(hooks::Change::Kind::session_removed, client);
    close_round();
}

void Shard::replay(const hooks::StoredMessage& record, const HandoverLog& log) {
    const session::Delivery stored = delivery_of(record);
    if (stored.message->expires_ms() <= wall_ms_) return;
    const ByteView topic = stored.message->topic_name();
    if (record.share == hooks::kToRetained) {
        core_.shards[core_.shard_of_topic(topic)]->replay_retained(stored.message);
        return;
    }
    topics::SubscriptionOptions options;
    options.qos = stored.qos;
    if (record.share.starts_with(hooks::kToClient)) {
        const auto client =
            core_.registry.find(std::string_view(record.share).substr(hooks::kToClient.size()));
        if (client) core_.shards[core_.shard_of(client->id)]->replay_to(client->session, options, stored);
        return;
    }
    if (!stored.share) {
        for (const auto& shard : core_.shards) shard->replay_here(stored.message, log);
        return;
    }
    topics::Matches found;
    core_.index.match(topic.text(), found);
    for (const auto& group : found.groups) {
        if (group->share_name != stored.share->share_name ||
            group->topic_filter != stored.share->topic_filter)
            continue;
        const topics::GroupMember* member = group->pick();
        core_.shards[member->subscriber.shard()]->replay_to(member->subscriber.value, member->options,
                                                            stored);
    }
}

void Shard::replay_retained(const mqtt::MessageRef& message) {
    const bool removes = message->payload().empty();
    const bool known = static_cast<bool>(retained_.find(message->topic_name().text()));
    if (!removes && !known && retained_full()) {
        metrics_.quota_exceeded.add();
        return;
    }
    if (!removes || known) record_retained(message);
    store_retained(message);
}

void Shard::replay_to(uint64_t subscriber, const topics::SubscriptionOptions& options,
                      const session::Delivery& stored) {
    Session* s = find_session(subscriber);
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

/// The sessions that belonged to the shard it was on its way to.
void Shard::replay_here(const mqtt::MessageRef& message, const HandoverLog& log) {
    Route route;
    matches_.clear();
    core_.index.match(message->topic_name().text(), matches_);
    fill_targets(route);
    const Publication p = Publication::of(message);
    for (const Target& target : route.targets) {
        const bool own = is_own(target, 0, p.origin_id);
        if ((own && !target.own) || !log.received_by(target.session->client->id)) continue;
        session::Delivery form;
        form.message = message;
        form.identifiers = own ? target.own_identifiers : target.identifiers;
        form.qos = std::min(p.qos, own ? target.own_qos : target.qos);
        form.retain = (own ? target.own_retain_as_published : target.retain_as_published) && p.retain;
        form.check_read = true;
        if (form.qos) enqueue(*target.session, std::move(form));
    }
}

}  // namespace comqtt::broker
