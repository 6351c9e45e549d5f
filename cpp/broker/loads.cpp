#include "broker/loads.hpp"

#include <utility>

#include "broker/notices.hpp"

namespace comqtt::broker {

uint64_t Loads::begin(hooks::Load::Request request, uint64_t session, uint64_t connection) {
    const Limits& limits = here_.core().config.limits;
    request.max_bytes = limits.client_queue_memory;
    request.shard = here_.number();
    const uint64_t number = here_.core().next_number.fetch_add(1, std::memory_order_relaxed);
    PendingLoad pending;
    pending.session = session;
    pending.connection = connection;
    pending.load = Ref<hooks::Load>::adopt(
        new hooks::Load(std::move(request), [mailbox = here_.core().mailboxes[here_.number()], number] {
            mailbox->post([number](Shard& shard) { notice_loaded(shard, number); });
        }));
    pending_.emplace(number, std::move(pending));
    new_.push_back(number);
    timers_.at(Timers::Kind::load, number, here_.now_ms() + limits.deferral_timeout_ms);
    return number;
}

void Loads::hand_over() {
    for (const uint64_t number : std::exchange(new_, {})) {
        const auto at = pending_.find(number);
        if (at == pending_.end()) continue;
        const Ref<hooks::Load> load = at->second.load;
        const CallbackScope scope(here_);
        here_.core().hooks.ask_stores(*load, here_.wall_ms());
    }
}

std::optional<PendingLoad> Loads::came(uint64_t number) {
    const auto at = pending_.find(number);
    if (at == pending_.end()) return {};
    PendingLoad pending = std::move(at->second);
    pending_.erase(at);
    here_.metrics().pages_loaded.add();
    return pending;
}

void Loads::due(uint64_t number) {
    const auto at = pending_.find(number);
    if (at == pending_.end()) return;
    const Ref<hooks::Load> load = at->second.load;
    load->complete(Status::timeout, "the store did not answer in time");
}

}  // namespace comqtt::broker
