#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client.hpp"
#include "histogram.hpp"
#include "packet_ids.hpp"
#include "wildcard_walk.hpp"
#include "wire.hpp"

namespace comqtt::bench {

// What a publisher may have outstanding.
struct Flow {
    std::uint64_t window = 1;               // messages not yet delivered to all, or not acknowledged
    std::uint64_t min_batch = 1;            // publish only when so many are allowed
    bool bounded_by_delivery = true;        // false: open loop
    std::uint32_t most_in_flight = 65'000;  // at a fixed rate: the broker does not keep up
};

// One publishing client: its packet, its numbers, its acknowledgements.
class Publisher : public Client {
public:
    Publisher(Connection connection, std::uint32_t id, const PublishSpec& spec, std::uint32_t fanout,
              const Flow& flow);

    const std::uint8_t* consume(const std::uint8_t* begin, const std::uint8_t* end) override;

    // How many messages it may publish now.
    std::uint64_t credit() const;
    std::uint64_t min_batch() const { return flow_.min_batch; }

    std::uint32_t id() const { return id_; }
    int qos() const { return qos_; }
    const PublishPacket& packet() const { return packet_; }
    PacketIds& packet_ids() { return packet_ids_; }

    // The next message's sequence number; with a walk also its topic.
    std::uint64_t take_seq() { return sent_++; }
    std::uint64_t take_seq(std::uint8_t* topic) {
        ++sent_;
        return seqs_[walk_->step(place_, topic)]++;
    }
    void set_walk(const WildcardWalk* walk, WildcardWalk::Place start);
    bool has_walk() const { return walk_ != nullptr; }

    // Times from sending to the first acknowledgement go here until it is changed.
    void set_ack_histogram(Histogram* histogram);
    void note_sent(std::uint16_t packet_id, std::uint64_t time) {
        if (!sent_at_.empty()) sent_at_[packet_id] = time;
    }
    bool may_send() const { return packet_ids_.in_use() < flow_.most_in_flight; }

    void add_delivered(std::uint64_t count) { delivered_ += count; }
    // Messages that will not come any more no longer fill the window.
    void write_off() { written_off_ = sent_ * fanout_ - delivered_; }

    std::uint64_t sent() const { return sent_; }
    std::uint64_t expected_deliveries() const { return sent_ * fanout_; }
    std::uint64_t delivered() const { return delivered_; }
    std::uint32_t unacknowledged() const { return packet_ids_.in_use(); }
    // Acknowledgements that fit nothing, or that refuse the message.
    std::uint64_t bad_acks() const { return bad_acks_; }

private:
    void on_ack(const Frame& frame);
    void time_ack(std::uint16_t packet_id);

    std::uint32_t id_;
    std::uint32_t fanout_;
    int qos_;
    Flow flow_;
    PublishPacket packet_;
    std::uint64_t sent_ = 0;
    std::uint64_t delivered_ = 0;
    std::uint64_t written_off_ = 0;
    std::uint64_t bad_acks_ = 0;
    PacketIds packet_ids_;
    Histogram* ack_histogram_ = nullptr;
    std::vector<std::uint64_t> sent_at_;  // by packet identifier; empty: not measured
    std::uint64_t now_ = 0;
    const WildcardWalk* walk_ = nullptr;
    WildcardWalk::Place place_;
    std::vector<std::uint64_t> seqs_;  // with a walk: one stream per client
};

}  // namespace comqtt::bench
