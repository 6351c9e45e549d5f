#pragma once
// Flow: the QoS state of one session. Made when first needed, so that an idle session costs nothing for it.

#include <cstdint>
#include <deque>

#include "session/delivery.hpp"
#include "session/inflight.hpp"
#include "session/received_ids.hpp"

namespace comqtt::session {

struct Flow {
    Inflight inflight;                  ///< outbound, sent
    std::deque<mqtt::PacketId> resend;  ///< of `inflight`: to be sent again on this connection
    std::deque<Delivery> queue;         ///< outbound, not sent
    ReceivedIds received;               ///< inbound QoS 2
    uint64_t queued_bytes = 0;          ///< footprints of `queue`
    uint32_t held_publishes = 0;        ///< of `inflight`: not sent before they are stored
    size_t queued_qos0 = 0;  ///< in `queue`, held back by a read verdict: later ones wait behind them

    /// Messages in flight on the present connection.
    size_t outstanding() const { return inflight.count() - resend.size(); }
    /// Something waits to be sent, or sent again.
    bool has_more() const { return !queue.empty() || !resend.empty(); }
    void enqueue(Delivery delivery) {
        queued_bytes += delivery.message->footprint();
        queued_qos0 += delivery.qos == 0;
        queue.push_back(std::move(delivery));
    }
    Delivery pop_front() {
        Delivery delivery = std::move(queue.front());
        queue.pop_front();
        queued_bytes -= delivery.message->footprint();
        queued_qos0 -= delivery.qos == 0;
        return delivery;
    }
    Delivery pop_back() {
        Delivery delivery = std::move(queue.back());
        queue.pop_back();
        queued_bytes -= delivery.message->footprint();
        queued_qos0 -= delivery.qos == 0;
        return delivery;
    }
    bool idle() const { return inflight.empty() && queue.empty() && received.count() == 0; }
};

}  // namespace comqtt::session
