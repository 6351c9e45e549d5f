#pragma once
// Inline functions of Shard: included by shard.hpp, at its end.

#include "broker/shard.hpp"

namespace comqtt::broker {

inline bool Shard::busy() const {
    return replays_.busy() || !inputs_.empty() || !turns_.empty() ||
           (!departures_.empty() && !shutting_down_) || !late_.empty() || !half_closed_.empty() ||
           !lanes_.empty() || overdue_;
}

inline bool Shard::idle() const {
    return here_.mailbox().idle() && !busy() &&
           (here_.core().store_health.failing() || (ledger_.empty() && loads_.empty()));
}

/// So many batches of the mailbox are done, with all that is in them.
inline uint64_t Shard::mail_done() const { return std::min(mail_read_, lanes_.oldest() - 1); }

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
void Shard::each_target(Route& route, F&& fn) {
    constexpr size_t kAhead = 8;  // sessions on their way into the cache
    struct Wide {
        Wide(bool& flag, bool value) : wide(flag) { wide = value; }
        ~Wide() { wide = false; }
        bool& wide;
    } const wide(wide_, route.targets.size() > flushes_);
    share_.use(route.ordinary());
    Target* const end = route.targets.end();
    for (Target* target = route.targets.begin(); target != end; ++target) {
        if (end - target > static_cast<ptrdiff_t>(kAhead)) __builtin_prefetch(target[kAhead].session);
        fn(*target);
    }
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

}  // namespace comqtt::broker
