// Calling hooks: the scope that marks a callback, and the events that several handlers share.

#include "broker/shard.hpp"

namespace comqtt::broker {

namespace {
thread_local const Shard* callback_shard = nullptr;
}

const Shard* current_callback_shard() { return callback_shard; }

CallbackScope::CallbackScope(Shard& shard) : shard_(shard), outer_(callback_shard) {
    ++shard_.in_callback_;
    callback_shard = &shard;
}

CallbackScope::~CallbackScope() {
    callback_shard = outer_;
    --shard_.in_callback_;
}

/// False when hooks made of the packet what no client may send; logged.
bool Shard::sound(const PacketBox& box, EventId event) {
    if (!box.edited) return true;
    Packet packet = box.packet;
    if (packet.type == mqtt::PacketType::publish) packet.packet_id = packet.qos ? 1 : 0;
    const auto error = mqtt::validate_packet(packet, true);
    if (!error) return true;
    core_.log.write(LogLevel::error, "hooks",
                    "{}: a packet was edited into one that cannot be, refused: {} [{}]",
                    hooks::event_name(event), error.what, error.statement);
    return false;
}

void Shard::packet_processed(Connection& c, PacketBox* box, Reason reason) {
    if (!wants(EventId::on_packet_processed) || !box || !c.client) return;
    const Ref<hooks::Client> client = c.client;
    notify(EventId::on_packet_processed, client.get(), box, [&](hooks::Hook& hook, hooks::Event& event) {
        hook.on_packet_processed(event, *client, *box, reason);
    });
}

}  // namespace comqtt::broker
