// A client: counting, accessors, operations.

#include "capi/guard.hpp"
#include "capi/views.hpp"
#include "mqtt/codec.hpp"

using namespace comqtt;
using namespace comqtt::capi;

namespace {

/// A member of a client, or the zero value.
template <typename Value, typename Get>
Value get_or(const comqtt_client* handle, Value otherwise, Get&& get) {
    const hooks::Client* client = unwrap(handle);
    return client ? static_cast<Value>(get(*client)) : otherwise;
}

comqtt_str text_of(const comqtt_client* handle, std::string hooks::Client::*member) {
    const hooks::Client* client = unwrap(handle);
    return client ? to_str(client->*member) : comqtt_str{nullptr, 0};
}

Error no_client() { return invalid("the client is NULL or not a client"); }

}  // namespace

comqtt_client* comqtt_client_retain(const comqtt_client* client) {
    if (hooks::Client* object = unwrap(client)) retain(object);
    return const_cast<comqtt_client*>(client);
}

void comqtt_client_release(comqtt_client* client) {
    const CallbackScope scope;  // the last count drops the user data
    if (hooks::Client* object = unwrap(client)) release(object);
}

comqtt_str comqtt_client_id(const comqtt_client* client) { return text_of(client, &hooks::Client::id); }
comqtt_str comqtt_client_username(const comqtt_client* client) {
    return text_of(client, &hooks::Client::username);
}
comqtt_str comqtt_client_remote(const comqtt_client* client) {
    return text_of(client, &hooks::Client::remote);
}
comqtt_str comqtt_client_listener(const comqtt_client* client) {
    return text_of(client, &hooks::Client::listener);
}

comqtt_protocol comqtt_client_version(const comqtt_client* client) {
    return get_or<comqtt_protocol>(client, 0,
                                   [](auto& c) { return static_cast<comqtt_protocol>(c.version); });
}
bool comqtt_client_clean_start(const comqtt_client* client) {
    return get_or<bool>(client, false, [](auto& c) { return c.clean_start; });
}
bool comqtt_client_is_inline(const comqtt_client* client) {
    return get_or<bool>(client, false, [](auto& c) { return c.is_inline; });
}
bool comqtt_client_is_connected(const comqtt_client* client) {
    return get_or<bool>(client, false, [](auto& c) { return c.connected.load(); });
}
uint16_t comqtt_client_keep_alive(const comqtt_client* client) {
    return get_or<uint16_t>(client, 0, [](auto& c) { return c.keep_alive.load(); });
}
int64_t comqtt_client_connected_unix_ms(const comqtt_client* client) {
    return get_or<int64_t>(client, 0, [](auto& c) { return c.connected_at_ms; });
}
int64_t comqtt_client_disconnected_unix_ms(const comqtt_client* client) {
    return get_or<int64_t>(client, 0, [](auto& c) { return c.disconnected_at_ms.load(); });
}
uint32_t comqtt_client_session_expiry_s(const comqtt_client* client) {
    return get_or<uint32_t>(client, 0, [](auto& c) { return c.session_expiry_s.load(); });
}
uint64_t comqtt_client_bytes_in(const comqtt_client* client) {
    return get_or<uint64_t>(client, 0, [](auto& c) { return c.bytes_in.load(); });
}
uint64_t comqtt_client_bytes_out(const comqtt_client* client) {
    return get_or<uint64_t>(client, 0, [](auto& c) { return c.bytes_out.load(); });
}
uint32_t comqtt_client_inflight_count(const comqtt_client* client) {
    return get_or<uint32_t>(client, 0, [](auto& c) { return c.inflight.load(); });
}
uint32_t comqtt_client_queued_count(const comqtt_client* client) {
    return get_or<uint32_t>(client, 0, [](auto& c) { return c.queued.load(); });
}

