// Messages in flight: begun and ended here, so that their bytes are counted whatever way they go.

#include "broker/shard.hpp"

namespace comqtt::broker {

mqtt::PacketId Shard::begin_flow(Session& s, session::Delivery&& delivery) {
    const mqtt::Message& message = *delivery.message;
    if (message.enter_flight()) inflight_change_ += static_cast<int64_t>(message.footprint());
    here_.metrics().inflight.add();
    return s.flow->inflight.push(std::move(delivery));
}

/// A flow that is over: acknowledged or given up. `entry` is the session's under this identifier.
void Shard::end_flow(Session& s, mqtt::PacketId id, session::Inflight::Entry& entry) {
    leave_flight(entry.delivery);
    s.flow->inflight.finish(id, entry);
    here_.metrics().inflight.sub();
}

/// PUBREC came.
void Shard::release_message(Session& s, session::Inflight::Entry& entry) {
    leave_flight(entry.delivery);
    s.flow->inflight.release(entry);
}

void Shard::leave_flight(const session::Delivery& delivery) {
    if (delivery.message && delivery.message->leave_flight())
        inflight_change_ -= static_cast<int64_t>(delivery.message->footprint());
}

/// Tells the other shards what this one has in flight: once per round, for each message would be a contended write.
void Shard::settle_inflight() {
    if (inflight_change_)
        here_.core().inflight_bytes.fetch_add(std::exchange(inflight_change_, 0), std::memory_order_relaxed);
    inflight_full_ = here_.core().bytes_waiting() > here_.core().config.limits.queued_bytes;
}

/// A message of this many bytes may go into flight: beside those that are, at most half of what may wait for the
/// session, so that its queue always has the other half. One may always be, whatever its size.
bool Shard::has_flight_room(const session::Flow& flow, size_t bytes) const {
    const uint64_t used = flow.inflight.bytes();
    return used == 0 ||
           (!inflight_full_ && used + bytes <= here_.core().config.limits.client_queued_bytes / 2);
}

}  // namespace comqtt::broker
