#pragma once
// MailLanes: messages of other shards that are behind, because they have very many receivers or are very many. Each
// publisher has a lane, first in, first out; the lanes take turns, and what other publishers send overtakes them.
// Owns that mail, whose bytes count as those of the mailbox until it is done. Lives as long as its shard, on its thread;
// calls nothing.

#include <cstdint>
#include <deque>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/mail.hpp"

namespace comqtt::broker {

/// How far a round is with the mail of its shard.
struct MailTurn {
    size_t left = 0;   ///< mails that it may still read
    size_t tasks = 0;  ///< of the share of deliveries, used by tasks
    uint64_t publisher = 0;
    size_t in_a_row = 0;  ///< of this publisher
};

class MailLanes final {
public:
    /// `seed`: peers choose their ids, and shall not choose whose lane they wait in.
    explicit MailLanes(uint64_t seed) : seed_(seed) {}
    MailLanes(const MailLanes&) = delete;
    MailLanes& operator=(const MailLanes&) = delete;

    /// The next mail is a message, or a task that belongs to one: it has to keep its place among the publisher's.
    static bool of_publisher(const MailBatch& batch) {
        const Mail& mail = batch.mails[batch.read];
        return mail.kind != Mail::Kind::task || mail.message;
    }
    /// Who published it: a hash of the client id, whose sessions and connections come and go.
    uint64_t publisher_of(const MailBatch& batch) const;

    bool empty() const { return lanes_.empty(); }
    /// Something of this publisher waits: what it sent after that has to wait behind it.
    bool has(uint64_t publisher) const { return lanes_.count(publisher) != 0; }
    /// Takes the next mail of the batch, of a run what is not done. `number` of the batch: they grow. True when it became
    /// a part that is confirmed by itself; else it goes with what was taken of the batch before.
    bool add(MailBatch& batch, uint64_t number);
    /// The last part of this publisher is not confirmed by itself: that could not be announced.
    void unvouch(uint64_t publisher) { lanes_.find(publisher)->second.parts.back().batch.vouched = false; }
    /// True when the connection is to be asked not to send more: its lane holds more than `most` bytes, or `costly`
    /// messages, and it was not asked before. It is told by take_relieved() when that is over.
    bool asks_to_wait(uint64_t publisher, Source connection, size_t most, bool costly);
    /// Connections that were asked and may go on.
    std::vector<Source> take_relieved() { return std::exchange(relieved_, {}); }

    /// Takes the next mail of the batch, a task that comes after all messages before it, whoever has published them.
    void add_task(MailBatch& batch, uint64_t number);
    /// The next task whose time has come; none when there is no such.
    std::function<void(Shard&)> take_task();

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
    struct Lane {
        std::deque<Part> parts;
        size_t bytes = 0;
        size_t most = 0;            ///< bytes at which connections were asked to wait; they go on at half
        bool costly = false;        ///< they wait until the lane is empty
        std::vector<Source> asked;  ///< connections that wait
    };

    void count(uint64_t number);
    void uncount(uint64_t number);

    const uint64_t seed_;
    std::unordered_map<uint64_t, Lane> lanes_;  ///< by publisher; none is empty
    std::vector<Source> relieved_;
    std::deque<uint64_t> turns_;  ///< their publishers, whose turn it is first
    std::deque<Batch> batches_;   ///< by number; the first one has parts
    std::deque<std::pair<uint64_t, std::function<void(Shard&)>>> tasks_;  ///< with the number of their batch
};

}  // namespace comqtt::broker
