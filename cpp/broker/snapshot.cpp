#include "broker/snapshot.hpp"

#include "base/process.hpp"
#include "broker/shard.hpp"

namespace comqtt::broker {

MetricsSnapshot take_snapshot(const Core& core) {
    MetricsSnapshot out;
    for (const auto& shard : core.shards) {
        const Metrics& part = shard->metrics();
#define COMQTT_ADD_METRIC(member, kind, help) out.member += static_cast<int64_t>(part.member.get());
        COMQTT_METRICS(COMQTT_ADD_METRIC)
#undef COMQTT_ADD_METRIC
    }
    const auto value = [](const std::atomic<uint64_t>& counter) {
        return static_cast<int64_t>(counter.load(std::memory_order_relaxed));
    };
    out.clients_connected = value(core.connected);
    out.clients_maximum = value(core.maximum_connected);
    out.clients_total = value(core.sessions);
    out.clients_disconnected = out.clients_total - out.clients_connected;
    if (out.clients_disconnected < 0) out.clients_disconnected = 0;
    out.queued_bytes += value(core.queued_bytes);
    out.inflight_bytes = core.inflight_bytes.load(std::memory_order_relaxed);
    out.stored_bytes = value(core.stored_bytes);
    out.uncommitted_bytes = value(core.uncommitted_bytes);
    out.hook_failures = static_cast<int64_t>(core.hooks.failures());
    for (const auto& mailbox : core.mailboxes)
        out.handover_bytes += static_cast<int64_t>(mailbox->pending_bytes());
    const int64_t wall = core.clock->wall_ms();
    out.time_s = wall / 1000;
    out.started_s = core.started_wall_ms / 1000;
    out.uptime_s = (wall - core.started_wall_ms) / 1000;
    out.memory_alloc = resident_bytes();
    out.threads = static_cast<int64_t>(core.shards.size());
    return out;
}

}  // namespace comqtt::broker
