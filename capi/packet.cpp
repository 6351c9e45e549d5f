// Packets: life, plain fields, filters, CONNECT.

#include "capi/packet_edit.hpp"

using namespace comqtt;
using namespace comqtt::capi;

namespace {

const mqtt::Packet kNoPacket;

/// The packet behind a handle; an empty one stands in for none.
const mqtt::Packet& packet_of(const comqtt_packet* handle) {
    const hooks::PacketBox* box = unwrap(handle);
    return box ? box->packet : kNoPacket;
}

comqtt_str view(const std::string& text, bool present = true) {
    return present ? to_str(text) : comqtt_str{nullptr, 0};
}

bool protocol_exists(comqtt_protocol protocol) {
    return protocol == COMQTT_MQTT_3_1 || protocol == COMQTT_MQTT_3_1_1 || protocol == COMQTT_MQTT_5;
}

bool is_type(const comqtt_packet* handle, mqtt::PacketType type) { return packet_of(handle).type == type; }

Result<mqtt::TopicFilterEntry> filter_entry(const comqtt_subscription* entry) {
    comqtt_subscription record;
    if (auto fine = read_record(entry, sizeof record, record, "the filter entry"); !fine)
        return fine.take_error();
    if (text(record.filter).size() > kMaxText) return Error{Status::too_large, "the filter is too long"};
    return mqtt::TopicFilterEntry{std::string(text(record.filter)), record.qos, record.no_local,
                                  record.retain_as_published, record.retain_handling};
}

/// What set_connect would store, checked for what the wire can hold.
Result<void> connect_fits(const comqtt_connect& record) {
    for (const std::string_view value : {text(record.client_id), text(record.username), text(record.password),
                                         text(record.will_topic), text(record.will_payload)})
        if (value.size() > kMaxText) return Error{Status::too_large, "a field is longer than 65,535 bytes"};
    if (record.has_will && record.will_qos > 2) return invalid("there is no QoS above 2");
    return {};
}

void store_connect(const comqtt_connect& record, mqtt::ConnectFields& fields) {
    fields.client_id = text(record.client_id);
    fields.clean_start = record.clean_start;
    fields.keep_alive = record.keep_alive;
    fields.username.reset();
    fields.password.reset();
    if (record.username.ptr) fields.username = text(record.username);
    if (record.password.ptr) fields.password = text(record.password);
    if (!record.has_will) {
        fields.will.reset();
        return;
    }
    if (!fields.will) fields.will.emplace();
    fields.will->topic_name = text(record.will_topic);
    fields.will->payload = text(record.will_payload);
    fields.will->qos = record.will_qos;
    fields.will->retain = record.will_retain;
}

}  // namespace

comqtt_status comqtt_packet_new(comqtt_packet_kind kind, comqtt_protocol protocol,
                                comqtt_packet** out_packet) {
    return guarded(nullptr, [&]() -> Result<void> {
        if (!out_packet) return invalid("out_packet is NULL");
        if (kind < COMQTT_CONNECT || kind > COMQTT_AUTH) return invalid("no such packet type");
        if (!protocol_exists(protocol)) return invalid("no such protocol version");
        auto* box = new hooks::PacketBox;
        box->packet.type = static_cast<mqtt::PacketType>(kind);
        box->packet.version = static_cast<mqtt::Version>(protocol);
        *out_packet = wrap(*box);
        return {};
    });
}

comqtt_status comqtt_packet_clone(const comqtt_packet* packet, comqtt_packet** out_packet) {
    return guarded(nullptr, [&]() -> Result<void> {
        const hooks::PacketBox* from = unwrap(packet);
        if (!from || !out_packet) return invalid("a parameter is NULL or not a packet");
        auto box = Ref<hooks::PacketBox>::adopt(new hooks::PacketBox);
        box->packet = from->packet;
        box->origin = from->origin;
        box->created_ms = from->created_ms;
        *out_packet = wrap(*box.detach());
        return {};
    });
}

comqtt_packet* comqtt_packet_retain(const comqtt_packet* packet) {
    if (hooks::PacketBox* box = unwrap(packet)) retain(box);
    return const_cast<comqtt_packet*>(packet);
}

void comqtt_packet_release(comqtt_packet* packet) {
    if (hooks::PacketBox* box = unwrap(packet)) release(box);
}

bool comqtt_packet_is_frozen(const comqtt_packet* packet) {
    const hooks::PacketBox* box = unwrap(packet);
    return !box || box->frozen;
}

