#pragma once
// MailLanes: messages of other shards that are behind, because they have very many receivers or are very many. Each
// publisher has a lane, first in, first out; the lanes take turns, and what other publishers send overtakes them.
// Owns that mail, whose bytes count as those of the mailbox until it is done. Lives as long as its shard, on its thread;
// calls nothing.

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>

#include "broker/mail.hpp"

namespace comqtt::broker {

/// How far a round is with the mail of its shard.
struct MailTurn {
    size_t left = 0;  ///< mails that it may still read
    uint64_t publisher = 0;
    size_t in_a_row = 0;  ///< of this publisher
};

class MailLanes final {
public:
    /// `seed`: peers choose their ids, and shall not choose whose lane they wait in.
    explicit MailLanes(uint64_t seed) : seed_(seed) {}
    MailLanes(const MailLanes&) = delete;
    MailLanes& operator=(const MailLanes&) = delete;

    /// Who published the next mail, no task: a hash of the client id, whose sessions and connections come and go.
    uint64_t publisher_of(const MailBatch& batch) const;

    bool empty() const { return lanes_.empty(); }
    /// Something of this publisher waits: what it sent after that has to wait behind it.
    bool has(uint64_t publisher) const { return lanes_.count(publisher) != 0; }
    /// Takes the next mail of the batch, of a run what is not done. `number` of the batch: they grow. True when it became
    /// a part that is confirmed by itself; else it goes with what was taken of the batch before.
    bool add(MailBatch& batch, uint64_t number);

    // --- where there is some
    /// The oldest of the publisher whose turn it is: a batch or what was taken of it.
    MailBatch& front();
    /// Another publisher's turn. The front goes when all of it is read.
    void next();

    /// No mail of batches with smaller numbers is left; UINT64_MAX when there is none at all.
    uint64_t oldest() const { return batches_.empty() ? UINT64_MAX : batches_.front().number; }

private:
    struct Part {
        MailBatch batch;
        uint64_t number = 0;
    };
    struct Batch {
        uint64_t number = 0;
        size_t parts = 0;  ///< that are left
    };
    using Lane = std::deque<Part>;

    void count(uint64_t number);
    void uncount(uint64_t number);

    const uint64_t seed_;
    std::unordered_map<uint64_t, Lane> lanes_;  ///< by publisher; none is empty
    std::deque<uint64_t> turns_;                ///< their publishers, whose turn it is first
    std::deque<Batch> batches_;                 ///< by number; the first one has parts
};

}  // namespace comqtt::broker
