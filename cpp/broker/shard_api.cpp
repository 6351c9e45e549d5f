// What the server asks of a shard, on the shard's thread.

#include "broker/packet_parts.hpp"
#include "broker/shard.hpp"
#include "topics/filter.hpp"

namespace comqtt::broker {

void Shard::disconnect_client(uint64_t subscriber, Reason reason) {
    Session* s = clients_.session(subscriber);
    if (!s || !s->connection) return;
    Connection& c = *s->connection;
    if (here_.core().config.compatibilities.passive_client_disconnect) {
        if (c.version != mqtt::Version::v5) return;
        Packet packet;
        packet.type = mqtt::PacketType::disconnect;
        packet.reason = reason;
        send_packet(c, std::move(packet));
        return;
    }
    close(c, {.reason = reason, .text = "disconnected by the server"});
}

void Shard::expire_client(uint64_t subscriber) {
    Session* s = clients_.session(subscriber);
    if (!s || s->sink) return;
    s->expiry_interval = 0;
    if (s->connection) {
        close(*s->connection,
              {.reason = Reason::administrative_action, .text = "session ended by the server"});
    } else {
        end_session(*s, true);
    }
}

void Shard::send_to_client(uint64_t subscriber, Packet packet) {
    Session* s = clients_.session(subscriber);
    if (!s || !s->connection || s->connection->state != Connection::State::established) return;
    if (packet.type == mqtt::PacketType::publish && packet.qos) {
        // A flow of its own: the packet identifier is ours to give.
        mqtt::PublishView view;
        view_packet(packet, view, forward_buffer_);
        Publication p = Publication::of(view, here_, 0, {});
        session::Delivery form;
        form.qos = packet.qos;
        form.retain = packet.retain;
        deliver(*s, p, std::move(form), {});
        return;
    }
    send_packet(*s->connection, std::move(packet));
}

void Shard::inject(uint64_t subscriber, Packet packet) {
    Session* s = clients_.session(subscriber);
    if (!s) return;
    if (s->client->is_inline) {
        publish_inline(*s->client, std::move(packet));
        return;
    }
    if (!s->connection || s->connection->state != Connection::State::established) return;
    Connection& c = *s->connection;
    if (c.waits_turn) {  // behind what it has sent
        post(here_.number(), [subscriber, packet = std::move(packet)](Shard& shard) mutable {
            shard.inject(subscriber, std::move(packet));
        });
        return;
    }
    here_.metrics().packets_received.add();
    if (packet.type == mqtt::PacketType::publish) here_.metrics().messages_received.add();
    packet.version = c.version;
    Ref<PacketBox> box = box_packet(std::move(packet), c.client->id);
    if (c.suspension) {
        auto& waiting = c.suspension->waiting;
        if (waiting.size() < here_.core().config.capabilities.maximum_client_writes_pending) {
            waiting.push_back(std::move(box));
        } else {
            here_.metrics().quota_exceeded.add();
        }
        return;
    }
    handle_packet(c, std::move(box), true);
}

std::vector<hooks::StoredSubscription> Shard::subscriptions_of(uint64_t subscriber) {
    std::vector<hooks::StoredSubscription> all;
    if (const Session* s = clients_.session(subscriber))
        s->subscriptions.each([&](const std::string& filter, const topics::SubscriptionOptions& options) {
            all.push_back({s->client->id,
                           {filter, static_cast<uint8_t>(options.qos), options.no_local != 0,
                            options.retain_as_published != 0, static_cast<uint8_t>(options.retain_handling)},
                           options.identifier});
        });
    return all;
}

Session& Shard::make_inline_session(Ref<hooks::Client> client, bool owner) {
    Session& s = make_session(std::move(client), owner);
    s.expiry_interval = mqtt::kNoExpiry;
    s.client->connected.store(true, std::memory_order_relaxed);
    return s;
}

void Shard::subscribe_inline(Session& s, std::string_view filter, topics::SubscriptionOptions options,
                             InlineSink sink) {
    s.sink = std::make_unique<InlineSink>(std::move(sink));
    mqtt::TopicFilterEntry entry;
    entry.filter = filter;
    entry.qos = options.qos;
    Packet packet;
    packet.type = mqtt::PacketType::subscribe;
    packet.filters.push_back(entry);
    const auto box = box_packet(std::move(packet), s.client->id);
    if (here_.notify(
            EventId::on_subscribe, s.client.get(), box.get(),
            [&](hooks::Hook& hook, hooks::Event& event) { hook.on_subscribe(event, *s.client, *box); }))
        return;
    bool existed = false;
    int32_t count = 0;
    add_subscription(s, entry, options.identifier, existed, count);
    const uint8_t code = entry.qos;
    here_.notify(EventId::on_subscribed, s.client.get(), box.get(),
                 [&](hooks::Hook& hook, hooks::Event& event) {
                     hook.on_subscribed(event, *s.client, *box, {&code, 1}, {&count, 1});
                 });
    topics::ParsedFilter parsed;
    if (topics::parse_filter(filter, parsed) == topics::FilterError::none && !parsed.shared)
        start_replay(s, parsed.topic_filter, options);
}

void Shard::remove_inline_session(uint64_t subscriber) {
    if (Session* s = clients_.session(subscriber)) end_session(*s, false);
}

void Shard::shut_down(int64_t drain_ms) {
    shutting_down_ = true;
    clients_.each_connection([&](Connection& c) {
        if (c.state == Connection::State::awaiting_connect) {
            close(c,
                  {.reason = Reason::server_shutting_down, .text = "the server stops", .tell_client = false});
        } else {
            close(c, {.reason = Reason::server_shutting_down, .text = "the server stops"});
        }
        c.since_ms = here_.now_ms() + drain_ms;
        schedule(c, c.since_ms);
    });
}

void Shard::terminate() {
    finish_lanes();
    clients_.each_connection([](Connection& c) {
        if (c.link) c.link->abort();
    });
    verdicts_.cancel_all();
    forget_inline_inputs();
}

void Shard::close_listener_clients(const std::string& listener) {
    clients_.each_connection([&](Connection& c) {
        const std::string& own = c.client    ? c.client->listener
                                 : c.opening ? c.opening->peer.listener
                                             : listener;
        if (own == listener)
            close(c, {.reason = Reason::server_shutting_down, .text = "the listener closes"});
    });
}

}  // namespace comqtt::broker
