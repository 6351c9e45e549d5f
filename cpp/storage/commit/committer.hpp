#pragma once
// Committer: the thread that commits. Takes what the shards handed over, makes one transaction of it, tries until
// it is in the file, and tells the shards. Lives as long as the store runs.

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.hpp"
#include "storage/commit/backlog.hpp"
#include "storage/commit/change_writer.hpp"
#include "storage/commit/transaction.hpp"
#include "storage/commit/upkeep.hpp"

namespace comqtt::storage {

class Committer {
public:
    struct Parts {
        const StoreConfig& config;
        const std::string& path;
        Backlog& backlog;
        SessionIds& sessions;
        Checkpointer& checkpointer;
        std::atomic<uint64_t>& epoch;
    };
    explicit Committer(Parts parts);
    ~Committer();

    /// `db` is the file as it was opened; the last transaction in it is `number`.
    Result<void> start(Db db, int64_t number, int64_t message_base);
    /// After Backlog::end: waits until the thread has ended.
    void join();
    /// To be written when there is time; replaces what was not yet. Any thread.
    void keep(Counters counters);

private:
    using Clock = Backlog::Clock;

    void run();
    void commit();
    bool commit_in_time();
    Result<void> attempt();
    Result<void> reopen(bool& applied);
    void idle();
    void close();
    void finish(Status status, const std::string& text);
    void failed(const Error& error);
    void recovered();
    void note(const Result<void>& done);
    Result<void> save_counters();
    Clock::time_point next_idle() const;

    Parts parts_;
    Transaction transaction_;
    const Transaction nothing_;
    Upkeep upkeep_;
    std::unique_ptr<ChangeWriter> writer_;  ///< null = the connection is broken
    std::vector<Backlog::Batch> batches_;
    int64_t number_ = 0;    ///< of the last transaction in the file
    bool written_ = false;  ///< that is transaction_, whose commit failed all the same
    int64_t message_base_ = 0;
    bool more_to_do_ = false;
    Clock::time_point rest_until_;  ///< no upkeep before, for it failed
    LogLimiter ignored_lines_{2};

    bool failing_ = false;
    bool reported_ = false;
    Error failure_;
    Clock::time_point logged_at_;

    Mutex counters_mutex_;
    Counters counters_ COMQTT_GUARDED_BY(counters_mutex_);
    std::thread thread_;
};

}  // namespace comqtt::storage
