// The inline client: publish, subscribe, inject; retained messages.

#include <algorithm>

#include "capi/guard.hpp"
#include "capi/message_packet.hpp"
#include "capi/views.hpp"
#include "mqtt/codec.hpp"
#include "mqtt/message.hpp"
#include "topics/filter.hpp"

using namespace comqtt;
using namespace comqtt::capi;

namespace {

/// The application's end of an inline subscription; dies with the last copy of the handler.
struct Subscriber {
    comqtt_message_fn fn;
    Drop drop;
    Ref<comqtt_server> owner;

    void operator()(const server::InlineMessage& message) const {
        const CallbackScope scope(*owner);
        fn(drop.user(), message.subscription, wrap(message.client, *owner), wrap(message.packet));
    }
};

/// A retained message as a packet, with the seconds it has left.
Result<Ref<hooks::PacketBox>> retained_packet(const mqtt::Message& message, int64_t now_ms) {
    auto made = packet_of(message);
    if (!made) return made;
    mqtt::Packet& packet = (*made)->packet;
    packet.retain = true;
    if (message.has_expiry()) {
        const int64_t left_s = std::max<int64_t>((message.due_ms() - now_ms) / 1000, 0);
        packet.properties.set_number(mqtt::PropertyId::message_expiry_interval,
                                     static_cast<uint32_t>(left_s));
    }
    return made;
}

Result<void> valid_filter(comqtt_str filter) {
    if (comqtt_topic_filter_is_valid(filter)) return {};
    return Error{Status::protocol, "the topic filter is not valid", COMQTT_REASON_TOPIC_FILTER_INVALID};
}

}  // namespace

comqtt_status comqtt_server_publish(comqtt_server* server, comqtt_str topic, comqtt_bytes payload,
                                    uint8_t qos, bool retain, comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        if (qos > 2) return invalid("there is no QoS above 2");
        if (!comqtt_topic_name_is_valid(topic))
            return Error{Status::protocol, "the topic name is not valid", COMQTT_REASON_TOPIC_NAME_INVALID};
        return entry->publish(text(topic), bytes(payload), qos, retain);
    });
}

comqtt_status comqtt_server_publish_packet(comqtt_server* server, const comqtt_packet* packet,
                                           comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        const hooks::PacketBox* box = unwrap(packet);
        if (!box) return invalid("the packet is NULL or not a packet");
        if (box->packet.type != mqtt::PacketType::publish) return invalid("the packet is not a PUBLISH");
        return entry->publish(box->packet);
    });
}

comqtt_status comqtt_server_subscribe(comqtt_server* server, comqtt_str filter, uint8_t qos,
                                      uint32_t identifier, comqtt_message_fn fn, void* user,
                                      comqtt_drop_fn drop, uint64_t* out_subscription,
                                      comqtt_error** out_error) {
    Drop owned(user, drop);
    return guarded(out_error, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        if (!fn) return invalid("the function is NULL");
        if (qos > 2) return invalid("there is no QoS above 2");
        if (auto fine = valid_filter(filter); !fine) return fine;
        auto subscriber = std::make_shared<const Subscriber>(
            Subscriber{fn, std::move(owned), Ref<comqtt_server>::share(&entry.core())});
        auto token =
            entry->subscribe(text(filter), qos, identifier,
                             [subscriber](const server::InlineMessage& message) { (*subscriber)(message); });
        if (!token) return token.take_error();
        if (out_subscription) *out_subscription = *token;
        return {};
    });
}

comqtt_status comqtt_server_unsubscribe(comqtt_server* server, uint64_t subscription) {
    return guarded(nullptr, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        return outcome(entry->unsubscribe(subscription));
    });
}

comqtt_status comqtt_server_new_inline_client(comqtt_server* server, comqtt_str id,
                                              comqtt_client** out_client, comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        if (!out_client) return invalid("out_client is NULL");
        if (text(id).empty()) return invalid("the client id is empty");
        auto client = entry->new_inline_client(text(id));
        if (!client) return client.take_error();
        *out_client = wrap(*client->detach(), entry.core());
        return {};
    });
}

comqtt_status comqtt_server_inject(comqtt_server* server, comqtt_client* client, const comqtt_packet* packet,
                                   comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        const hooks::Client* object = unwrap(client);
        const hooks::PacketBox* box = unwrap(packet);
        if (!object) return invalid("the client is NULL or not a client");
        if (!box) return invalid("the packet is NULL or not a packet");
        if (object->host.get() != &entry.core().host) return invalid("the client belongs to another server");
        if (!object->is_inline && !object->connected.load())
            return Error{Status::closed, "the client is not connected"};
        return entry->inject(*object, box->packet);
    });
}

comqtt_status comqtt_server_each_retained(comqtt_server* server, comqtt_str filter, comqtt_packet_fn fn,
                                          void* user) {
    return guarded(nullptr, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        if (!fn) return invalid("the function is NULL");
        if (auto fine = valid_filter(filter); !fine) return fine;
        const auto all = entry->retained(text(filter));
        const int64_t now_ms = entry->monotonic_ms();
        const auto core = entry.release_now();
        const CallbackScope scope;
        for (const auto& message : all) {
            auto box = retained_packet(*message, now_ms);
            if (!box) return box.take_error();
            if (!fn(user, wrap(**box))) break;
        }
        return {};
    });
}

comqtt_status comqtt_server_clear_retained(comqtt_server* server, comqtt_str topic) {
    return guarded(nullptr, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        return outcome(entry->clear_retained(text(topic)));
    });
}