comqtt_packet_kind comqtt_packet_type(const comqtt_packet* packet) {
    return static_cast<comqtt_packet_kind>(packet_of(packet).type);
}
comqtt_protocol comqtt_packet_version(const comqtt_packet* packet) {
    return unwrap(packet) ? static_cast<comqtt_protocol>(packet_of(packet).version) : comqtt_protocol{0};
}
uint8_t comqtt_packet_qos(const comqtt_packet* packet) { return packet_of(packet).qos; }
bool comqtt_packet_dup(const comqtt_packet* packet) { return packet_of(packet).dup; }
bool comqtt_packet_retain_flag(const comqtt_packet* packet) { return packet_of(packet).retain; }
comqtt_str comqtt_packet_topic(const comqtt_packet* packet) {
    return view(packet_of(packet).topic_name, is_type(packet, mqtt::PacketType::publish));
}
comqtt_bytes comqtt_packet_payload(const comqtt_packet* packet) {
    if (!is_type(packet, mqtt::PacketType::publish)) return {nullptr, 0};
    return to_bytes(std::string_view(packet_of(packet).payload));
}
uint16_t comqtt_packet_id(const comqtt_packet* packet) { return packet_of(packet).packet_id; }
comqtt_reason comqtt_packet_reason(const comqtt_packet* packet) {
    return static_cast<comqtt_reason>(packet_of(packet).reason);
}
bool comqtt_packet_session_present(const comqtt_packet* packet) { return packet_of(packet).session_present; }
comqtt_bytes comqtt_packet_reason_codes(const comqtt_packet* packet) {
    const auto& codes = packet_of(packet).reason_codes;
    return {codes.data(), codes.size()};
}
comqtt_str comqtt_packet_origin(const comqtt_packet* packet) {
    const hooks::PacketBox* box = unwrap(packet);
    return box ? to_str(box->origin) : comqtt_str{nullptr, 0};
}
int64_t comqtt_packet_created_unix_ms(const comqtt_packet* packet) {
    const hooks::PacketBox* box = unwrap(packet);
    return box ? box->created_ms : 0;
}

comqtt_status comqtt_packet_set_version(comqtt_packet* packet, comqtt_protocol protocol) {
    return edit(packet, [&](mqtt::Packet& it) -> Result<void> {
        if (!protocol_exists(protocol)) return invalid("no such protocol version");
        it.version = static_cast<mqtt::Version>(protocol);
        return {};
    });
}

comqtt_status comqtt_packet_set_qos(comqtt_packet* packet, uint8_t qos) {
    return edit(packet, [&](mqtt::Packet& it) -> Result<void> {
        if (qos > 2) return invalid("there is no QoS above 2");
        it.qos = qos;
        return {};
    });
}

comqtt_status comqtt_packet_set_dup(comqtt_packet* packet, bool dup) {
    return edit(packet, [&](mqtt::Packet& it) -> Result<void> {
        it.dup = dup;
        return {};
    });
}

comqtt_status comqtt_packet_set_retain_flag(comqtt_packet* packet, bool retain) {
    return edit(packet, [&](mqtt::Packet& it) -> Result<void> {
        it.retain = retain;
        return {};
    });
}

comqtt_status comqtt_packet_set_topic(comqtt_packet* packet, comqtt_str topic) {
    return edit(packet, [&](mqtt::Packet& it) -> Result<void> {
        if (text(topic).size() > kMaxText) return Error{Status::too_large, {}};
        it.topic_name = text(topic);
        return {};
    });
}

comqtt_status comqtt_packet_set_payload(comqtt_packet* packet, comqtt_bytes payload) {
    return edit(packet, [&](mqtt::Packet& it) -> Result<void> {
        if (text(payload).size() > mqtt::kMaxRemainingLength) return Error{Status::too_large, {}};
        it.payload = text(payload);
        return {};
    });
}

comqtt_status comqtt_packet_set_id(comqtt_packet* packet, uint16_t packet_id) {
    return edit(packet, [&](mqtt::Packet& it) -> Result<void> {
        it.packet_id = packet_id;
        return {};
    });
}

comqtt_status comqtt_packet_set_reason(comqtt_packet* packet, comqtt_reason reason) {
    return edit(packet, [&](mqtt::Packet& it) -> Result<void> {
        it.reason = static_cast<mqtt::Reason>(reason);
        return {};
    });
}

