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

void Shard::packet_processed(Connection& c, PacketBox* box, Reason reason) {
    if (!wants(EventId::on_packet_processed) || !box || !c.client) return;
    const Ref<hooks::Client> client = c.client;
    notify(EventId::on_packet_processed, client.get(), box, [&](hooks::Hook& hook, hooks::Event& event) {
        hook.on_packet_processed(event, *client, *box, reason);
    });
}

}  // namespace comqtt::broker
