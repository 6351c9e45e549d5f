// What inline clients send: one message after the other, each behind the verdict on the one before.

#include "broker/shard.hpp"

namespace comqtt::broker {

void Shard::publish_inline(hooks::Client& client, Packet packet) {
    const Ref<hooks::Client> keep = Ref<hooks::Client>::share(&client);
    if (!inline_inputs_.empty()) {
        if (const auto at = inline_inputs_.find(&client); at != inline_inputs_.end()) {
            at->second.waiting.push_back(std::move(packet));
            here_.core().inline_waiting.fetch_add(1, std::memory_order_relaxed);
            return;
        }
    }
    take_inline(keep, std::move(packet));
}

void Shard::take_inline(const Ref<hooks::Client>& client, Packet packet) {
    if (packet.type != mqtt::PacketType::publish) {
        inject_inline(*client, std::move(packet));
        return;
    }
    here_.metrics().messages_received.add();
    begin_inline(client, box_packet(std::move(packet), client->id), 0);
}

void Shard::begin_inline(const Ref<hooks::Client>& client, Ref<PacketBox> box, size_t position) {
    hooks::Action action = hooks::Action::proceed;
    if (wants(EventId::on_publish)) {
        hooks::Event event(EventId::on_publish, here_.wall_ms(), client.get(), box.get(), &verdicts_);
        action = here_.act(event, position,
                           [&](hooks::Hook& hook) { return hook.on_publish(event, *client, *box); });
        if (action == hooks::Action::pending && event.deferred()) {
            verdicts_.wait_for(event.take_deferral(), PendingVerdict::What::inline_publish, 0, position,
                               std::move(box));
            InlineInput& input = inline_inputs_[client.get()];
            input.client = client;
            input.pending = true;
            return;
        }
        if (!here_.sound(*box, event.id())) return;
    }
    finish_inline(client, box, action);
}

void Shard::finish_inline(const Ref<hooks::Client>& client, const Ref<PacketBox>& box, hooks::Action action) {
    if (action != hooks::Action::proceed && action != hooks::Action::ignore) return;
    Inbound in;
    in.box = box;
    std::vector<uint8_t> properties;
    view_box(in, properties);
    Publication p = Publication::of(in.view, here_, client->session, ByteView(client->id));
    if (action == hooks::Action::proceed) {
        retain_unanswered(p, *client, *box);
        publish(p, {}, client.get(), box.get());
    }
    box->frozen = true;
    here_.notify(EventId::on_published, client.get(), box.get(),
                 [&](hooks::Hook& hook, hooks::Event& event) { hook.on_published(event, *client, *box); });
    here_.notify(EventId::on_packet_processed, client.get(), box.get(),
                 [&](hooks::Hook& hook, hooks::Event& event) {
                     hook.on_packet_processed(event, *client, *box, Reason::success);
                 });
}

/// The verdict on the message that waits, or the end of its time; then what came behind it.
void Shard::inline_verdict(PendingVerdict& pending) {
    const Ref<hooks::Client> client = Ref<hooks::Client>::share(&pending.deferral->client());
    const auto input_of = [&] { return inline_inputs_.find(client.get()); };
    if (const auto at = input_of(); at != inline_inputs_.end()) at->second.pending = false;
    // When it came too late the packet may still be in the application's hands: it is not looked at.
    if (pending.in_time) {
        const auto action = static_cast<hooks::Action>(pending.deferral->result().value);
        if (action == hooks::Action::proceed) {
            begin_inline(client, std::move(pending.box), pending.position);
        } else if (here_.sound(*pending.box, EventId::on_publish)) {
            finish_inline(client, pending.box, action);
        }
    }
    for (auto at = input_of(); at != inline_inputs_.end() && !at->second.pending; at = input_of()) {
        if (at->second.waiting.empty()) {
            inline_inputs_.erase(at);
            return;
        }
        Packet next = std::move(at->second.waiting.front());
        at->second.waiting.pop_front();
        here_.core().inline_waiting.fetch_sub(1, std::memory_order_relaxed);
        take_inline(client, std::move(next));
    }
}

void Shard::forget_inline_inputs() {
    for (const auto& [client, input] : inline_inputs_)
        here_.core().inline_waiting.fetch_sub(input.waiting.size(), std::memory_order_relaxed);
    inline_inputs_.clear();
}

/// An inline client has no wire: only what changes its subscriptions means something beside PUBLISH.
void Shard::inject_inline(hooks::Client& client, Packet packet) {
    Session* s = clients_.session(client.session);
    if (!s) return;
    int32_t count = 0;
    bool existed = false;
    for (const auto& entry : packet.filters) {
        if (packet.type == mqtt::PacketType::unsubscribe) {
            remove_subscription(*s, entry.filter, count);
        } else if (packet.type == mqtt::PacketType::subscribe && s->sink) {
            add_subscription(*s, entry,
                             packet.properties.number(mqtt::PropertyId::subscription_identifier).value_or(0),
                             existed, count);
        }
    }
}

}  // namespace comqtt::broker
