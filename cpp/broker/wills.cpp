// Wills: on_will, the delay, the write verdict, publication.

#include "broker/packet_parts.hpp"
#include "broker/shard.hpp"

namespace comqtt::broker {

Ref<PacketBox> Shard::box_will(const hooks::Client& client, const mqtt::Will& will) const {
    Packet packet;
    packet.type = mqtt::PacketType::publish;
    packet.version = client.version;
    packet.qos = will.qos;
    packet.retain = will.retain;
    packet.topic_name = will.topic_name;
    packet.payload = will.payload;
    for (const auto& property : will.properties.items())
        if (property.id != mqtt::PropertyId::will_delay_interval)
            packet.properties.items().push_back(property);
    return box_packet(std::move(packet), client.id);
}

void Shard::settle_will(Session& s, bool session_ends) {
    const Ref<hooks::Client> client = s.client;
    Ref<PacketBox> box = box_will(*client, *client->will);
    const uint32_t delay = client->will->properties.number(mqtt::PropertyId::will_delay_interval).value_or(0);
    if (wants(EventId::on_will)) {
        hooks::Event event(EventId::on_will, here_.wall_ms(), client.get(), box.get());
        size_t position = 0;
        const auto action =
            here_.act(event, position, [&](hooks::Hook& hook) { return hook.on_will(event, *client, *box); });
        if (action != hooks::Action::proceed) return;
        if (!here_.sound(*box, event.id())) {
            if (here_.core().hooks.refuses_on_failure()) return;
            box = box_will(*client, *client->will);
        }
    }
    if (delay == 0 || session_ends) {
        begin_will(*client, std::move(box), 0);
        return;
    }
    s.will = std::make_unique<DelayedWill>();
    s.will->box = std::move(box);
    s.will->client = client;
    s.will->due_ms = here_.now_ms() + int64_t{delay} * 1000;
}

void Shard::begin_will(hooks::Client& client, Ref<PacketBox> box, size_t position) {
    const std::string_view topic = box->packet.topic_name;
    if (topic == "$SYS" || topic.starts_with("$SYS/")) {
        here_.metrics().acl_denied.add();  // $SYS topics are the server's
        return;
    }
    hooks::Event event(EventId::on_acl_check, here_.wall_ms(), &client, box.get(), &verdicts_);
    const hooks::Verdict verdict = here_.ask(event, position, [&](hooks::Hook& hook) {
        return hook.on_acl_check(event, client, box->packet.topic_name, hooks::Access::write);
    });
    if (verdict == hooks::Verdict::pending && event.deferred()) {
        verdicts_.wait_for(event.take_deferral(), PendingVerdict::What::will, 0, position, std::move(box));
        return;
    }
    if (verdict != hooks::Verdict::allow) {
        here_.metrics().acl_denied.add();
        return;
    }
    send_will(client, *box);
}

void Shard::send_will(hooks::Client& client, PacketBox& box) {
    mqtt::PublishView view;
    std::vector<uint8_t> properties;
    view_packet(box.packet, view, properties);
    view.qos = std::min(view.qos, static_cast<uint8_t>(here_.core().config.capabilities.maximum_qos));
    Publication p = Publication::of(view, here_, client.session, ByteView(client.id));
    const Session* s = clients_.session(client.session);
    p.exactly_once = s && s->stored;  // it is forgotten here at the same time
    box.frozen = true;
    retain_unanswered(p, client, box);
    publish(p, {}, &client, &box);
    here_.notify(EventId::on_will_sent, &client, &box,
                 [&](hooks::Hook& hook, hooks::Event& event) { hook.on_will_sent(event, client, box); });
}

}  // namespace comqtt::broker
