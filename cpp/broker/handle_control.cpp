// PINGREQ and DISCONNECT.

#include "broker/shard.hpp"

namespace comqtt::broker {

void Shard::handle_ping(Connection& c) {
    Packet packet;
    packet.type = mqtt::PacketType::pingresp;
    send_packet(c, std::move(packet));
}

bool Shard::handle_disconnect(Connection& c, const Packet& packet) {
    if (!c.session) {
        close(c, {.reason = Reason::success,
                  .text = "DISCONNECT before CONNACK",
                  .by_client = true,
                  .tell_client = false});
        return false;
    }
    Session& s = *c.session;
    if (c.version == mqtt::Version::v5) {
        if (const auto expiry = packet.properties.number(mqtt::PropertyId::session_expiry_interval)) {
            if (*expiry && s.expiry_interval == 0) {
                protocol_error(c, Reason::protocol_error, "MQTT-3.14.2-2",
                               "session expiry interval raised from 0 by DISCONNECT");
                return false;
            }
            s.expiry_interval =
                std::min(*expiry, here_.core().config.capabilities.maximum_session_expiry_interval);
            c.client->session_expiry_s.store(s.expiry_interval, std::memory_order_relaxed);
        }
    }
    const bool with_will = packet.reason != Reason::success;
    close(c, {.reason = packet.reason,
              .text = with_will ? "DISCONNECT with a reason" : "",
              .by_client = true,
              .clean = !with_will,
              .send_will = with_will,
              .tell_client = false});
    return false;
}

}  // namespace comqtt::broker
