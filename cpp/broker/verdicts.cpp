#include "broker/verdicts.hpp"

#include <algorithm>

#include "broker/notices.hpp"

namespace comqtt::broker {

Ref<hooks::Deferral> Verdicts::make_deferral(hooks::Client& client, PacketBox* packet) {
    if (here_.core().deferrals.load(std::memory_order_relaxed) >= here_.core().config.limits.deferrals) {
        here_.metrics().quota_exceeded.add();
        return {};
    }
    const uint64_t number = here_.core().next_number.fetch_add(1, std::memory_order_relaxed);
    return Ref<hooks::Deferral>::adopt(new hooks::Deferral(
        number, Ref<hooks::Client>::share(&client), Ref<PacketBox>::share(packet),
        [mailbox = here_.core().mailboxes[here_.number()]](hooks::Deferral& deferral) {
            mailbox->post([id = deferral.number](Shard& shard) { notice_verdict(shard, id); });
        }));
}

uint64_t Verdicts::wait_for(Ref<hooks::Deferral> deferral, PendingVerdict::What what, uint64_t handle,
                            size_t position, Ref<hooks::PacketBox> box) {
    const uint64_t number = deferral->number;
    PendingVerdict& pending = pending_[number];
    pending.deferral = std::move(deferral);
    pending.what = what;
    pending.handle = handle;
    pending.position = position;
    pending.box = std::move(box);
    here_.core().deferrals.fetch_add(1, std::memory_order_relaxed);
    here_.metrics().deferrals_pending.add();
    timers_.at(Timers::Kind::deferral, number,
               here_.now_ms() + here_.core().config.limits.deferral_timeout_ms);
    return number;
}

PendingVerdict Verdicts::take(Pending::iterator at) {
    PendingVerdict pending = std::move(at->second);
    pending_.erase(at);
    here_.core().deferrals.fetch_sub(1, std::memory_order_relaxed);
    here_.metrics().deferrals_pending.sub();
    return pending;
}

std::optional<PendingVerdict> Verdicts::came(uint64_t number) {
    const auto at = pending_.find(number);
    if (at == pending_.end()) return {};
    const int64_t delay = at->second.deferral->result().delay_ms;
    if (delay <= 0 || at->second.delayed) return take(at);
    at->second.delayed = true;
    const int64_t longest = here_.core().config.limits.deferral_timeout_ms;
    timers_.at(Timers::Kind::deferral, number, here_.now_ms() + std::min(delay, longest));
    return {};
}

std::optional<PendingVerdict> Verdicts::due(uint64_t number) {
    const auto at = pending_.find(number);
    if (at == pending_.end()) return {};
    const Ref<hooks::Deferral> deferral = at->second.deferral;
    if (deferral->state() == hooks::Deferral::State::completed) {
        if (at->second.delayed) return take(at);
        return {};  // its result is on the way
    }
    {
        const CallbackScope scope(here_);
        if (!deferral->cancel(hooks::Deferral::State::expired)) return {};
    }
    here_.metrics().deferrals_expired.add();
    if (PacketBox* packet = deferral->packet()) packet->frozen = true;
    PendingVerdict late = take(at);
    late.in_time = false;
    return late;
}

void Verdicts::cancel(uint64_t number) {
    const auto at = pending_.find(number);
    if (at == pending_.end()) return;
    const PendingVerdict gone = take(at);
    const CallbackScope scope(here_);
    gone.deferral->cancel(hooks::Deferral::State::cancelled);
}

void Verdicts::cancel_all() {
    const CallbackScope scope(here_);
    for (auto& [number, pending] : pending_) pending.deferral->cancel(hooks::Deferral::State::cancelled);
    pending_.clear();
}

}  // namespace comqtt::broker
