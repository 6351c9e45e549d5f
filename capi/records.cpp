#include "capi/records.hpp"

namespace comqtt::capi {

namespace {

Result<const mqtt::Packet*> publish_of(const comqtt_packet* handle) {
    const hooks::PacketBox* box = unwrap(handle);
    if (!box) return invalid("the packet is NULL or not a packet");
    if (box->packet.type != mqtt::PacketType::publish) return invalid("the packet is not a PUBLISH");
    return &box->packet;
}

bool is_shared_filter(comqtt_str filter) {
    return text(filter).starts_with("$share/") && comqtt_topic_filter_is_valid(filter);
}

}  // namespace

Result<hooks::StoredClient> convert(const comqtt_stored_client& record) {
    if (text(record.id).empty()) return invalid("the record has no client id");
    const uint8_t version = record.version == 0 ? uint8_t{COMQTT_MQTT_5} : record.version;
    if (version < COMQTT_MQTT_3_1 || version > COMQTT_MQTT_5) return invalid("no such protocol version");
    hooks::StoredClient out;
    out.id = text(record.id);
    out.username = text(record.username);
    out.remote = text(record.remote);
    out.listener = text(record.listener);
    out.version = static_cast<mqtt::Version>(version);
    out.clean_start = record.clean_start;
    out.session_expiry_s = record.session_expiry_s;
    out.disconnected_at_ms = record.disconnected_unix_ms;
    out.queued_messages = record.queued_messages;
    out.queued_bytes = record.queued_bytes;
    out.inflight_messages = record.inflight_messages;
    out.last_position = record.last_position;
    out.next_expiry_ms = record.next_expiry_unix_ms;
    if (!record.will) return out;
    auto packet = publish_of(record.will);
    if (!packet) return packet.take_error();
    out.has_will = true;
    out.will = {(*packet)->topic_name, (*packet)->payload, (*packet)->qos, (*packet)->retain,
                (*packet)->properties};
    if (record.will_delay_s)
        out.will.properties.set_number(mqtt::PropertyId::will_delay_interval, record.will_delay_s);
    out.will_due_ms = record.will_due_unix_ms;
    return out;
}

Result<hooks::StoredSubscription> convert(const comqtt_stored_subscription& record) {
    if (text(record.client_id).empty()) return invalid("the record has no client id");
    if (!comqtt_topic_filter_is_valid(record.filter)) return invalid("the topic filter is not valid");
    if (record.qos > 2 || record.retain_handling > 2)
        return invalid("an option of the subscription is out of range");
    hooks::StoredSubscription out;
    out.client_id = text(record.client_id);
    out.entry = {std::string(text(record.filter)), record.qos, record.no_local, record.retain_as_published,
                 record.retain_handling};
    out.identifier = record.identifier;
    return out;
}

Result<hooks::StoredMessage> convert(const comqtt_stored_message& record) {
    if (record.state < COMQTT_STORED_QUEUED || record.state > COMQTT_STORED_RELEASED)
        return invalid("no such state of a message");
    if (!text(record.share).empty() && !is_shared_filter(record.share))
        return invalid("the shared subscription of the message is not valid");
    if (record.published_qos > 2) return invalid("there is no such QoS");
    auto packet = publish_of(record.packet);
    if (!packet) return packet.take_error();
    hooks::StoredMessage out;
    out.client_id = text(record.client_id);
    out.origin = text(record.origin);
    out.packet = **packet;
    out.created_ms = record.created_unix_ms;
    out.sent_ms = record.sent_unix_ms;
    out.state = static_cast<hooks::StoredMessage::State>(record.state);
    out.position = record.position;
    out.share = text(record.share);
    out.published_qos = record.published_qos;
    return out;
}

}  // namespace comqtt::capi
