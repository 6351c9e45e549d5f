// CONNECT to CONNACK, with the two places where it may wait: on_connect and on_connect_authenticate.

#include <fmt/format.h>

#include "broker/shard.hpp"

namespace comqtt::broker {

using mqtt::PropertyId;

unsigned Shard::connect_owner(ByteView frame) const {
    // Only far enough for the client id; whatever is wrong is found, and answered, by the full decoder.
    size_t at = 1;
    while (at < frame.size && (frame[at] & 0x80)) ++at;
    ++at;
    const auto fits = [&](size_t count) { return frame.size >= at + count; };
    if (!fits(2)) return here_.number();
    at += 2 + size_t{load_u16(frame.data + at)};
    if (!fits(4)) return here_.number();
    const uint8_t level = frame[at];
    at += 4;
    if (level == 5) {
        uint32_t length = 0;
        for (unsigned shift = 0; shift < 28; shift += 7) {
            if (!fits(1)) return here_.number();
            const uint8_t byte = frame[at++];
            length |= uint32_t{byte & 0x7Fu} << shift;
            if (!(byte & 0x80)) break;
        }
        at += length;
    }
    if (!fits(2)) return here_.number();
    const size_t size = load_u16(frame.data + at);
    at += 2;
    if (!size || !fits(size)) return here_.number();
    return here_.core().shard_of(frame.subview(at, size).text());
}

/// Answers with CONNACK, except where 3.x has no return code for the reason (3.2.2.3 of 3.1.1), and closes.
void Shard::refuse_connect(Connection& c, Reason reason, std::string_view text, const char* statement,
                           int64_t offset) {
    here_.metrics().connections_refused.add();
    if (c.version == mqtt::Version::v5 || mqtt::connack_return_code_v3(reason)) {
        Packet ack;
        ack.type = mqtt::PacketType::connack;
        ack.version = c.version;
        ack.reason = reason;
        if (c.version == mqtt::Version::v5 && !text.empty() && c.problem_information)
            ack.properties.set_text(PropertyId::reason_string, text);
        send_packet(c, std::move(ack));
    }
    const std::string why = fmt::format("CONNECT refused{}{}", text.empty() ? "" : ": ", text);
    close(c, {.reason = reason,
              .text = why.c_str(),
              .statement = statement,
              .send_will = false,
              .tell_client = false,
              .level = LogLevel::warn,
              .offset = offset});
}

/// The same before its version is known: in silence.
void Shard::refuse_unread_connect(Connection& c, Reason reason, const char* text) {
    here_.metrics().connections_refused.add();
    const std::string why = fmt::format("CONNECT refused: {}", text);
    close(c, {.reason = reason,
              .text = why.c_str(),
              .send_will = false,
              .tell_client = false,
              .level = LogLevel::warn});
}

/// What CONNECT says of its client. Again after a hook edited the packet: only what differs is touched.
void Shard::describe_client(hooks::Client& client, const Packet& packet) const {
    const mqtt::ConnectFields& fields = packet.connect;
    if (client.id != fields.client_id) client.id = fields.client_id;
    const std::string_view username = fields.username ? std::string_view(*fields.username) : "";
    if (client.username != username) client.username = username;
    client.clean_start = fields.clean_start;
    client.keep_alive.store(fields.keep_alive, std::memory_order_relaxed);
    client.will = fields.will ? std::make_unique<const mqtt::Will>(*fields.will) : nullptr;
}

/// Shows CONNECT to on_packet_read. False when that was its end, here.
bool Shard::connect_read(Connection& c, PacketBox& box) {
    hooks::Client& client = *c.client;
    const std::string id_before = client.id;
    {
        hooks::Event event(EventId::on_packet_read, here_.wall_ms(), &client, &box);
        size_t position = 0;
        const auto action = here_.act(
            event, position, [&](hooks::Hook& hook) { return hook.on_packet_read(event, client, box); });
        if (action == hooks::Action::reject || action == hooks::Action::ignore) {
            close(c, {.reason = Reason::unspecified_error,
                      .text = "CONNECT rejected by a hook",
                      .send_will = false,
                      .tell_client = false});
            return false;
        }
        if (event.failed()) {
            refuse_connect(c, event.reason(), event.reason_text());
            return false;
        }
    }
    describe_client(client, box.packet);
    if (client.id == id_before || client.id.empty() || here_.core().shard_of(client.id) == here_.number())
        return true;
    // The hook gave it another id, whose session lives elsewhere.
    std::vector<uint8_t> wire;
    if (!mqtt::encode_packet(box.packet, wire)) return true;
    PeerInfo peer = c.opening->peer;
    peer.moved = peer.connect_seen = true;
    wire.insert(wire.end(), c.partial.begin(), c.partial.end());
    c.link->move_to(here_.core().shard_of(client.id), std::move(peer), std::move(wire));
    forget(c);
    return false;
}

void Shard::handle_connect(Connection& c, ByteView frame) {
    Packet packet;
    const mqtt::DecodeLimits limits{.user_properties = here_.core().config.limits.user_properties};
    const auto error = mqtt::decode_packet(frame, mqtt::Version::v5, true, limits, packet);
    c.version = packet.version;
    const Capabilities& caps = here_.core().config.capabilities;
    if (error) {
        here_.metrics().protocol_errors.add();
        refuse_connect(c, error.reason, error.what, error.statement, static_cast<int64_t>(error.offset));
        return;
    }
    if (static_cast<uint32_t>(c.version) < caps.minimum_protocol_version) {
        refuse_connect(c, Reason::unsupported_protocol_version, "the server wants a newer protocol version");
        return;
    }
    auto client = Ref<hooks::Client>::adopt(new hooks::Client);
    client->remote = c.opening->peer.remote;
    client->listener = c.opening->peer.listener;
    client->version = c.version;
    client->connection = c.handle;
    client->connected_at_ms = here_.wall_ms();
    client->bytes_in.store(frame.size, std::memory_order_relaxed);
    describe_client(*client, packet);
    c.client = client;
    auto box = box_packet(std::move(packet));
    c.state = Connection::State::authenticating;
    if (!c.opening->peer.connect_seen && wants(EventId::on_packet_read) && !connect_read(c, *box)) return;
    const mqtt::ConnectFields& fields = box->packet.connect;
    box->origin = client->id;
    c.problem_information =
        box->packet.properties.number(PropertyId::request_problem_information).value_or(1) != 0;
    if (const auto size = box->packet.properties.number(PropertyId::maximum_packet_size))
        c.max_packet_size = *size;
    if (client->id.starts_with(kReservedClientIds)) {
        refuse_connect(c, Reason::client_identifier_not_valid,
                       "client ids that begin with $comqtt/ are the server's", "MQTT-3.1.3-8");
        return;
    }
    if (client->id.empty()) {
        if (c.version != mqtt::Version::v5 && (!fields.clean_start || c.version == mqtt::Version::v31)) {
            refuse_connect(c, Reason::client_identifier_not_valid,
                           c.version == mqtt::Version::v31 ? "MQTT 3.1 has no empty client ids"
                                                           : "an empty client id needs a clean session",
                           "MQTT-3.1.3-8");
            return;
        }
        do {
            client->id =
                fmt::format("auto-{:013x}{:06x}", static_cast<uint64_t>(here_.wall_ms()),
                            here_.core().next_number.fetch_add(1, std::memory_order_relaxed) & 0xFFFFFF);
        } while (here_.core().shard_of(client->id) != here_.number());
    }
    if (here_.core().blocked.contains(client->id)) {
        refuse_connect(c, Reason::banned, "this client id is blocked");
        return;
    }
    if (fields.will) {
        if (fields.will->qos > caps.maximum_qos) {
            refuse_connect(c, Reason::qos_not_supported, "will QoS above the server's maximum",
                           "MQTT-3.2.2-12");
            return;
        }
        if (fields.will->retain && !caps.retain_available) {
            refuse_connect(c, Reason::retain_not_supported, "retain is not available", "MQTT-3.2.2-13");
            return;
        }
    }
    c.opening->order = ++connects_.last;
    begin_connect(c, std::move(box));
    if (c.state == Connection::State::authenticating) note_waiting_connect(c);
}

void Shard::begin_connect(Connection& c, Ref<PacketBox> box) {
    if (wants(EventId::on_connect)) {
        continue_connect(c, std::move(box), 0);
    } else {
        finish_connect(c, std::move(box), hooks::Action::proceed, nullptr);
    }
}

void Shard::continue_connect(Connection& c, Ref<PacketBox> box, size_t position) {
    hooks::Event event(EventId::on_connect, here_.wall_ms(), c.client.get(), box.get(), &verdicts_);
    const hooks::Action action = here_.act(
        event, position, [&](hooks::Hook& hook) { return hook.on_connect(event, *c.client, *box); });
    if (action == hooks::Action::pending && event.deferred()) {
        Suspension state;
        state.step = Step::connect;
        state.box = std::move(box);
        state.position = position;
        suspend(c, std::move(state), event.take_deferral());
        return;
    }
    finish_connect(c, std::move(box), action, &event);
}

void Shard::finish_connect(Connection& c, Ref<PacketBox> box, hooks::Action action,
                           const hooks::Event* event) {
    if (action == hooks::Action::reject || action == hooks::Action::ignore) {
        here_.metrics().connections_refused.add();
        close(c, {.reason = Reason::not_authorized,
                  .text = "CONNECT rejected by a hook",
                  .send_will = false,
                  .tell_client = false});
        return;
    }
    if (action != hooks::Action::proceed) {
        Reason reason = Reason::not_authorized;
        std::string text;
        if (event && event->has_reason()) {
            reason = event->reason();
            text = event->reason_text();
        }
        if (static_cast<uint8_t>(reason) < 0x80) reason = Reason::not_authorized;
        refuse_connect(c, reason, text);
        return;
    }
    if (const auto method = box->packet.properties.text(PropertyId::authentication_method);
        method && c.version == mqtt::Version::v5) {
        c.auth = std::make_unique<AuthExchange>();
        c.auth->method = *method;
        Packet auth;
        auth.type = mqtt::PacketType::auth;
        auth.reason = Reason::continue_authentication;
        auth.properties.set_text(PropertyId::authentication_method, *method);
        if (const auto data = box->packet.properties.text(PropertyId::authentication_data))
            auth.properties.set_text(PropertyId::authentication_data, *data);
        c.auth->connect = std::move(box);
        begin_auth(c, box_packet(std::move(auth), c.client->id), 0);
        return;
    }
    begin_authenticate(c, std::move(box), 0);
}

void Shard::begin_authenticate(Connection& c, Ref<PacketBox> box, size_t position) {
    hooks::Event event(EventId::on_connect_authenticate, here_.wall_ms(), c.client.get(), box.get(),
                       &verdicts_);
    const hooks::Verdict verdict = here_.ask(event, position, [&](hooks::Hook& hook) {
        return hook.on_connect_authenticate(event, *c.client, *box);
    });
    if (verdict == hooks::Verdict::pending && event.deferred()) {
        Suspension state;
        state.step = Step::authenticate;
        state.box = std::move(box);
        state.position = position;
        suspend(c, std::move(state), event.take_deferral());
        return;
    }
    finish_authenticate(c, std::move(box), verdict, event.has_reason() ? event.reason() : Reason::success,
                        event.reason_text());
}

void Shard::finish_authenticate(Connection& c, Ref<PacketBox> box, hooks::Verdict verdict, Reason reason,
                                std::string_view text) {
    if (verdict == hooks::Verdict::allow) {
        establish(c, std::move(box));
        return;
    }
    here_.metrics().auth_denied.add();
    if (static_cast<uint8_t>(reason) < 0x80) reason = Reason::bad_user_name_or_password;
    if (c.version != mqtt::Version::v5 && reason == Reason::bad_user_name_or_password)
        reason = Reason::not_authorized;
    refuse_connect(c, reason, text);
}

Session& Shard::make_session(Ref<hooks::Client> client, bool owner) {
    Session& s = clients_.add(std::make_unique<Session>());
    if (owner) client->session = s.id.value;
    s.client = std::move(client);
    here_.core().session_clients.put(s.id, s.client);
    here_.core().sessions.fetch_add(1, std::memory_order_relaxed);
    return s;
}

void Shard::establish(Connection& c, Ref<PacketBox> box, Progress progress) {
    const Capabilities& caps = here_.core().config.capabilities;
    const mqtt::Properties& properties = box->packet.properties;
    hooks::Client& client = *c.client;
    if (progress == Progress::begins && !client.clean_start) {
        const auto known = here_.core().registry.find(client.id);
        if (wait_for_stored_session(c, box, known ? clients_.session(known->session) : nullptr)) return;
    }
    if (progress != Progress::announced)
        here_.notify(
            EventId::on_session_establish, &client, box.get(),
            [&](hooks::Hook& hook, hooks::Event& event) { hook.on_session_establish(event, client, *box); });
    Session* s = nullptr;
    if (const auto known = here_.core().registry.find(client.id)) s = clients_.session(known->session);
    const bool clean = client.clean_start;
    if (s) {
        const uint64_t handle = s->id.value;
        if (!s->connection && (s->expires_ms <= here_.now_ms() || s->will))
            session_due(*s);  // due in this very round
        s = clients_.session(handle);
    }
    const Connection* earlier = first_taker(c);
    if ((s && s->connection) || (earlier && earlier->opening->order < c.opening->order)) {
        wait_for_old_connection(c, std::move(box));
        return;
    }
    if (!s && !clean) s = load_session(client.id);
    uint32_t expiry = clean ? 0 : caps.maximum_session_expiry_interval;
    if (c.version == mqtt::Version::v5)
        expiry = std::min(properties.number(PropertyId::session_expiry_interval).value_or(0),
                          caps.maximum_session_expiry_interval);
    if (expiry && (!s || clean) && here_.core().store_health.failing()) {
        here_.metrics().store_refusals.add();
        const auto why = here_.core().store_health.check();
        const bool full = here_.core().store_health.reason() == Reason::quota_exceeded;
        refuse_connect(c, full ? Reason::quota_exceeded : Reason::server_unavailable,
                       why ? "the session cannot be stored" : why.error().message);
        return;
    }
    if ((expiry || (s && s->stored)) && ledger_.stuck()) {
        here_.metrics().store_refusals.add();
        refuse_connect(c, Reason::server_unavailable, "as much waits for the store as may");
        return;
    }
    const uint64_t vouched = ledger_.vouched();
    bool present = false;
    if (s && clean) {
        end_session(*s, false);
        s = nullptr;
    }
    if (!s) {
        if (here_.core().sessions.load(std::memory_order_relaxed) >= here_.core().config.limits.sessions) {
            here_.metrics().quota_exceeded.add();
            refuse_connect(c, Reason::quota_exceeded, "the server holds as many sessions as it may");
            return;
        }
        s = &make_session(c.client);
    } else {
        present = true;
        s->will.reset();
        if (s->client->username != client.username && s->flow)
            s->flow->queue.each([](session::Delivery& delivery) { delivery.check_read = true; });
        client.session = s->id.value;
        s->client = c.client;
        here_.core().session_clients.put(s->id, s->client);
        s->acl.reset();
        // Routes may still know a verdict of as many connections ago.
        if (++s->connects == 0) here_.core().acl_epoch.fetch_add(1, std::memory_order_relaxed);
    }
    here_.core().registry.put(c.client);
    s->connection = &c;
    c.session = s;
    forget_waiting_connect(c);
    end_earlier_connects(c);
    c.opening.reset();
    if (s->flow) s->flow->unreleased = 0;
    c.state = Connection::State::established;
    c.since_ms = here_.now_ms();
    s->expires_ms = INT64_MAX;
    s->expiry_interval = expiry;
    if (c.version == mqtt::Version::v5) {
        c.window = properties.number(PropertyId::receive_maximum).value_or(65'535);
        c.alias_maximum =
            static_cast<uint16_t>(properties.number(PropertyId::topic_alias_maximum).value_or(0));
    }
    c.window = std::min(c.window, here_.core().config.limits.inflight);
    client.session_expiry_s.store(s->expiry_interval, std::memory_order_relaxed);
    c.keep_alive_ms = client.keep_alive.load(std::memory_order_relaxed) * 1500u;
    client.connected.store(true, std::memory_order_release);
    const uint64_t connected = here_.core().connected.fetch_add(1, std::memory_order_relaxed) + 1;
    uint64_t maximum = here_.core().maximum_connected.load(std::memory_order_relaxed);
    while (connected > maximum && !here_.core().maximum_connected.compare_exchange_weak(
                                      maximum, connected, std::memory_order_relaxed)) {
    }
    if (s->shared_member) set_members_online(*s, true);
    const bool was_stored = s->stored;
    // One that was stored remains so until it ends: part of its queue may be nowhere else.
    s->stored = ledger_.storing() && (expiry || was_stored);
    if (s->stored) was_stored ? ledger_.save_session(*s) : ledger_.save_whole_session(*s);
    if (ledger_.vouched() != vouched && (!present || s->stored != was_stored)) cork(c);
    if (!send_connack(c, box->packet, present)) {
        close(c, {.reason = Reason::packet_too_large,
                  .text = "CONNACK does not fit the client's maximum packet size",
                  .statement = "MQTT-3.1.2-24",
                  .send_will = false,
                  .tell_client = false});
        return;
    }
    log_connected(c, present);
    resume_flow(c, *s);
    flush(c);  // the client waits for it: nothing to gain by the end of the round
    schedule(c, deadline_of(c));
    if (ledger_.vouched() != vouched) check_store_backlog(c);
    box->frozen = true;
    here_.notify(
        EventId::on_session_established, &client, box.get(),
        [&](hooks::Hook& hook, hooks::Event& event) { hook.on_session_established(event, client, *box); });
}

bool Shard::send_connack(Connection& c, const Packet& connect, bool session_present) {
    const Capabilities& caps = here_.core().config.capabilities;
    Packet ack;
    ack.type = mqtt::PacketType::connack;
    ack.session_present = session_present && c.version != mqtt::Version::v31;
    if (c.version == mqtt::Version::v5) {
        mqtt::Properties& out = ack.properties;
        const auto asked = connect.properties.number(PropertyId::session_expiry_interval).value_or(0);
        if (c.session->expiry_interval != asked)
            out.set_number(PropertyId::session_expiry_interval, c.session->expiry_interval);
        if (caps.receive_maximum != 65'535) out.set_number(PropertyId::receive_maximum, caps.receive_maximum);
        if (caps.maximum_qos < 2) out.set_number(PropertyId::maximum_qos, caps.maximum_qos);
        if (!caps.retain_available) out.set_number(PropertyId::retain_available, 0);
        if (caps.maximum_packet_size)
            out.set_number(PropertyId::maximum_packet_size, caps.maximum_packet_size);
        if (connect.connect.client_id.empty())
            out.set_text(PropertyId::assigned_client_identifier, c.client->id);
        if (caps.topic_alias_maximum)
            out.set_number(PropertyId::topic_alias_maximum, caps.topic_alias_maximum);
        if (!caps.wildcard_sub_available) out.set_number(PropertyId::wildcard_subscription_available, 0);
        if (!caps.sub_id_available) out.set_number(PropertyId::subscription_identifier_available, 0);
        if (!caps.shared_sub_available) out.set_number(PropertyId::shared_subscription_available, 0);
        if (c.client->keep_alive_changed.load(std::memory_order_relaxed) ||
            c.client->keep_alive.load(std::memory_order_relaxed) != connect.connect.keep_alive)
            out.set_number(PropertyId::server_keep_alive,
                           c.client->keep_alive.load(std::memory_order_relaxed));
        if (connect.properties.number(PropertyId::request_response_information).value_or(0) ||
            here_.core().config.compatibilities.always_return_response)
            out.set_text(PropertyId::response_information, "reply/" + c.client->id + "/");
        if (c.auth) {
            out.set_text(PropertyId::authentication_method, c.auth->method);
            if (c.auth->has_reply) out.set_text(PropertyId::authentication_data, c.auth->reply);
        }
    }
    return send_packet(c, std::move(ack));
}

void Shard::resume_flow(Connection& c, Session& s) {
    if (!s.flow) return;
    s.flow->resend.clear();
    s.flow->inflight.each(
        [&](mqtt::PacketId id, session::Inflight::Entry&) { s.flow->resend.push_back(id); });
    pump(c, s);
}

}  // namespace comqtt::broker
