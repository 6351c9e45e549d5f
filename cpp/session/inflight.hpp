#pragma once
// Inflight: outbound QoS 1 and 2 messages of one session between PUBLISH and their last acknowledgement, a ring
// in the order sent. Packet identifiers run 1..65535 in a circle, so an identifier is an index.

#include <cstdint>
#include <map>
#include <utility>
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
        bool held = false;  ///< what goes out for this state waits for the store
    };
    static constexpr uint64_t kIds = 65535;

    /// Number of identifiers in use.
    size_t count() const { return count_; }
    bool empty() const { return count_ == 0; }
    /// Footprints of the messages in flight; one that is released has none.
    uint64_t bytes() const { return bytes_; }
    /// True when every identifier is in use.
    bool exhausted() const { return count_ >= kIds; }

    mqtt::PacketId push(Delivery&& delivery);
    Entry* find(mqtt::PacketId id);
    /// PUBREC came: only the identifier is needed from here on.
    void release(Entry& entry) {
        forget_bytes(entry);
        entry.delivery.message = {};
        entry.state = State::released;
    }
    /// The flow is over. `entry` is what find(id) gave.
    void finish(mqtt::PacketId id, Entry& entry);
    /// The same; unknown identifiers are ignored.
    void finish(mqtt::PacketId id) {
        if (Entry* entry = find(id)) finish(id, *entry);
    }
    /// Calls fn(packet id, entry) for all in use, oldest first.
    template <typename F>
    void each(F&& fn) {
        for (const auto& [age, id] : by_age()) fn(id, stragglers_.at(id).entry);
        for (uint64_t i = 0; i < size_; ++i) {
            Entry& entry = entry_at(i);
            if (entry.state != State::done) fn(id_at(i), entry);
        }
    }
    /// Puts back a stored flow under its identifier; flows come in the order they were sent. False for 0 and for an
    /// identifier in use.
    bool restore(mqtt::PacketId id, Delivery delivery, bool released);
    void clear();

private:
    /// Identifier of the entry that is `offset` after the oldest.
    mqtt::PacketId id_at(uint64_t offset) const {
        const uint64_t id = first_id_ + offset;
        return static_cast<mqtt::PacketId>(id > kIds ? id - kIds : id);
    }
    /// How far after the oldest entry this identifier stands, or would stand.
    uint64_t offset_of(mqtt::PacketId id) const {
        return id >= first_id_ ? id - first_id_ : id + kIds - first_id_;
    }
    Entry& entry_at(uint64_t offset) { return ring_[(first_ + offset) & (ring_.size() - 1)]; }
    /// The oldest makes room in the ring, in use or not.
    void set_aside_oldest();
    std::vector<std::pair<uint64_t, mqtt::PacketId>> by_age() const;
    void drop_oldest() {
        ++first_;
        --size_;
        first_id_ = id_at(1);
    }
    void grow();
    void count_bytes(const Entry& entry) {
        if (entry.delivery.message) bytes_ += entry.delivery.message->footprint();
    }
    void forget_bytes(const Entry& entry) {
        if (entry.delivery.message) bytes_ -= entry.delivery.message->footprint();
    }

    struct Straggler {
        Entry entry;
        uint64_t age = 0;
    };
    static constexpr uint64_t kLongestGap = 4096;  ///< that restore() bridges with entries not in use

    /// Still unacknowledged a whole circle later; all of them are older than the ring.
    std::map<mqtt::PacketId, Straggler> stragglers_;
    uint64_t next_age_ = 0;
    std::vector<Entry> ring_;      ///< power of two, or empty
    uint64_t first_ = 0;           ///< where in the ring the oldest entry is
    mqtt::PacketId first_id_ = 1;  ///< its identifier, or the next one to be given when there is none
    uint64_t size_ = 0;            ///< span from the oldest to the newest
    size_t count_ = 0;
    uint64_t bytes_ = 0;
};

}  // namespace comqtt::session
