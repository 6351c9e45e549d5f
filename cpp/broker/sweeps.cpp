// Messages that only the stores hold and that expire there: they take no room, though nobody reads them.

#include <algorithm>

#include "broker/shard.hpp"

namespace comqtt::broker {

namespace {

constexpr unsigned kSweeps = 8;      ///< queues read through at one time: each holds a page in memory
constexpr int64_t kCrowdedMs = 50;   ///< when there are as many
constexpr int64_t kFailedMs = 1000;  ///< when the store could not be read

}  // namespace

/// Forgets what has expired, and begins to read through a restored queue when something in it has. True when there is
/// more room now.
bool Shard::expire_tail(Session& s) {
    session::Tail& tail = *s.tail;
    bool any = false;
    while (tail.expiries.next_ms() <= here_.now_ms()) {
        const session::Expiry expiry = tail.expiries.take();
        if (!tail.messages || (expiry.key <= tail.after && !tail.cold)) continue;  // in memory, or was
        any = true;
        here_.metrics().inflight_dropped.add();
        forget_in_tail(s, expiry.key, expiry.bytes);
    }
    if (tail.unknown_due_ms <= here_.now_ms() && !tail.sweep) begin_sweep(s);
    if (!tail.messages && !tail.cold && !tail.loading) drop_tail(s);
    return any;
}

/// A message that only the stores have is not to be sent any more.
void Shard::forget_in_tail(Session& s, uint64_t position, uint64_t footprint) {
    session::Tail& tail = *s.tail;
    const uint64_t bytes = std::min(footprint, tail.bytes);
    tail.messages -= std::min<uint64_t>(tail.messages, 1);
    tail.bytes -= bytes;
    uncount_queued(1, bytes);
    here_.core().stored_bytes.fetch_sub(bytes, std::memory_order_relaxed);
    ledger_.forget_message(s, position);
    if (tail.loading || tail.cold) tail.gone.insert(position);
}

/// Reads page by page through the messages of which it is not known when they expire. They stay where they are.
void Shard::begin_sweep(Session& s) {
    session::Tail& tail = *s.tail;
    tail.sweeping = true;
    if (sweeps_ >= kSweeps) {
        tail.unknown_due_ms = here_.now_ms() + kCrowdedMs;
        schedule(s, tail.unknown_due_ms);
        return;
    }
    ++sweeps_;
    tail.swept = std::max<uint64_t>({tail.swept, tail.after, 1});  // 0 would ask for what is in flight
    tail.sweep = begin_load(s, tail.swept);
}

void Shard::take_sweep(Session& s, const hooks::Load& load) {
    session::Tail& tail = *s.tail;
    tail.sweep = 0;
    --sweeps_;
    const Status status = load.status();
    if (status != Status::ok && status != Status::not_found) {
        here_.core().log.write(LogLevel::error, "broker",
                               "client '{}': its stored messages could not be read: {}", s.client->id,
                               load.text());
        tail.unknown_due_ms = here_.now_ms() + kFailedMs;
        schedule(s, tail.unknown_due_ms);
        return;
    }
    const uint64_t before = tail.swept;
    for (const hooks::StoredMessage& record : load.messages) {
        if (record.position <= tail.swept || record.position >= tail.known_from) continue;
        tail.swept = record.position;
        if (record.state != hooks::StoredMessage::State::queued) continue;
        const session::Delivery delivery = delivery_of(record);
        const int64_t due = due_ms(*delivery.message);
        const size_t bytes = delivery.message->footprint();
        tail.unknown -= std::min<uint64_t>(tail.unknown, 1);
        tail.unknown_bytes -= std::min<uint64_t>(tail.unknown_bytes, bytes);
        if (record.position <= tail.after && !tail.cold) continue;  // in memory by now
        if (due <= here_.now_ms()) {
            forget_in_tail(s, record.position, bytes);
            drop_inflight(s, delivery, 0);
        } else if (due != INT64_MAX) {
            tail.expiries.add({due, record.position, bytes});
        }
    }
    if (tail.swept != before) {
        begin_sweep(s);
    } else {
        tail.known_from = tail.unknown = tail.unknown_bytes = 0;
        tail.unknown_due_ms = INT64_MAX;
        tail.sweeping = false;
    }
    s.client->queued.store(static_cast<uint32_t>(queue_length(s)), std::memory_order_relaxed);
    if (!tail.messages && !tail.cold && !tail.loading && !tail.sweep) drop_tail(s);
    note_fullness(s);
    schedule(s, deadline_of(s));
}

}  // namespace comqtt::broker
