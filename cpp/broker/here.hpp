#pragma once
// Here: what every part of a shard needs of it: the broker it belongs to, its number and figures, the time of its round,
// and its way of calling hooks. The lowest part: it calls hooks and nothing of the shard. Lives as long as the shard,
// on its thread.

#include <utility>

#include "base/metrics.hpp"
#include "base/wall_history.hpp"
#include "broker/core.hpp"
#include "hooks/dispatcher.hpp"

namespace comqtt::broker {

using hooks::EventId;
using hooks::PacketBox;

class Here {
public:
    Here(Core& core, unsigned number) : core_(core), number_(number) { read_clock(); }
    Here(const Here&) = delete;
    Here& operator=(const Here&) = delete;

    Core& core() const { return core_; }
    unsigned number() const { return number_; }
    Metrics& metrics() const { return metrics_; }
    Mailbox& mailbox() const { return *core_.mailboxes[number_]; }

    /// Of this round: milliseconds of the monotonic clock, and since 1970.
    int64_t now_ms() const { return now_ms_; }
    int64_t wall_ms() const { return wall_ms_; }
    void read_clock();
    /// When the wall clock showed this, as a time of the monotonic clock; see WallHistory.
    int64_t monotonic_of(int64_t wall_ms) const { return wall_history_.monotonic_of(wall_ms); }

    /// Some hook wants the event.
    bool wants(EventId id) const { return core_.hooks.wants(id); }
    /// The functions below call hooks. A hook may use the whole interface: what it asks of this shard comes as mail,
    /// so that no connection, session or route goes away under the caller.
    /// True when a hook failed and that is to refuse the event, where it can be refused.
    template <typename F>
    bool notify(EventId id, hooks::Client* client, PacketBox* packet, F&& call);
    /// Hooks that count for themselves whether they failed.
    template <typename F>
    void each(EventId id, F&& call);
    /// Asks the hooks behind `position`, which is left at the one that answered. pending: the event may have been
    /// deferred.
    template <typename F>
    hooks::Verdict ask(hooks::Event& event, size_t& position, F&& call);
    template <typename F>
    hooks::Action act(hooks::Event& event, size_t& position, F&& call);
    /// False when hooks made of the packet what no client may send; logged.
    bool sound(const PacketBox& box, EventId event);
    /// Lets go of hooks that were removed.
    void renew_hooks() { core_.hooks.renew(hook_view_); }

private:
    Core& core_;
    const unsigned number_;
    mutable Metrics metrics_;
    int64_t now_ms_ = 0;
    int64_t wall_ms_ = 0;
    WallHistory wall_history_;
    hooks::HookView hook_view_;
    LogLimiter unsound_log_;
};

/// While one is alive the thread is inside a hook or an inline handler, called by this shard.
class CallbackScope {
public:
    explicit CallbackScope(const Here& here);
    ~CallbackScope();
    CallbackScope(const CallbackScope&) = delete;
    CallbackScope& operator=(const CallbackScope&) = delete;

    /// The calling thread is inside a callback of this broker.
    static bool inside(const Core& core);

private:
    const Here* outer_;
};

template <typename F>
bool Here::notify(EventId id, hooks::Client* client, PacketBox* packet, F&& call) {
    if (!wants(id)) return false;
    bool failed = false;
    each(id, [&](hooks::Hook& hook) {
        hooks::Event event(id, wall_ms_, client, packet);
        call(hook, event);
        if (!event.failed()) return;
        failed = true;
        core_.hooks.report_failure(event, hook);
    });
    return failed && core_.hooks.refuses_on_failure();
}

template <typename F>
void Here::each(EventId id, F&& call) {
    const CallbackScope scope(*this);
    core_.hooks.each(hook_view_, id, std::forward<F>(call));
}

template <typename F>
hooks::Verdict Here::ask(hooks::Event& event, size_t& position, F&& call) {
    const CallbackScope scope(*this);
    return core_.hooks.ask(hook_view_, event, position, std::forward<F>(call));
}

template <typename F>
hooks::Action Here::act(hooks::Event& event, size_t& position, F&& call) {
    const CallbackScope scope(*this);
    return core_.hooks.act(hook_view_, event, position, std::forward<F>(call));
}

}  // namespace comqtt::broker
