#pragma once
// Outboxes: what one shard hands to the others, a batch for each, and the connections that wait until another shard has
// caught up. Owns the batches of the round that is open; posts them to the mailboxes. Lives as long as the shard, on its
// thread; calls mailboxes and nothing of the shard.

#include <functional>
#include <utility>
#include <vector>

#include "broker/here.hpp"
#include "broker/mail.hpp"
#include "broker/run.hpp"

namespace comqtt::broker {

class Outboxes final {
public:
    explicit Outboxes(const Here& here);
    Outboxes(const Outboxes&) = delete;
    Outboxes& operator=(const Outboxes&) = delete;

    /// These add to the batch for a shard. The mail is valid until the next one is added.
    Mail& message(unsigned shard, mqtt::MessageRef message, Source source);
    Mail& targeted(topics::SubscriberId target, mqtt::MessageRef message, Source source);
    /// Copies the packets. A batch that is large goes at once, unless acknowledgements wait for it.
    void run(unsigned shard, const Run& run);
    /// Comes after the messages and the tasks before it.
    void task(unsigned shard, std::function<void(Shard&)> task);
    /// Belongs to a message: comes after what its publisher has sent before.
    void task_of(unsigned shard, mqtt::MessageRef message, std::function<void(Shard&)> task);
    /// Comes after the tasks before it; messages before it may be still on their way.
    void notice(unsigned shard, std::function<void(Shard&)> task);
    /// Wakes each other shard, whose publishers may wait for room here.
    void wake_all();

    /// Acknowledgements of `round` wait for what becomes of the batch; false when they did already.
    bool vouch(unsigned shard, uint64_t round);
    /// How often something was vouched for.
    uint64_t vouched() const { return vouched_; }

    /// As much as may be is on its way to the shard: what brings more should wait.
    bool full(unsigned shard) const;
    void wait(unsigned shard, uint64_t connection) { waiters_[shard].push_back(connection); }
    /// Sends all batches.
    void flush();
    /// Rounds whose batch went to a shard that has ended; each time a batch was lost.
    std::vector<uint64_t> take_lost() { return std::exchange(lost_, {}); }
    /// Gives fn(shard, connection) each that waited for a shard with room again, and forgets it.
    template <typename F>
    void each_free(F&& fn);

private:
    MailBatch& open(unsigned shard);
    void post(unsigned shard);
    size_t limit() const { return here_.core().config.limits.handover_bytes; }

    const Here& here_;
    std::vector<MailBatch> batches_;              ///< by target
    std::vector<std::vector<uint64_t>> waiters_;  ///< handles of connections, by target
    std::vector<uint64_t> lost_;
    uint64_t vouched_ = 0;
};

template <typename F>
void Outboxes::each_free(F&& fn) {
    for (unsigned shard = 0; shard < waiters_.size(); ++shard) {
        if (waiters_[shard].empty() || here_.core().mailboxes[shard]->pending_bytes() > limit() / 2) continue;
        for (const uint64_t connection : std::exchange(waiters_[shard], {})) fn(shard, connection);
    }
}

}  // namespace comqtt::broker