comqtt_status comqtt_packet_set_session_present(comqtt_packet* packet, bool present) {
    return edit(packet, [&](mqtt::Packet& it) -> Result<void> {
        it.session_present = present;
        return {};
    });
}

comqtt_status comqtt_packet_set_reason_codes(comqtt_packet* packet, comqtt_bytes codes) {
    return edit(packet, [&](mqtt::Packet& it) -> Result<void> {
        const ByteView from = bytes(codes);
        it.reason_codes.assign(from.begin(), from.end());
        return {};
    });
}

size_t comqtt_packet_filter_count(const comqtt_packet* packet) { return packet_of(packet).filters.size(); }

comqtt_status comqtt_packet_filter(const comqtt_packet* packet, size_t index,
                                   comqtt_subscription* out_entry) {
    return guarded(nullptr, [&]() -> Result<void> {
        if (!unwrap(packet)) return invalid("the packet is NULL or not a packet");
        const auto& filters = packet_of(packet).filters;
        if (index >= filters.size()) return outcome(Status::not_found);
        const auto& entry = filters[index];
        const comqtt_subscription row = {sizeof row,
                                         to_str(entry.filter),
                                         entry.qos,
                                         entry.no_local,
                                         entry.retain_as_published,
                                         entry.retain_handling,
                                         0};
        return write_record(row, out_entry, "the filter entry");
    });
}

comqtt_status comqtt_packet_add_filter(comqtt_packet* packet, const comqtt_subscription* entry) {
    return edit(packet, [&](mqtt::Packet& it) -> Result<void> {
        auto made = filter_entry(entry);
        if (!made) return made.take_error();
        it.filters.push_back(made.take());
        return {};
    });
}

comqtt_status comqtt_packet_set_filter(comqtt_packet* packet, size_t index,
                                       const comqtt_subscription* entry) {
    return edit(packet, [&](mqtt::Packet& it) -> Result<void> {
        auto made = filter_entry(entry);
        if (!made) return made.take_error();
        if (index >= it.filters.size()) return outcome(Status::not_found);
        it.filters[index] = made.take();
        return {};
    });
}

comqtt_status comqtt_packet_remove_filter(comqtt_packet* packet, size_t index) {
    return edit(packet, [&](mqtt::Packet& it) -> Result<void> {
        if (index >= it.filters.size()) return outcome(Status::not_found);
        it.filters.erase(it.filters.begin() + static_cast<std::ptrdiff_t>(index));
        return {};
    });
}

comqtt_status comqtt_packet_connect(const comqtt_packet* packet, comqtt_connect* out_connect) {
    return guarded(nullptr, [&]() -> Result<void> {
        if (!unwrap(packet)) return invalid("the packet is NULL or not a packet");
        if (!is_type(packet, mqtt::PacketType::connect))
            return Error{Status::state, "the packet is not a CONNECT"};
        const mqtt::ConnectFields& fields = packet_of(packet).connect;
        comqtt_connect row{};
        row.struct_size = sizeof row;
        row.protocol_name = to_str(fields.protocol_name);
        row.client_id = to_str(fields.client_id);
        if (fields.username) row.username = to_str(*fields.username);
        if (fields.password) row.password = to_bytes(std::string_view(*fields.password));
        row.keep_alive = fields.keep_alive;
        row.clean_start = fields.clean_start;
        row.has_will = fields.will.has_value();
        if (fields.will) {
            row.will_qos = fields.will->qos;
            row.will_retain = fields.will->retain;
            row.will_topic = to_str(fields.will->topic_name);
            row.will_payload = to_bytes(std::string_view(fields.will->payload));
        }
        return write_record(row, out_connect, "the CONNECT record");
    });
}

comqtt_status comqtt_packet_set_connect(comqtt_packet* packet, const comqtt_connect* connect) {
    return edit(packet, [&](mqtt::Packet& it) -> Result<void> {
        comqtt_connect record;
        if (it.type != mqtt::PacketType::connect) return Error{Status::state, "the packet is not a CONNECT"};
        if (auto fine = read_record(connect, sizeof record, record, "the CONNECT record"); !fine) return fine;
        if (auto fine = connect_fits(record); !fine) return fine;
        // The record's views may come from this very packet.
        mqtt::ConnectFields fields = it.connect;
        store_connect(record, fields);
        it.connect = std::move(fields);
        return {};
    });
}
