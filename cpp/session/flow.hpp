#pragma once
// Flow: the QoS state of one session. Made when first needed, so that an idle session costs nothing for it.

#include <cstdint>

#include "base/lazy_deque.hpp"
#include "session/delivery.hpp"
#include "session/inflight.hpp"
#include "session/queue.hpp"
#include "session/received_ids.hpp"

namespace comqtt::session {

struct Flow {
    Inflight inflight;                 ///< outbound, sent
    LazyDeque<mqtt::PacketId> resend;  ///< of `inflight`: to be sent again on this connection
    Queue queue;                       ///< outbound, not sent
    ReceivedIds received;              ///< inbound QoS 2
    uint32_t unreleased = 0;           ///< of these: came on the present connection and wait for PUBREL (4.9)
    uint32_t held_publishes = 0;       ///< of `inflight`: not sent before they are stored

    /// Messages in flight on the present connection.
    size_t outstanding() const { return inflight.count() - resend.size(); }
    /// Something waits to be sent, or sent again.
    bool has_more() const { return !queue.empty() || !resend.empty(); }
    bool idle() const { return inflight.empty() && queue.empty() && received.count() == 0; }
};

}  // namespace comqtt::session
