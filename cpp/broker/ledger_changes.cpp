// Ledger: what becomes of stored state, recorded as it happens.

#include "broker/ledger.hpp"

namespace comqtt::broker {

using hooks::Change;

Change& Ledger::record(Kind kind, const Session* s) {
    return record(kind, s ? s->client : Ref<hooks::Client>());
}

Change& Ledger::record(Kind kind, Ref<hooks::Client> client) {
    Change& change = rounds_.changes().emplace_back();
    change.kind = kind;
    change.client = std::move(client);
    rounds_.vouch();
    rounds_.add_footprint(sizeof(Change));
    return change;
}

Change& Ledger::record_text(Kind kind, const Session* s, std::string_view text) {
    Change& change = record(kind, s);
    change.details = std::make_unique<Change::Details>();
    change.details->text = text;
    rounds_.add_footprint(sizeof(Change::Details) + text.size());
    return change;
}

void Ledger::save_session(const Session& s) {
    const hooks::Client& client = *s.client;
    Change& change = record(Kind::session_saved, &s);
    change.details = std::make_unique<Change::Details>();
    hooks::StoredClient& record = change.details->client;
    record.id = client.id;
    record.username = client.username;
    record.remote = client.remote;
    record.listener = client.listener;
    record.version = client.version;
    record.clean_start = client.clean_start;
    record.session_expiry_s = s.expiry_interval;
    if (!s.connection) record.disconnected_at_ms = client.disconnected_at_ms.load(std::memory_order_relaxed);
    if (s.will) {
        const mqtt::Packet& packet = s.will->box->packet;
        record.has_will = true;
        record.will = {packet.topic_name, packet.payload, packet.qos, packet.retain, packet.properties};
        record.will_due_ms = here_.wall_ms() + std::max<int64_t>(0, s.will->due_ms - here_.now_ms());
    } else if (s.connection && client.will) {
        record.has_will = true;
        record.will = *client.will;
    }
    rounds_.add_footprint(sizeof(Change::Details) + client.id.size() + record.will.payload.size());
}

void Ledger::save_whole_session(Session& s) {
    save_session(s);
    s.subscriptions.each([&](const std::string& filter, const topics::SubscriptionOptions& options) {
        save_subscription(s, filter, options);
    });
    if (!s.flow) return;
    s.flow->inflight.each([&](mqtt::PacketId id, session::Inflight::Entry& entry) {
        const bool released = entry.state == session::Inflight::State::released;
        if (released && !entry.delivery.message) return;
        save_message(s, entry.delivery, id);
        if (released) record(Kind::message_released, &s).position = entry.delivery.position;
    });
    s.flow->queue.each([&](session::Delivery& delivery) {
        if (delivery.qos) save_message(s, delivery, 0);
    });
    for (const mqtt::PacketId id : s.flow->received.all()) record(Kind::received_added, &s).packet_id = id;
}

void Ledger::save_subscription(const Session& s, const std::string& filter,
                               const topics::SubscriptionOptions& options) {
    Change& change = record(Kind::subscription_saved, &s);
    change.details = std::make_unique<Change::Details>();
    hooks::StoredSubscription& record = change.details->subscription;
    record.client_id = s.client->id;
    record.entry = {filter, static_cast<uint8_t>(options.qos), options.no_local != 0,
                    options.retain_as_published != 0, static_cast<uint8_t>(options.retain_handling)};
    record.identifier = options.identifier;
    rounds_.add_footprint(sizeof(Change::Details) + filter.size());
}

void Ledger::save_message(const Session& s, session::Delivery& delivery, mqtt::PacketId id) {
    delivery.position = next_position_++;
    Change& change = record(Kind::message_queued, &s);
    change.qos = delivery.qos;
    change.retain = delivery.retain;
    change.packet_id = id;
    change.position = delivery.position;
    change.message_key = delivery.message->key(here_.core().next_message_key);
    change.message = delivery.message;
    if (delivery.identifiers || delivery.share) {
        change.details = std::make_unique<Change::Details>();
        if (delivery.identifiers) change.details->identifiers = delivery.identifiers->identifiers;
        if (delivery.share) change.details->text = delivery.share->text();
        rounds_.add_footprint(sizeof(Change::Details));
    }
    rounds_.add_footprint(delivery.message->footprint());
}

void Ledger::note_sent(Session& s, mqtt::PacketId id) {
    session::Delivery& delivery = s.flow->inflight.find(id)->delivery;
    if (!delivery.position) {
        save_message(s, delivery, id);
        return;
    }
    Change& change = record(Kind::message_sent, &s);
    change.position = delivery.position;
    change.packet_id = id;
}

void Ledger::forget_message(const Session& s, uint64_t position) {
    if (s.stored && position) record(Kind::message_removed, &s).position = position;
}

void Ledger::record_retained(const mqtt::MessageRef& message) {
    const std::string_view topic = message->topic_name().text();
    if (!storing() || topic.starts_with("$SYS")) return;
    if (message->payload().empty()) {
        record_text(Kind::retained_removed, nullptr, topic);
        return;
    }
    record(Kind::retained_saved, nullptr).message = message;
    rounds_.add_footprint(message->footprint());
}

uint64_t Ledger::log_message(Ref<hooks::Client> log, mqtt::MessageRef message, uint8_t qos, bool retain,
                             std::string receiver) {
    Change& change = record(Kind::message_queued, std::move(log));
    change.message = std::move(message);
    change.message_key = change.message->key(here_.core().next_message_key);
    change.qos = qos;
    change.retain = retain;
    change.position = next_position_++;
    if (!receiver.empty()) {
        change.details = std::make_unique<Change::Details>();
        change.details->text = std::move(receiver);
    }
    rounds_.add_footprint(change.message->footprint());
    return change.position;
}

}  // namespace comqtt::broker