comqtt_status comqtt_client_set_keep_alive(comqtt_client* client, uint16_t seconds) {
    return guarded(nullptr, [&]() -> Result<void> {
        hooks::Client* object = unwrap(client);
        if (!object) return no_client();
        if (object->session != 0 || object->connected.load()) return outcome(Status::state);
        object->keep_alive.store(seconds);
        object->keep_alive_changed.store(true);
        return {};
    });
}

comqtt_status comqtt_client_will(const comqtt_client* client, comqtt_packet** out_packet) {
    return guarded(nullptr, [&]() -> Result<void> {
        const hooks::Client* object = unwrap(client);
        if (!object || !out_packet) return invalid("a parameter is NULL or not a client");
        if (!object->will) return outcome(Status::not_found);
        const mqtt::Will& will = *object->will;
        auto box = Ref<hooks::PacketBox>::adopt(new hooks::PacketBox);
        box->packet.type = mqtt::PacketType::publish;
        box->packet.version = object->version;
        box->packet.qos = will.qos;
        box->packet.retain = will.retain;
        box->packet.topic_name = will.topic_name;
        box->packet.payload = will.payload;
        box->packet.properties = will.properties;
        box->origin = object->id;
        *out_packet = wrap(*box.detach());
        return {};
    });
}

void* comqtt_client_user(const comqtt_client* client) {
    const hooks::Client* object = unwrap(client);
    return object ? object->user_data() : nullptr;
}

comqtt_status comqtt_client_set_user(comqtt_client* client, void* user, comqtt_drop_fn drop) {
    Drop owned(user, drop);
    return guarded(nullptr, [&]() -> Result<void> {
        hooks::Client* object = unwrap(client);
        if (!object) return no_client();
        owned.give_away();
        const CallbackScope scope;
        object->set_user_data(user, drop);
        return {};
    });
}

comqtt_status comqtt_client_disconnect(comqtt_client* client, comqtt_reason reason) {
    return guarded(nullptr, [&]() -> Result<void> {
        hooks::Client* object = unwrap(client);
        Entry entry(object);
        if (!entry) return entry.error();
        if (!object->connected.load()) return outcome(Status::closed);
        return outcome(entry->disconnect(*object, static_cast<mqtt::Reason>(reason)));
    });
}

comqtt_status comqtt_client_expire(comqtt_client* client) {
    return guarded(nullptr, [&]() -> Result<void> {
        hooks::Client* object = unwrap(client);
        Entry entry(object);
        if (!entry) return entry.error();
        return outcome(entry->expire(*object));
    });
}

comqtt_status comqtt_client_send(comqtt_client* client, const comqtt_packet* packet) {
    return guarded(nullptr, [&]() -> Result<void> {
        hooks::Client* object = unwrap(client);
        Entry entry(object);
        if (!entry) return entry.error();
        const hooks::PacketBox* box = unwrap(packet);
        if (!box) return invalid("the packet is NULL or not a packet");
        mqtt::Packet sent = box->packet;
        sent.version = object->version;
        if (sent.type == mqtt::PacketType::publish) sent.packet_id = sent.qos ? 1 : 0;
        if (const auto error = mqtt::validate_packet(sent, false))
            return Error{Status::protocol, error.what, static_cast<uint8_t>(error.reason)};
        return outcome(entry->send(*object, box->packet));
    });
}

comqtt_status comqtt_client_each_subscription(const comqtt_client* client, comqtt_subscription_fn fn,
                                              void* user) {
    return guarded(nullptr, [&]() -> Result<void> {
        hooks::Client* object = unwrap(client);
        Entry entry(object);
        if (!entry) return entry.error();
        if (!fn) return invalid("the function is NULL");
        const auto all = entry->subscriptions(*object);
        const auto core = entry.release_now();
        const CallbackScope scope;
        for (const auto& item : all) {
            const mqtt::TopicFilterEntry& of = item.entry;
            const comqtt_subscription row = {sizeof row,     to_str(of.filter),      of.qos,
                                             of.no_local,    of.retain_as_published, of.retain_handling,
                                             item.identifier};
            if (!fn(user, &row)) break;
        }
        return {};
    });
}
