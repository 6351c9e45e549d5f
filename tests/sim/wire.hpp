#pragma once
// Wire: one network connection in memory. The broker holds one end (broker::Link), a simulated client the other.
// Bytes move only when the Sim, or the client, moves them.

#include <cstdint>
#include <string>
#include <vector>

#include "broker/link.hpp"
#include "broker/shard.hpp"

namespace comqtt::sim {

class Sim;

class Wire final : public broker::Link {
public:
    Wire(Sim& sim, uint64_t own_number, unsigned shard, size_t room)
        : number(own_number), capacity(room), sim_(sim), shard_(shard) {}

    const uint64_t number;
    size_t capacity;  ///< bytes on their way to the client before the broker has to wait

    // --- the client's end ---
    void send(const std::vector<uint8_t>& bytes);
    /// Up to `limit` bytes that have arrived.
    std::vector<uint8_t> read(size_t limit);
    size_t readable() const { return to_client_.size() - client_at_; }
    /// Nothing more will come.
    bool ended() const { return (finished_ || aborted_ || gone_) && readable() == 0; }
    /// Half-closes: the broker sees the end after all bytes.
    void close();
    /// Cuts: bytes on their way, in both directions, may be lost.
    void reset();
    bool closed_by_client() const { return closed_ || reset_; }

    // --- what the Sim sees ---
    unsigned shard() const { return shard_; }
    /// The broker has forgotten this connection.
    bool gone() const { return gone_; }
    bool paused() const { return paused_; }
    bool finished() const { return finished_; }
    bool aborted() const { return aborted_; }
    /// When the broker closed it, or heard that it is closed; -1 before.
    int64_t ended_ms() const { return ended_ms_; }
    size_t unread_by_broker() const { return to_broker_.size() - broker_at_; }
    uint64_t pauses() const { return pauses_; }
    /// The broker certainly did not get all that was sent.
    bool lost_input() const { return lost_input_; }
    /// Something the broker could be told now.
    bool has_news() const;
    /// Nothing on the way in either direction, and nothing to tell.
    bool quiet() const;

    // --- broker::Link ---
    size_t write(const iovec* parts, int count) override;
    size_t in_transit() const override { return readable(); }
    void pause_reading() override;
    void resume_reading() override;
    broker::Arrived read_arrived(size_t limit) override;
    void finish(int64_t timeout_ms) override;
    void abort() override;
    void move_to(unsigned shard, broker::PeerInfo peer, std::vector<uint8_t> received) override;

private:
    friend class Sim;
    void accept(broker::Shard& shard, broker::PeerInfo peer, const std::vector<uint8_t>& received);
    /// Tells the broker some of what there is to tell, or all of it.
    void tell(broker::Shard& shard, bool everything);
    void tell_input(broker::Shard& shard, bool everything);
    void give(broker::Shard& shard, size_t count);
    void tell_closed(broker::Shard& shard, const char* error);
    void note_end();

    Sim& sim_;
    unsigned shard_;
    broker::Connection* connection_ = nullptr;
    std::vector<uint8_t> to_broker_;
    size_t broker_at_ = 0;
    std::vector<uint8_t> to_client_;
    size_t client_at_ = 0;
    uint64_t pauses_ = 0;
    int64_t ended_ms_ = -1;
    bool arriving_ = true;  ///< the shard has not accepted it yet
    bool paused_ = false;
    bool wants_writable_ = false;
    bool finished_ = false;  ///< by the broker
    bool aborted_ = false;   ///< by the broker
    bool closed_ = false;    ///< by the client
    bool reset_ = false;     ///< by the client
    bool gone_ = false;
    bool lost_input_ = false;
};

}  // namespace comqtt::sim
