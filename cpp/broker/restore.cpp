// Restoring stored state before the shards run.

#include <algorithm>

#include "broker/packet_parts.hpp"
#include "broker/shard.hpp"
#include "topics/filter.hpp"

namespace comqtt::broker {

void Shard::restore_client(const hooks::StoredClient& record) {
    auto client = Ref<hooks::Client>::adopt(new hooks::Client);
    client->id = record.id;
    client->username = record.username;
    client->remote = record.remote;
    client->listener = record.listener;
    client->version = record.version;
    client->clean_start = record.clean_start;
    client->session_expiry_s.store(record.session_expiry_s, std::memory_order_relaxed);
    const int64_t gone_ms = record.disconnected_at_ms ? record.disconnected_at_ms : here_.wall_ms();
    client->disconnected_at_ms.store(gone_ms, std::memory_order_relaxed);
    Session& s = make_session(client);
    s.expiry_interval = record.session_expiry_s;
    // A wall clock that was put back since then makes no time longer than it was.
    const int64_t expiry_ms = int64_t{record.session_expiry_s} * 1000;
    if (record.session_expiry_s != mqtt::kNoExpiry)
        s.expires_ms =
            here_.now_ms() + std::clamp<int64_t>(gone_ms + expiry_ms - here_.wall_ms(), 0, expiry_ms);
    if (record.has_will) {
        s.will = std::make_unique<DelayedWill>();
        s.will->box = box_will(*client, record.will);
        s.will->client = client;
        const int64_t delay =
            record.will.properties.number(mqtt::PropertyId::will_delay_interval).value_or(0) * int64_t{1000};
        s.will->due_ms =
            here_.now_ms() +
            (record.will_due_ms ? std::max<int64_t>(0, record.will_due_ms - here_.wall_ms()) : delay);
    }
    s.stored = ledger_.storing();
    ledger_.use_above(record.last_position);
    if (record.queued_messages || record.inflight_messages) {
        s.tail = std::make_unique<session::Tail>();
        s.tail->cold = true;
        s.tail->messages = record.queued_messages;
        s.tail->bytes = record.queued_bytes;
        const bool all_expire = here_.core().config.capabilities.maximum_message_expiry_interval;
        if (record.queued_messages && (record.next_expiry_ms || all_expire)) {
            s.tail->known_from = record.last_position + 1;
            s.tail->unknown = record.queued_messages;
            s.tail->unknown_bytes = record.queued_bytes;
            s.tail->unknown_due_ms =
                all_expire ? here_.now_ms()
                           : here_.now_ms() + std::max<int64_t>(0, record.next_expiry_ms - here_.wall_ms());
        }
        count_queued(record.queued_messages, record.queued_bytes);
        here_.core().stored_bytes.fetch_add(record.queued_bytes, std::memory_order_relaxed);
        client->queued.store(static_cast<uint32_t>(record.queued_messages), std::memory_order_relaxed);
    }
    here_.core().registry.put(client);
    schedule(s, deadline_of(s));
}

Result<void> Shard::restore_subscription(const hooks::StoredSubscription& record) {
    const auto client = here_.core().registry.find(record.client_id);
    Session* s = client ? clients_.session(client->session) : nullptr;
    topics::ParsedFilter parsed;
    if (!s || topics::parse_filter(record.entry.filter, parsed) != topics::FilterError::none)
        return Error{Status::invalid_argument, "a stored subscription of '" + record.client_id + "' to '" +
                                                   record.entry.filter + "' has no client or a bad filter"};
    bool existed = false;
    int32_t count = 0;
    const bool stored = std::exchange(s->stored, false);  // it comes from there
    add_subscription(*s, record.entry, record.identifier, existed, count);
    s->stored = stored;
    return {};
}

Result<void> Shard::restore_message(const hooks::StoredMessage& record) {
    const auto client = here_.core().registry.find(record.client_id);
    Session* s = client ? clients_.session(client->session) : nullptr;
    if (!s)
        return Error{Status::invalid_argument,
                     "a stored message belongs to the unknown client '" + record.client_id + "'"};
    ledger_.use_above(record.position);
    if (record.state != hooks::StoredMessage::State::queued) return restore_flow(*s, record);
    session::Delivery delivery = delivery_of(record);
    if (s->stored && !delivery.position) delivery.position = ledger_.take_position();
    enqueue(*s, std::move(delivery));
    return {};
}

/// A message that was in flight, or an identifier that was received.
Result<void> Shard::restore_flow(Session& s, const hooks::StoredMessage& record) {
    if (record.state == hooks::StoredMessage::State::received) {
        s.make_flow().received.add(record.packet.packet_id);
        return {};
    }
    const bool released = record.state == hooks::StoredMessage::State::released;
    session::Delivery delivery = delivery_of(record);
    if (released) delivery.message = {};
    const mqtt::MessageRef message = delivery.message;
    if (!s.make_flow().inflight.restore(record.packet.packet_id, std::move(delivery), released))
        return Error{Status::invalid_argument, "stored in-flight messages of '" + record.client_id +
                                                   "' share a packet identifier, or have none"};
    here_.metrics().inflight.add();
    if (message && message->enter_flight()) inflight_change_ += static_cast<int64_t>(message->footprint());
    return {};
}

void Shard::restore_retained(mqtt::MessageRef message) { shelf_.put(std::move(message)); }

namespace {

/// Takes the records of one client, or retained messages, while the shard runs.
class LoadSink final : public hooks::StoredSink {
public:
    LoadSink(Shard& shard, std::string_view client_id) : shard_(shard), client_id_(client_id) {}
    Result<void> add(hooks::StoredClient record) override {
        if (record.id != client_id_) return foreign(record.id);
        shard_.restore_client(record);
        return {};
    }
    Result<void> add(hooks::StoredSubscription record) override {
        if (record.client_id != client_id_) return foreign(record.client_id);
        return shard_.restore_subscription(record);
    }
    Result<void> add(hooks::StoredMessage record) override {
        if (!record.client_id.empty()) {
            if (record.client_id != client_id_) return foreign(record.client_id);
            return shard_.restore_message(record);
        }
        retained.push_back(shard_.stored_message(record));
        return {};
    }
    Result<void> add_blocked(std::string) override {
        return Error{Status::invalid_argument, "blocked clients are loaded at the start only"};
    }
    std::vector<mqtt::MessageRef> retained;

private:
    Error foreign(const std::string& id) const {
        return Error{Status::invalid_argument, "a record of client '" + id + "' where those of '" +
                                                   std::string(client_id_) + "' were asked for"};
    }
    Shard& shard_;
    std::string_view client_id_;
};

}  // namespace

Session* Shard::load_session(const std::string& client_id) {
    using Load = Status (hooks::Hook::*)(hooks::Event&, std::string_view, hooks::StoredSink&);
    const std::pair<EventId, Load> kinds[] = {
        {EventId::stored_client_by_id, &hooks::Hook::stored_client_by_id},
        {EventId::stored_subscriptions_by_client, &hooks::Hook::stored_subscriptions_by_client},
        {EventId::stored_inflight_by_client, &hooks::Hook::stored_inflight_by_client},
    };
    for (const auto& [id, load] : kinds) {
        if (!wants(id)) continue;
        bool loaded = false;
        here_.each(id, [&, load = load, id = id](hooks::Hook& hook) {
            if (loaded) return;
            LoadSink sink(*this, client_id);
            hooks::Event event(id, here_.wall_ms());
            loaded = (hook.*load)(event, client_id, sink) == Status::ok;
            if (event.failed()) here_.core().hooks.report_failure(event, hook);
        });
    }
    const auto known = here_.core().registry.find(client_id);
    return known ? clients_.session(known->session) : nullptr;
}

void Shard::load_retained(std::string_view topic) {
    if (!mqtt::topic_name_valid(ByteView(topic))) return;  // a filter with wildcards names no topic
    const unsigned owner = here_.core().shard_of_topic(ByteView(topic));
    if (owner == here_.number() && shelf_.has(topic)) return;
    here_.each(EventId::stored_retained_by_topic, [&](hooks::Hook& hook) {
        LoadSink sink(*this, {});
        hooks::Event event(EventId::stored_retained_by_topic, here_.wall_ms());
        hook.stored_retained_by_topic(event, topic, sink);
        if (event.failed()) here_.core().hooks.report_failure(event, hook);
        for (mqtt::MessageRef& message : sink.retained) {
            if (message->topic_name().text() != topic) continue;
            here_.core().retained_counts.add(owner, topic);
            post(owner, [message](Shard& shard) {
                const std::string_view name = message->topic_name().text();
                if (!shard.shelf_.has(name)) shard.shelf_.put(message);
                shard.here_.core().retained_counts.remove(shard.here_.number(), name);
            });
        }
    });
}

mqtt::MessageRef Shard::message_of(const Packet& packet, std::string_view origin, int64_t created_ms,
                                   int64_t born_ms, uint8_t published_qos) {
    std::vector<uint8_t> properties;
    forward_properties(packet.properties, properties);
    const auto expiry = packet.properties.number(mqtt::PropertyId::message_expiry_interval);
    mqtt::MessageFields fields;
    fields.topic_name = ByteView(packet.topic_name);
    fields.payload = ByteView(packet.payload);
    fields.properties = ByteView(properties);
    fields.origin_id = ByteView(origin);
    fields.qos = std::max(packet.qos, published_qos);
    fields.retain = packet.retain;
    fields.has_expiry = expiry.has_value();
    fields.expiry_interval = expiry.value_or(0);
    fields.created_ms = created_ms;
    fields.born_ms = born_ms;
    return mqtt::Message::make(fields);
}

/// Its age is what passed since the wall clock showed its time of creation. Of what was stored before the process began
/// the wall clock is all there is to tell; no message is younger than now.
mqtt::MessageRef Shard::stored_message(const hooks::StoredMessage& record) const {
    const int64_t born_ms = std::min(here_.monotonic_of(record.created_ms), here_.now_ms());
    return message_of(record.packet, record.origin, std::min(record.created_ms, here_.wall_ms()), born_ms,
                      record.published_qos);
}

}  // namespace comqtt::broker
