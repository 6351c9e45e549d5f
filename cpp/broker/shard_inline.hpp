#pragma once
// Inline functions of Shard: included by shard.hpp, at its end.

#include "broker/shard.hpp"

namespace comqtt::broker {

inline bool Shard::busy() const {
    return replays_.busy() || !turns_.empty() || !departures_.empty() || overdue_;
}

inline bool Shard::idle() const {
    return core_.mailboxes[number_]->idle() && !busy() &&
           (core_.store_health.failing() || (rounds_.empty() && loads_.empty()));
}

inline bool Shard::certainly_not_retained(const Core& core, std::string_view topic) {
    return core.config.capabilities.retain_available && retained_full(core) &&
           !core.retained_counts.may_hold(topic);
}

inline bool Shard::is_own(const Target& target, uint64_t publisher, ByteView origin_id) {
    return target.session->id.value == publisher ||
           (target.no_local && ByteView(target.session->client->id) == origin_id);
}

inline void Shard::wake_replays(Session& s) {
    if (!held_back(s)) replays_.wake(s.id.value, *s.replays);
}

template <typename F>
void Shard::contain(Connection* c, F&& work) noexcept {
    try {
        work();
    } catch (const std::exception& failure) {
        work_failed(c, failure.what());
    } catch (...) {
        work_failed(c, "an unknown exception");
    }
}

template <typename F>
bool Shard::notify(EventId id, hooks::Client* client, PacketBox* packet, F&& call) {
    if (!wants(id)) return false;
    bool failed = false;
    const CallbackScope scope(*this);
    core_.hooks.each(hook_view_, id, [&](hooks::Hook& hook) {
        hooks::Event event(id, wall_ms_, client, packet);
        call(hook, event);
        if (!event.failed()) return;
        failed = true;
        core_.hooks.report_failure(event, hook);
    });
    return failed && core_.hooks.refuses_on_failure();
}

}  // namespace comqtt::broker
