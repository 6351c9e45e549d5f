#pragma once
// Inflight: outbound QoS 1 and 2 messages of one session between PUBLISH and their last acknowledgement, a ring
// in the order sent. Packet identifiers run 1..65535 in a circle, so an identifier is an index.

#include <cstdint>
#include <map>
#include <vector>

#include "mqtt/types.hpp"
#include "session/delivery.hpp"

namespace comqtt::session {

class Inflight {
public:
    enum class State : uint8_t { done, published, released };  ///< released = PUBREL sent
    struct Entry {
        Delivery delivery;
        State state = State::done;
    };
    static constexpr uint64_t kIds = 65535;

    /// Number of identifiers in use.
    size_t count() const { return count_; }
    bool empty() const { return count_ == 0; }
    /// True when every identifier is in use.
    bool exhausted() const { return count_ >= kIds; }

    mqtt::PacketId push(Delivery&& delivery);
    Entry* find(mqtt::PacketId id);
    /// The flow is over; gives the delivery back.
    Delivery finish(mqtt::PacketId id);
    /// Calls fn(packet id, entry) for all in use, oldest first.
    template <typename F>
    void each(F&& fn) {
        for (auto& [id, entry] : stragglers_) fn(id, entry);
        for (uint64_t i = 0; i < size_; ++i) {
            Entry& entry = ring_[(first_ + i) & (ring_.size() - 1)];
            if (entry.state != State::done) fn(id_of(first_ + i), entry);
        }
    }
    /// Puts back a stored flow under its identifier; identifiers come in the order they were given.
    bool restore(mqtt::PacketId id, Delivery delivery, bool released);
    void clear();

private:
    static mqtt::PacketId id_of(uint64_t sequence) {
        return static_cast<mqtt::PacketId>(sequence % kIds + 1);
    }
    void grow();
    uint64_t sequence_of(mqtt::PacketId id) const;

    /// Still unacknowledged a whole circle later; oldest first is by age, so they come before the ring.
    std::map<mqtt::PacketId, Entry> stragglers_;
    std::vector<Entry> ring_;  ///< power of two, or empty
    uint64_t first_ = 0;       ///< sequence number of the oldest entry
    uint64_t size_ = 0;        ///< span from the oldest to the newest
    size_t count_ = 0;
};

}  // namespace comqtt::session
