// What does not reach its receiver: counted, told to hooks, and logged, all in one place.

#include "broker/shard.hpp"

namespace comqtt::broker {

/// The message will not reach this session, which should have had it.
void Shard::drop(Session& s, const Publication& p, const session::Delivery& form, DropCause cause) {
    here_.metrics().messages_dropped.add();
    uint64_t held_back = 0;
    if (here_.core().log.enabled(LogLevel::warn) && limited_.drops.allow(here_.now_ms(), held_back))
        here_.core().log.write(LogLevel::warn, "broker",
                               "client '{}': a QoS {} message of {} bytes was dropped: {}{}", s.client->id,
                               form.qos, p.payload.size, text_of(cause), lines_held_back(held_back));
    if (!wants(EventId::on_publish_dropped)) return;
    const auto box = box_packet(packet_of(p, form, 0), p.origin_id.text());
    box->created_ms = p.created_ms;
    here_.notify(
        EventId::on_publish_dropped, s.client.get(), box.get(),
        [&](hooks::Hook& hook, hooks::Event& event) { hook.on_publish_dropped(event, *s.client, *box); });
}

void Shard::drop(Session& s, const session::Delivery& delivery, DropCause cause) {
    drop(s, Publication::of(delivery.message), delivery, cause);
}

/// A QoS 1 or 2 message that ended unacknowledged: it expired, or its session ended. That loses nothing that was owed.
void Shard::drop_inflight(Session& s, const session::Delivery& delivery, mqtt::PacketId id) {
    here_.metrics().inflight_dropped.add();
    if (!wants(EventId::on_qos_dropped)) return;
    const auto box = box_packet(packet_of(Publication::of(delivery.message), delivery, id),
                                delivery.message->origin_id().text());
    box->created_ms = delivery.message->created_ms();
    here_.notify(
        EventId::on_qos_dropped, s.client.get(), box.get(),
        [&](hooks::Hook& hook, hooks::Event& event) { hook.on_qos_dropped(event, *s.client, *box); });
}

}  // namespace comqtt::broker
