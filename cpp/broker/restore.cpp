// Restoring stored state before the shards run.

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
    const int64_t gone_ms = record.disconnected_at_ms ? record.disconnected_at_ms : wall_ms_;
    client->disconnected_at_ms.store(gone_ms, std::memory_order_relaxed);
    Session& s = make_session(client);
    s.expiry_interval = record.session_expiry_s;
    if (record.session_expiry_s != mqtt::kNoExpiry)
        s.expires_ms = now_ms_ + std::max<int64_t>(
                                     0, gone_ms + int64_t{record.session_expiry_s} * 1000 - wall_ms_);
    if (record.has_will) {
        s.will = std::make_unique<DelayedWill>();
        s.will->box = box_will(*client, record.will);
        s.will->client = client;
        s.will->due_ms = now_ms_ + std::max<int64_t>(0, record.will_due_ms - wall_ms_);
    }
    core_.registry.put(client);
    schedule(s, deadline_of(s));
}

Result<void> Shard::restore_subscription(const hooks::StoredSubscription& record) {
    const auto client = core_.registry.find(record.client_id);
    Session* s = client ? find_session(client->session) : nullptr;
    topics::ParsedFilter parsed;
    if (!s || topics::parse_filter(record.entry.filter, parsed) != topics::FilterError::none)
        return Error{Status::invalid_argument, "a stored subscription of '" + record.client_id + "' to '" +
                                                   record.entry.filter + "' has no client or a bad filter"};
    bool existed = false;
    int32_t count = 0;
    add_subscription(*s, record.entry, record.identifier, existed, count);
    return {};
}

Result<void> Shard::restore_message(const hooks::StoredMessage& record) {
    const auto client = core_.registry.find(record.client_id);
    Session* s = client ? find_session(client->session) : nullptr;
    if (!s)
        return Error{Status::invalid_argument,
                     "a stored message belongs to the unknown client '" + record.client_id + "'"};
    if (record.state == hooks::StoredMessage::State::received) {
        s->make_flow().received.add(record.packet.packet_id);
        return {};
    }
    session::Delivery delivery;
    delivery.message = message_of(record.packet, record.origin, record.created_ms);
    delivery.qos = record.packet.qos;
    delivery.retain = record.packet.retain;
    delivery.sent = record.state != hooks::StoredMessage::State::queued;
    if (!delivery.sent) {
        enqueue(*s, std::move(delivery), {});
        return {};
    }
    if (!s->make_flow().inflight.restore(record.packet.packet_id, std::move(delivery),
                                         record.state == hooks::StoredMessage::State::released))
        return Error{Status::invalid_argument, "stored in-flight messages of '" + record.client_id +
                                                   "' are not in the order of their packet identifiers"};
    metrics_.inflight.add();
    return {};
}

void Shard::restore_retained(mqtt::MessageRef message) { store_retained(std::move(message)); }

mqtt::MessageRef Shard::message_of(const Packet& packet, std::string_view origin, int64_t created_ms) {
    std::vector<uint8_t> properties;
    forward_properties(packet.properties, properties);
    const auto expiry = packet.properties.number(mqtt::PropertyId::message_expiry_interval);
    mqtt::MessageFields fields;
    fields.topic_name = ByteView(packet.topic_name);
    fields.payload = ByteView(packet.payload);
    fields.properties = ByteView(properties);
    fields.origin_id = ByteView(origin);
    fields.qos = packet.qos;
    fields.retain = packet.retain;
    fields.has_expiry = expiry.has_value();
    fields.expiry_interval = expiry.value_or(0);
    fields.created_ms = created_ms;
    return mqtt::Message::make(fields);
}

}  // namespace comqtt::broker
