// Enhanced authentication (4.12): the exchange is the hooks'. A hook answers by editing the AUTH packet it is shown:
// reason success ends the exchange, continue_authentication sends the packet to the client.

#include "broker/shard.hpp"

namespace comqtt::broker {

using mqtt::PropertyId;

bool Shard::handle_auth(Connection& c, Ref<PacketBox> box) {
    const Packet& packet = box->packet;
    const auto method = packet.properties.text(PropertyId::authentication_method);
    if (c.version != mqtt::Version::v5 || !c.auth) {
        protocol_error(c, Reason::protocol_error, "MQTT-4.12.0-6",
                       "AUTH without an authentication method in CONNECT");
        return false;
    }
    if (!method || *method != c.auth->method) {
        protocol_error(c, Reason::bad_authentication_method, "MQTT-4.12.0-5",
                       "AUTH with another authentication method than CONNECT");
        return false;
    }
    const bool first = c.state == Connection::State::authenticating;
    if (packet.reason != Reason::continue_authentication &&
        (first || packet.reason != Reason::reauthenticate)) {
        protocol_error(c, Reason::protocol_error, "MQTT-4.12.0-3",
                       "AUTH with a reason that may not stand here");
        return false;
    }
    begin_auth(c, std::move(box), 0);
    return c.state != Connection::State::closing;
}

void Shard::begin_auth(Connection& c, Ref<PacketBox> box, size_t position) {
    box->edited = position != 0 && box->edited;
    hooks::Event event(EventId::on_auth_packet, here_.wall_ms(), c.client.get(), box.get(), &verdicts_);
    const hooks::Action action = here_.act(
        event, position, [&](hooks::Hook& hook) { return hook.on_auth_packet(event, *c.client, *box); });
    if (action == hooks::Action::pending && event.deferred()) {
        Suspension state;
        state.step = Step::auth;
        state.box = std::move(box);
        state.position = position;
        suspend(c, std::move(state), event.take_deferral());
        return;
    }
    finish_auth(c, std::move(box), action, event.has_reason() ? event.reason() : Reason::success,
                event.reason_text());
}

void Shard::finish_auth(Connection& c, Ref<PacketBox> box, hooks::Action action, Reason reason,
                        std::string_view text) {
    const bool first = c.state == Connection::State::authenticating;
    Packet& packet = box->packet;
    if (action != hooks::Action::proceed || !box->edited) {
        here_.metrics().auth_denied.add();
        if (static_cast<uint8_t>(reason) < 0x80)
            reason = box->edited || !first ? Reason::not_authorized : Reason::bad_authentication_method;
        if (first) {
            refuse_connect(c, reason, text, "MQTT-4.12.0-1");
        } else {
            close(c, {.reason = reason, .text = "re-authentication failed", .statement = "MQTT-4.12.1-2"});
        }
        return;
    }
    if (packet.reason == Reason::success && first) {
        if (const auto data = packet.properties.text(PropertyId::authentication_data)) {
            c.auth->has_reply = true;
            c.auth->reply = *data;
        }
        Ref<PacketBox> connect = std::move(c.auth->connect);
        establish(c, std::move(connect));
        return;
    }
    if (packet.reason != Reason::success) packet.reason = Reason::continue_authentication;
    packet.type = mqtt::PacketType::auth;
    packet.properties.set_text(PropertyId::authentication_method, c.auth->method);
    send_packet(c, packet);
}

}  // namespace comqtt::broker
