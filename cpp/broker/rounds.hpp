#pragma once
// Rounds: what one shard has handed to the stores and to other shards and not yet got confirmed, and what waits for
// it. A round is what happened between two hand-overs; rounds end in order.

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "hooks/changes.hpp"
#include "mqtt/packet.hpp"

namespace comqtt::broker {

/// A round of another shard that waits for one of ours.
struct Confirmation {
    unsigned shard = 0;
    uint64_t round = 0;
};

struct Round {
    uint64_t number = 0;
    uint32_t stores = 0;  ///< that have not answered
    uint32_t shards = 0;  ///< that have not confirmed what they were handed
    bool closed = false;
    Status status = Status::ok;  ///< the first error
    std::string text;
    int64_t since_ms = 0;
    size_t footprint = 0;
    std::shared_ptr<const hooks::Changes::List> changes;  ///< freed where they were made
    /// Wait for the stores only: were they to wait for other shards too, two shards could wait for one another.
    std::vector<Confirmation> confirmations;
    std::vector<Confirmation> passed_on;  ///< of what was handed on to other shards: these wait for them too
};

/// Something that goes out, or happens, when its round has ended.
struct Held {
    enum class Kind : uint8_t {
        ack,      ///< PUBACK, PUBREC, PUBCOMP
        packet,   ///< SUBACK, UNSUBACK, and acknowledgements with properties
        uncork,   ///< CONNACK, SUBACK in the output
        publish,  ///< QoS 2, and QoS 1 behind such, in flight under `id`
        pubrel,   ///< in flight under `id`
    };
    Kind kind{};
    mqtt::PacketType type{};
    mqtt::Reason reason = mqtt::Reason::success;
    mqtt::PacketId id = 0;
    uint64_t round = 0;
    uint64_t connection = 0;  ///< handle
    uint64_t session = 0;     ///< publish, pubrel: SubscriberId value
    std::unique_ptr<mqtt::Packet> packet;
};

/// The rounds of one shard.
class Rounds {
public:
    uint64_t open_number() const { return open_number_; }
    /// Grows with each thing in the open round that an acknowledgement has to wait for.
    uint64_t vouched() const { return vouched_; }
    void vouch() { ++vouched_; }
    hooks::Changes::List& changes() { return changes_; }
    void add_footprint(size_t bytes) { footprint_ += bytes; }
    /// Puts the changes of `other`'s open round behind those of ours.
    void take_changes(Rounds& other);
    /// The open round as another shard's confirmation or a held packet needs it: it will be closed.
    Round& open() {
        if (rounds_.empty() || rounds_.back().closed) {
            rounds_.emplace_back();
            rounds_.back().number = open_number_;
        }
        return rounds_.back();
    }
    bool something_open() const { return !changes_.empty() || (!rounds_.empty() && !rounds_.back().closed); }
    /// Closes the open round with the changes made in it.
    Round& close(int64_t now_ms);
    /// A round that was closed or is open; null when it has ended.
    Round* find(uint64_t number);
    void hold(Held held) {
        held.round = open().number;
        held_.push_back(std::move(held));
    }
    bool ended() const {
        return !rounds_.empty() && rounds_.front().closed && !rounds_.front().stores &&
               !rounds_.front().shards;
    }
    Round take_ended();
    /// The next thing that waited for this round; false when there is none.
    bool take_held(uint64_t round, Held& out);
    size_t held_count() const { return held_.size(); }
    /// Bytes of the rounds that were closed and have not ended.
    size_t uncommitted() const { return uncommitted_; }
    /// Bytes of the open round.
    size_t footprint() const { return footprint_; }
    bool empty() const { return rounds_.empty() && changes_.empty(); }
    /// When the oldest round that is not committed was handed over; INT64_MAX = there is none.
    int64_t oldest_ms() const {
        return rounds_.empty() || !rounds_.front().closed ? INT64_MAX : rounds_.front().since_ms;
    }

private:
    hooks::Changes::List changes_;
    size_t footprint_ = 0;
    size_t uncommitted_ = 0;
    uint64_t vouched_ = 0;
    uint64_t open_number_ = 1;
    std::deque<Round> rounds_;
    std::deque<Held> held_;
};

}  // namespace comqtt::broker
