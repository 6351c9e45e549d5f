#pragma once
// Backlog: the batches between the shards and the writer thread, and how far the commits are. Any thread.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <vector>

#include "base/mutex.hpp"
#include "hooks/changes.hpp"
#include "storage/store_config.hpp"

namespace comqtt::storage {

class Backlog {
public:
    using Clock = std::chrono::steady_clock;
    using Batch = Ref<hooks::Changes>;

    explicit Backlog(const StoreConfig& config);

    // Shards.

    /// Keeps a count of the batch. What the shard is answered: pending, ok, or closed.
    Status add(hooks::Changes& batch);
    /// How many batches there are up to now of this shard: what a load has to wait for. It will not be long.
    uint64_t hasten(unsigned shard);

    // The writer thread.

    enum class Work : uint8_t { batches, nothing, ended };
    /// Waits until batches are due, `until` comes or the end begins. Appends what one transaction may hold.
    Work take(std::vector<Batch>& out, Clock::time_point until);
    /// What was taken last is in the file.
    void committed();
    /// relaxed: answers shards that were made to wait, now that little enough is not committed.
    void answer_waiting();
    /// Commits fail, or no longer do.
    void set_failing(bool failing);
    /// Tells the oldest batch that is waited for why it takes longer. False when there is none.
    bool report(const std::vector<Batch>& taken, Status status, const std::string& text);
    /// Waits between two attempts; shorter when the end comes.
    void pause(std::chrono::milliseconds time);
    /// Takes all that is left.
    void take_rest(std::vector<Batch>& out);
    /// Something else than batches waits for the writer.
    void wake();

    // Others.

    /// No more batches are taken in; what is there is to be committed until `deadline`.
    void end(Clock::time_point deadline);
    bool ending() const;
    bool out_of_time() const;
    /// Waits until the batches up to `number` are committed. io: commits fail. closed: they never will be.
    Status await(uint64_t number);

private:
    struct Waiting {
        Batch batch;
        bool answered;  ///< ok was answered: nobody waits
    };

    const StoreConfig& config_;
    mutable Mutex mutex_;
    std::condition_variable writer_;
    std::condition_variable loads_;
    std::deque<Waiting> waiting_ COMQTT_GUARDED_BY(mutex_);
    std::vector<uint64_t> last_of_shard_ COMQTT_GUARDED_BY(mutex_);
    Clock::time_point due_ COMQTT_GUARDED_BY(mutex_) = Clock::time_point::max();  ///< of what waits
    size_t unanswered_ COMQTT_GUARDED_BY(mutex_) = 0;                             ///< of what waits
    uint64_t taken_in_ COMQTT_GUARDED_BY(mutex_) = 0;
    uint64_t taken_ COMQTT_GUARDED_BY(mutex_) = 0;
    uint64_t committed_ COMQTT_GUARDED_BY(mutex_) = 0;
    uint64_t bytes_ COMQTT_GUARDED_BY(mutex_) = 0;        ///< not committed
    uint64_t taken_bytes_ COMQTT_GUARDED_BY(mutex_) = 0;  ///< of those in the transaction
    Clock::time_point sleeps_until_ COMQTT_GUARDED_BY(mutex_) =
        Clock::time_point::min();  ///< the writer; min = it does not
    bool woken_ COMQTT_GUARDED_BY(mutex_) = false;
    bool failing_ COMQTT_GUARDED_BY(mutex_) = false;
    bool ending_ COMQTT_GUARDED_BY(mutex_) = false;
    bool ended_ COMQTT_GUARDED_BY(mutex_) = false;
    Clock::time_point deadline_ COMQTT_GUARDED_BY(mutex_) = Clock::time_point::max();
};

}  // namespace comqtt::storage
