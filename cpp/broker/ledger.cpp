#include "broker/ledger.hpp"

#include "broker/notices.hpp"

namespace comqtt::broker {

void Ledger::vouch_for(unsigned shard) {
    rounds_.vouch();
    if (outboxes_.vouch(shard, rounds_.open_number())) ++rounds_.open().shards;
}

void Ledger::lost(uint64_t round) {
    if (Round* sent = rounds_.find(round)) --sent->shards;
}

void Ledger::expect_one_more(uint64_t round) {
    if (Round* sent = rounds_.find(round)) ++sent->shards;
}

void Ledger::confirm_later(Confirmation wanted, bool passed_on) {
    Round& round = rounds_.open();
    (passed_on ? round.passed_on : round.confirmations).push_back(wanted);
}

bool Ledger::close() {
    if (!rounds_.something_open()) return false;
    Round& round = rounds_.close(here_.now_ms());
    if (round.changes) {
        here_.metrics().store_rounds.add();
        here_.metrics().store_changes.add(round.changes->size());
        here_.core().uncommitted_bytes.fetch_add(round.footprint, std::memory_order_relaxed);
        here_.each(EventId::store_changes, [&](hooks::Hook& hook) {
            const auto changes = Ref<hooks::Changes>::adopt(
                new hooks::Changes(round.changes, round.footprint, here_.number(),
                                   [mailbox = here_.core().mailboxes[here_.number()], number = round.number](
                                       Status status, const std::string& text, bool reported) {
                                       mailbox->post([number, status, text, reported](Shard& shard) {
                                           reported ? notice_store_failing(shard, status, text)
                                                    : notice_stored(shard, number, status, text);
                                       });
                                   }));
            hooks::Event event(EventId::store_changes, here_.wall_ms());
            ++round.stores;
            Status status = hook.store_changes(event, *changes);
            if (event.failed()) {
                here_.core().hooks.report_failure(event, hook);
                status = Status::callback;
            }
            if (status == Status::ok && changes->dismiss()) {
                --round.stores;
                here_.core().store_health.report(Status::ok, {});
            } else if (status != Status::pending) {
                changes->complete(status, event.failed() ? event.failure() : "the store refused it");
            }
        });
    }
    confirm(round);
    return true;
}

void Ledger::answered(uint64_t number, Status status, const std::string& text) {
    Round* round = rounds_.find(number);
    if (!round) return;
    --round->stores;
    if (status == Status::ok) {
        if (here_.core().store_health.report(Status::ok, {}))
            here_.core().log.write(LogLevel::info, "broker", "the store commits again");
    } else if (round->status == Status::ok) {
        round->status = status;
        round->text = text;
        here_.metrics().store_failures.add();
        here_.core().log.write(LogLevel::error, "broker", "a batch of {} changes was not stored: {}",
                               round->changes ? round->changes->size() : 0, text);
    }
    confirm(*round);
}

void Ledger::failing(Status status, const std::string& text) {
    here_.metrics().store_failures.add();
    if (here_.core().store_health.report(status, text))
        here_.core().log.write(LogLevel::error, "broker",
                               "the store cannot commit: {}; QoS 1 and 2 messages are refused until it can",
                               text);
}

void Ledger::confirmed(uint64_t number, Status status, const std::string& text) {
    Round* round = rounds_.find(number);
    if (!round || !round->shards) return;
    --round->shards;
    if (status != Status::ok && round->status == Status::ok) {
        round->status = status;
        round->text = text;
    }
    confirm(*round);
}

/// Tells the shards that wait for what became of their batches in this round.
void Ledger::confirm(Round& round) {
    if (!round.closed || round.stores) return;
    const auto tell = [&](std::vector<Confirmation>& confirmations) {
        for (const Confirmation& wanted : std::exchange(confirmations, {}))
            outboxes_.notice(wanted.shard,
                             [number = wanted.round, status = round.status, text = round.text](Shard& shard) {
                                 notice_confirmed(shard, number, status, text);
                             });
    };
    tell(round.confirmations);
    if (!round.shards) tell(round.passed_on);
}

bool Ledger::take_ended(Round& out) {
    if (!rounds_.ended()) return false;
    out = rounds_.take_ended();
    here_.core().uncommitted_bytes.fetch_sub(out.footprint);
    return true;
}

void Ledger::settle() {
    here_.metrics().acks_held.set(rounds_.held_count());
    uncommitted_since_ms_.store(rounds_.oldest_ms(), std::memory_order_relaxed);
}

bool Ledger::backlog() const {
    const Limits& limits = here_.core().config.limits;
    const uint64_t shards = here_.core().mailboxes.size();
    return rounds_.uncommitted() + rounds_.footprint() > limits.uncommitted_bytes / shards ||
           here_.core().uncommitted_bytes.load(std::memory_order_relaxed) > limits.uncommitted_bytes ||
           rounds_.held_count() > limits.held_acks / shards;
}

bool Ledger::half_empty() const {
    const Limits& limits = here_.core().config.limits;
    const uint64_t shards = here_.core().mailboxes.size();
    return rounds_.uncommitted() <= limits.uncommitted_bytes / shards / 2 &&
           here_.core().uncommitted_bytes.load() <= limits.uncommitted_bytes / 2 &&
           rounds_.held_count() <= limits.held_acks / shards / 2;
}

bool Ledger::stuck() const {
    return backlog() &&
           (here_.core().store_health.failing() ||
            rounds_.oldest_ms() < here_.now_ms() - int64_t{here_.core().config.limits.slow_store_ms});
}

bool Ledger::overflows() const {
    return here_.core().store_health.failing() &&
           here_.core().uncommitted_bytes.load(std::memory_order_relaxed) >
               here_.core().config.limits.uncommitted_bytes;
}

}  // namespace comqtt::broker
