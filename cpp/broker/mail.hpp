#pragma once
// Mail: what one shard, or a thread outside, hands to another shard. One batch per target and read batch.

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <memory>
#include <vector>

#include "base/mutex.hpp"
#include "mqtt/message.hpp"
#include "mqtt/types.hpp"
#include "session/delivery.hpp"
#include "topics/subscription_index.hpp"

namespace comqtt::broker {

class Shard;

/// A connection anywhere in the server: who to pause when its messages do not fit.
struct Source {
    uint64_t connection = 0;  ///< handle in its shard; 0 = none
    uint32_t shard = 0;
};

/// A connection as one number, unique in the server.
inline uint64_t key_of(Source source) { return (uint64_t{source.shard} << 56) | source.connection; }
inline Source source_of(uint64_t key) {
    return {key & 0x00FF'FFFF'FFFF'FFFF, static_cast<uint32_t>(key >> 56)};
}

struct Mail {
    enum class Kind : uint8_t { message, targeted, run, task };
    Kind kind = Kind::task;
    mqtt::Version version = mqtt::Version::v311;  ///< run: form of the packets
    topics::SubscriptionOptions options;          ///< targeted
    topics::SubscriberId target;                  ///< targeted; for the others the publishing session
    Source source;
    uint64_t logged = 0;  ///< message, targeted: position in the hand-over log, 0 = not in it
    uint32_t offset = 0;  ///< run: bytes of the batch
    uint32_t size = 0;
    uint32_t count = 0;             ///< run: packets
    uint16_t origin_size = 0;       ///< run: the publisher's client id stands before it
    bool one_topic = false;         ///< run: all its packets have the topic of the first
    bool in_order = true;           ///< task: after all messages that came before it
    mqtt::MessageRef message;       ///< of a task: what it belongs to, null = nothing
    Ref<session::ShareName> share;  ///< targeted
    std::function<void(Shard&)> task;
};

struct MailBatch {
    std::vector<Mail> mails;
    std::vector<uint8_t> bytes;  ///< of the runs
    size_t footprint = 0;        ///< payload bytes held, runs and messages
    uint64_t round = 0;          ///< of the sender; with `vouched` it is told when all this is stored
    bool vouched = false;        ///< acknowledgements of the sender's round wait for what becomes of it
    uint32_t from = UINT32_MAX;  ///< sending shard
    // Of the shard that reads it, in several rounds when the messages have very many receivers.
    uint32_t read = 0;       ///< mails that are done
    uint32_t run_read = 0;   ///< bytes of the next one, a run, that are done
    bool passed_on = false;  ///< some of it was handed on to other shards in this round
    bool failed = false;     ///< a mail of it could not be handled

    bool empty() const { return mails.empty(); }
    bool all_read() const { return read == mails.size(); }
};

/// Wakes the thread of a shard. Thread-safe.
class Host {
public:
    virtual void wake(unsigned shard) = 0;

protected:
    ~Host() = default;
};

/// Mailbox of one shard: many writers, one reader, first in first out. Outlives its shard for late completions.
class Mailbox {
public:
    Mailbox(Host* host, unsigned shard) : host_(host), shard_(shard) {}

    /// False when the shard is gone; the batch is dropped.
    bool post(MailBatch batch) {
        const Lock lock(mutex_);
        if (!host_) return false;
        pending_bytes_.fetch_add(batch.footprint, std::memory_order_relaxed);
        const bool was_empty = batches_.empty();
        batches_.push_back(std::move(batch));
        ++posted_;
        if (was_empty) host_->wake(shard_);
        return true;
    }
    bool post(std::function<void(Shard&)> task) {
        MailBatch batch;
        batch.mails.emplace_back();
        batch.mails.back().task = std::move(task);
        return post(std::move(batch));
    }
    /// The oldest batches, with this many mails in all and the last batch whole. While more wait, the shard is woken.
    std::vector<MailBatch> take(size_t mails) {
        const Lock lock(mutex_);
        std::vector<MailBatch> taken;
        for (size_t count = 0; count < mails && !batches_.empty(); count += taken.back().mails.size()) {
            taken.push_back(std::move(batches_.front()));
            batches_.pop_front();
        }
        if (!batches_.empty() && host_) host_->wake(shard_);
        return taken;
    }
    /// Puts back, as the oldest, what take() gave and there was no time for.
    void put_back_unread(std::vector<MailBatch> batches) {
        const Lock lock(mutex_);
        if (!host_) return;
        batches_.insert(batches_.begin(), std::make_move_iterator(batches.begin()),
                        std::make_move_iterator(batches.end()));
        host_->wake(shard_);
    }
    /// Batches that were ever put in.
    uint64_t posted() const {
        const Lock lock(mutex_);
        return posted_;
    }
    void close() {
        std::deque<MailBatch> dropped;
        const Lock lock(mutex_);
        host_ = nullptr;
        dropped.swap(batches_);
    }
    bool idle() const {
        const Lock lock(mutex_);
        return batches_.empty();
    }
    /// An empty buffer for a batch to this shard, a used one when there is one.
    std::vector<uint8_t> buffer() {
        const Lock lock(mutex_);
        if (spare_.empty()) return {};
        std::vector<uint8_t> taken = std::move(spare_.back());
        spare_.pop_back();
        return taken;
    }
    /// Gives a buffer back for the next batches. The memory of large ones is dear to get and to give up.
    void put_back(std::vector<uint8_t> buffer) {
        if (buffer.capacity() == 0 || buffer.capacity() > kSpareBytes) return;
        buffer.clear();
        const Lock lock(mutex_);
        if (spare_.size() < kSpares) spare_.push_back(std::move(buffer));
    }
    size_t pending_bytes() const { return pending_bytes_.load(std::memory_order_relaxed); }
    void delivered(size_t bytes) { pending_bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

private:
    static constexpr size_t kSpares = 4;
    static constexpr size_t kSpareBytes = 1u << 20;
    mutable Mutex mutex_;
    std::deque<MailBatch> batches_ COMQTT_GUARDED_BY(mutex_);
    uint64_t posted_ COMQTT_GUARDED_BY(mutex_) = 0;
    std::vector<std::vector<uint8_t>> spare_ COMQTT_GUARDED_BY(mutex_);
    Host* host_ COMQTT_GUARDED_BY(mutex_);
    unsigned shard_;
    std::atomic<size_t> pending_bytes_{0};
};

}  // namespace comqtt::broker
