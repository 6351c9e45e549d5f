// How connections and sessions end.

#include "broker/shard.hpp"
#include "topics/filter.hpp"

namespace comqtt::broker {

void Shard::protocol_error(Connection& c, const mqtt::DecodeError& error) {
    here_.metrics().protocol_errors.add();
    close(c, {.reason = error.reason,
              .text = error.what,
              .statement = error.statement,
              .level = LogLevel::warn,
              .offset = static_cast<int64_t>(error.offset)});
}

void Shard::protocol_error(Connection& c, Reason reason, const char* statement, const char* text) {
    here_.metrics().protocol_errors.add();
    close(c, {.reason = reason, .text = text, .statement = statement, .level = LogLevel::warn});
}

void Shard::close(Connection& c, const CloseCause& cause) {
    if (c.state == Connection::State::closing) return;
    log_end(c, cause);
    if (cause.tell_client && c.version == mqtt::Version::v5 &&
        c.state != Connection::State::awaiting_connect) {
        Packet packet;
        packet.type = c.state == Connection::State::established ? mqtt::PacketType::disconnect
                                                                : mqtt::PacketType::connack;
        packet.reason = cause.reason;
        if (!mqtt::reason_allowed(packet.reason, packet.type, true))
            packet.reason = packet.type == mqtt::PacketType::connack ? Reason::server_unavailable
                                                                     : Reason::unspecified_error;
        if (*cause.text && c.problem_information)
            packet.properties.set_text(mqtt::PropertyId::reason_string, cause.text);
        send_packet(c, std::move(packet));
    }
    c.state = Connection::State::closing;
    uncount_connecting(c);
    forget_waiting_connect(c);
    c.partial = {};
    c.since_ms = here_.now_ms() + here_.core().config.limits.close_timeout_ms;
    schedule(c, c.since_ms);
    cancel_suspension(c);
    end_congestion(c);
    c.congestion.reset();
    c.waiting.reset();
    end_session_part(c, cause);
    note_taker(c);
    if (c.link_lost) {
        forget(c);
    } else {
        touch_output(c);
    }
}

void Shard::cancel_suspension(Connection& c) {
    if (!c.suspension) return;
    const uint64_t number = c.suspension->pending;
    c.suspension.reset();
    verdicts_.cancel(number);
}

void Shard::end_session_part(Connection& c, const CloseCause& cause) {
    if (!c.session) return;
    Session& s = *c.session;
    const Ref<hooks::Client> client = c.client;
    c.session = nullptr;
    s.connection = nullptr;
    c.last_route = nullptr;
    replays_.stop_all(s.replays);
    here_.metrics().retained_replays.set(replays_.count());
    client->connected.store(false, std::memory_order_release);
    client->disconnected_at_ms.store(here_.wall_ms(), std::memory_order_relaxed);
    here_.core().connected.fetch_sub(1, std::memory_order_relaxed);
    const bool ends = s.expiry_interval == 0;
    if (cause.send_will && client->will) settle_will(s, ends);
    here_.notify(EventId::on_disconnect, client.get(), nullptr, [&](hooks::Hook& hook, hooks::Event& event) {
        hook.on_disconnect(event, *client, {cause.reason, cause.text, cause.by_client, cause.clean, ends});
    });
    if (ends) {
        end_session(s, false);
        return;
    }
    if (s.expiry_interval != mqtt::kNoExpiry)
        s.expires_ms = here_.now_ms() + int64_t{s.expiry_interval} * 1000;
    if (s.stored) ledger_.save_session(s);
    if (s.flow) {
        // QoS 0 messages do not wait for an offline client.
        s.flow->queue.remove_if([&](session::Delivery& delivery) {
            if (delivery.qos) return false;
            uncount_queued(1, delivery.message->footprint());
            return true;
        });
        s.flow->resend.clear();
    }
    note_fullness(s);
    if (s.shared_member) {
        set_members_online(s, false);
        redeliver_shared(s, false);
    }
    schedule(s, deadline_of(s));
}

void Shard::set_members_online(Session& s, bool online) {
    s.subscriptions.each([&](const std::string& filter, const topics::SubscriptionOptions&) {
        topics::ParsedFilter parsed;
        if (topics::parse_filter(filter, parsed) == topics::FilterError::none && parsed.shared)
            here_.core().index.set_online(parsed.topic_filter, parsed.share_name, s.id, online);
    });
}

void Shard::end_session(Session& s, bool expired) {
    const Ref<hooks::Client> client = s.client;
    if (expired)
        here_.notify(EventId::on_client_expired, client.get(), nullptr,
                     [&](hooks::Hook& hook, hooks::Event& event) { hook.on_client_expired(event, *client); });
    if (s.will) {
        const auto will = std::move(s.will);
        begin_will(*will->client, will->box, 0);
    }
    if (s.read_hold) {
        verdicts_.cancel(s.read_hold->number);
        s.read_hold.reset();
    }
    if (s.shared_member) {
        set_members_online(s, false);
        redeliver_shared(s, true);
    }
    if (s.stored) ledger_.record(Ledger::Kind::session_removed, &s);
    s.stored = false;
    replays_.stop_all(s.replays);
    here_.metrics().retained_replays.set(replays_.count());
    clear_flow(s);
    if (s.known_room != UINT64_MAX) here_.core().full_sessions.remove(s.id.value);
    auto left = remove_all_subscriptions(s);
    if (!s.sink) here_.core().registry.remove(*client);
    here_.core().session_clients.remove(s.id);
    here_.core().sessions.fetch_sub(1, std::memory_order_relaxed);
    std::unique_ptr<Session> ended = clients_.take_out(s);
    if (left.empty()) {
        clients_.bury(std::move(ended));
    } else {
        s.ended = true;
        departures_.push_back({std::move(ended), std::move(left)});
    }
}

void Shard::finish_if_drained(Connection& c) {
    if (c.state != Connection::State::closing || c.finishing || !c.link || !c.out.empty()) return;
    c.finishing = true;
    c.link->finish(here_.core().config.limits.close_timeout_ms);
}

void Shard::forget(Connection& c) {
    c.state = Connection::State::closing;
    uncount_connecting(c);
    c.link = nullptr;
    c.out.clear(chunks_);
    here_.core().connections.fetch_sub(1, std::memory_order_relaxed);
    here_.metrics().connections.sub();
    clients_.bury(c);
}

}  // namespace comqtt::broker
