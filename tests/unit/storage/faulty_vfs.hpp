#pragma once
// FaultyVfs: the system's files as SQLite sees them, with writes and syncs that fail, or wait, when a test says so.
// Becomes SQLite's default as long as it lives; stores that are opened meanwhile must end before it.

#include <sqlite3.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>

namespace comqtt::storage::test {

class FaultyVfs {
public:
    FaultyVfs();
    ~FaultyVfs();
    FaultyVfs(const FaultyVfs&) = delete;
    FaultyVfs& operator=(const FaultyVfs&) = delete;

    /// The code with which writes to files end from now on, 0 = they work.
    void fail_writes(int code) { write_code_ = code; }
    void fail_syncs(int code) { sync_code_ = code; }
    /// Lets syncs wait until `false` is said.
    void hold_syncs(bool hold);
    /// Waits until a sync waits.
    void await_held_sync();
    uint64_t syncs() const { return syncs_; }

    // For the files.
    int write_code() const { return write_code_; }
    int sync();

private:
    std::atomic<int> write_code_{0};
    std::atomic<int> sync_code_{0};
    std::atomic<uint64_t> syncs_{0};
    std::mutex mutex_;
    std::condition_variable changed_;
    bool holding_ = false;
    int held_ = 0;
    sqlite3_vfs vfs_{};
};

}  // namespace comqtt::storage::test
