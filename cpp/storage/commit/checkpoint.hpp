#pragma once
// Checkpointer: copies the write-ahead log into the file on a thread of its own, while commits go on. The writer does
// the short rest between two commits, so that the log starts anew. Lives as long as the store runs.

#include <atomic>
#include <condition_variable>
#include <optional>
#include <thread>

#include "base/mutex.hpp"
#include "storage/file/sqlite_db.hpp"
#include "storage/store_config.hpp"

namespace comqtt::storage {

/// Pages in the log, and how many of them the file has.
struct LogState {
    int pages = 0;
    int copied = 0;
};

/// `mode` is one of SQLITE_CHECKPOINT_*.
Result<LogState> checkpoint(Db& db, int mode);

class Checkpointer {
public:
    /// `epoch` changes when all connections to the file have to be made anew.
    Checkpointer(const StoreConfig& config, std::string path, const std::atomic<uint64_t>& epoch)
        : config_(config), path_(std::move(path)), epoch_(epoch) {}
    ~Checkpointer() { end(); }

    void start();
    void end();

    /// Asks for a round; nothing when one is under way.
    void wake();
    /// Waits for the end of the round that is under way.
    void await();
    bool busy() const { return busy_.load(std::memory_order_acquire); }
    /// Pages that the last round left copied.
    int copied() const { return copied_.load(std::memory_order_relaxed); }
    /// The log has started anew.
    void forget() { copied_.store(0, std::memory_order_relaxed); }

private:
    void run();
    void round();

    const StoreConfig& config_;
    const std::string path_;
    const std::atomic<uint64_t>& epoch_;
    Mutex mutex_;
    std::condition_variable woken_;
    std::condition_variable rested_;
    bool ending_ COMQTT_GUARDED_BY(mutex_) = false;
    std::atomic<bool> busy_{false};
    std::atomic<int> copied_{0};
    std::optional<Db> db_;
    uint64_t db_epoch_ = 0;
    std::thread thread_;
};

}  // namespace comqtt::storage
