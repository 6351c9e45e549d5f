// Events that several handlers share.

#include "broker/shard.hpp"

namespace comqtt::broker {

void Shard::packet_processed(Connection& c, PacketBox* box, Reason reason) {
    if (!wants(EventId::on_packet_processed) || !box || !c.client) return;
    const Ref<hooks::Client> client = c.client;
    here_.notify(EventId::on_packet_processed, client.get(), box,
                 [&](hooks::Hook& hook, hooks::Event& event) {
                     hook.on_packet_processed(event, *client, *box, reason);
                 });
}

}  // namespace comqtt::broker
