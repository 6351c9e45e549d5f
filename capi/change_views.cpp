#include "capi/change_views.hpp"

#include "capi/message_packet.hpp"
#include "capi/views.hpp"

namespace comqtt::capi {

namespace {

using Kind = hooks::Change::Kind;

static_assert(COMQTT_CHANGE_SESSION_SAVED == static_cast<int>(Kind::session_saved));
static_assert(COMQTT_CHANGE_MESSAGE_QUEUED == static_cast<int>(Kind::message_queued));
static_assert(COMQTT_CHANGE_CLIENT_UNBLOCKED == static_cast<int>(Kind::client_unblocked));

bool has_nested(Kind kind) {
    return kind == Kind::session_saved || kind == Kind::subscription_saved || kind == Kind::message_queued ||
           kind == Kind::retained_saved;
}
bool has_text(Kind kind) { return kind == Kind::subscription_removed || kind == Kind::retained_removed; }
bool names_client(Kind kind) { return kind == Kind::client_blocked || kind == Kind::client_unblocked; }

/// The will as a PUBLISH; its delay is a member of the record, as a PUBLISH cannot carry it.
Ref<hooks::PacketBox> will_packet(const mqtt::Will& will) {
    auto box = Ref<hooks::PacketBox>::adopt(new hooks::PacketBox);
    box->packet.type = mqtt::PacketType::publish;
    box->packet.topic_name = will.topic_name;
    box->packet.payload = will.payload;
    box->packet.qos = will.qos;
    box->packet.retain = will.retain;
    box->packet.properties = will.properties;
    box->packet.properties.remove(mqtt::PropertyId::will_delay_interval);
    box->frozen = true;
    return box;
}

comqtt_stored_client view_of(const hooks::StoredClient& from, const hooks::PacketBox* will) {
    auto view = comqtt_stored_client_init();
    view.id = to_str(from.id);
    view.username = to_str(from.username);
    view.remote = to_str(from.remote);
    view.listener = to_str(from.listener);
    view.version = static_cast<comqtt_protocol>(from.version);
    view.clean_start = from.clean_start;
    view.session_expiry_s = from.session_expiry_s;
    view.disconnected_unix_ms = from.disconnected_at_ms;
    if (will) {
        view.will = wrap(*will);
        view.will_due_unix_ms = from.will_due_ms;
        view.will_delay_s = from.will.properties.number(mqtt::PropertyId::will_delay_interval).value_or(0);
    }
    view.queued_messages = from.queued_messages;
    view.queued_bytes = from.queued_bytes;
    view.inflight_messages = from.inflight_messages;
    view.last_position = from.last_position;
    view.next_expiry_unix_ms = from.next_expiry_ms;
    return view;
}

comqtt_stored_subscription view_of(const hooks::Change& change, const hooks::StoredSubscription& from) {
    auto view = comqtt_stored_subscription_init();
    view.client_id = to_str(change.client ? change.client->id : from.client_id);
    view.filter = to_str(from.entry.filter);
    view.qos = from.entry.qos;
    view.no_local = from.entry.no_local;
    view.retain_as_published = from.entry.retain_as_published;
    view.retain_handling = from.entry.retain_handling;
    view.identifier = from.identifier;
    return view;
}

/// The message as it goes to the session: QoS, RETAIN, packet id and subscription identifiers are the delivery's.
Result<Ref<hooks::PacketBox>> delivered(const hooks::Change& change) {
    auto made = packet_of(*change.message);
    if (!made) return made;
    mqtt::Packet& packet = (*made)->packet;
    if (change.message->has_expiry())
        packet.properties.set_number(mqtt::PropertyId::message_expiry_interval,
                                     change.message->expiry_interval());
    if (change.kind == Kind::retained_saved) {
        packet.retain = true;
        return made;
    }
    packet.qos = change.qos;
    packet.retain = change.retain;
    packet.packet_id = change.packet_id;
    if (change.details)
        for (const uint32_t identifier : change.details->identifiers)
            packet.properties.add_number(mqtt::PropertyId::subscription_identifier, identifier);
    return made;
}

comqtt_stored_message view_of(const hooks::Change& change, const hooks::PacketBox& packet) {
    auto view = comqtt_stored_message_init();
    if (change.client) view.client_id = to_str(change.client->id);
    view.origin = to_str(change.message->origin_id().text());
    view.packet = wrap(packet);
    view.created_unix_ms = change.message->created_ms();
    view.state = change.packet_id ? COMQTT_STORED_SENT : COMQTT_STORED_QUEUED;
    view.position = change.position;
    if (change.details && !change.details->text.empty()) view.share = to_str(change.details->text);
    view.published_qos = change.message->qos();
    return view;
}

}  // namespace

Result<std::unique_ptr<ChangeViews::Nested>> ChangeViews::make(const hooks::Change& change) {
    auto made = std::make_unique<Nested>();
    if (change.kind == Kind::session_saved) {
        const hooks::StoredClient& client = change.details->client;
        if (client.has_will) made->packet = will_packet(client.will);
        made->record = view_of(client, made->packet.get());
    } else if (change.kind == Kind::subscription_saved) {
        made->record = view_of(change, change.details->subscription);
    } else {
        auto packet = delivered(change);
        if (!packet) return packet.take_error();
        made->packet = packet.take();
        made->record = view_of(change, *made->packet);
    }
    return made;
}

Result<comqtt_change> ChangeViews::at(const hooks::Changes::List& list, size_t index) {
    if (index >= list.size()) return Error{Status::not_found, {}};
    const hooks::Change& from = list[index];
    auto view = comqtt_change_init();
    view.kind = static_cast<comqtt_change_kind>(from.kind);
    if (from.client) view.client_id = to_str(from.client->id);
    if (names_client(from.kind)) view.client_id = to_str(from.details->text);
    if (has_text(from.kind)) view.text = to_str(from.details->text);
    view.position = from.position;
    view.message_key = from.message_key;
    view.packet_id = from.packet_id;
    if (!has_nested(from.kind)) return view;

    if (nested_.empty()) nested_.resize(list.size());
    if (!nested_[index]) {
        auto made = make(from);
        if (!made) return made.take_error();
        nested_[index] = made.take();
    }
    const auto& record = nested_[index]->record;
    view.session = std::get_if<comqtt_stored_client>(&record);
    view.subscription = std::get_if<comqtt_stored_subscription>(&record);
    view.message = std::get_if<comqtt_stored_message>(&record);
    return view;
}

}  // namespace comqtt::capi
