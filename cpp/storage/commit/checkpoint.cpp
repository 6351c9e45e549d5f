#include "storage/commit/checkpoint.hpp"

#include "base/thread.hpp"
#include "storage/file/sqlite_open.hpp"

namespace comqtt::storage {

Result<LogState> checkpoint(Db& db, int mode) {
    LogState state;
    // Never waits for readers: there is another time.
    sqlite3_busy_timeout(db.handle(), 0);
    const int code = sqlite3_wal_checkpoint_v2(db.handle(), "main", mode, &state.pages, &state.copied);
    sqlite3_busy_timeout(db.handle(), Db::kBusyTimeoutMs);
    if (code != SQLITE_OK && (code & 0xFF) != SQLITE_BUSY) return db.error();
    return state;
}

void Checkpointer::start() {
    thread_ = start_thread("copy", [this] { run(); });
}

void Checkpointer::end() {
    {
        const Lock lock(mutex_);
        ending_ = true;
        woken_.notify_one();
        rested_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
}

void Checkpointer::wake() {
    const Lock lock(mutex_);
    busy_.store(true, std::memory_order_relaxed);
    woken_.notify_one();
}

void Checkpointer::await() {
    Lock lock(mutex_);
    lock.wait(rested_, [this]() COMQTT_REQUIRES(mutex_) { return ending_ || !busy(); });
}

void Checkpointer::run() {
    Lock lock(mutex_);
    for (;;) {
        lock.wait(woken_, [this]() COMQTT_REQUIRES(mutex_) { return ending_ || busy(); });
        if (ending_) break;
        lock.unlock();
        round();
        lock.lock();
        busy_.store(false, std::memory_order_release);
        rested_.notify_all();
    }
    db_.reset();
}

void Checkpointer::round() {
    copied_.store(0, std::memory_order_relaxed);
    const uint64_t epoch = epoch_.load(std::memory_order_acquire);
    if (!db_ || db_epoch_ != epoch) {
        db_.reset();
        auto opened = connect(config_, path_, Role::checkpoint);
        if (!opened) return;  // the writer meets the same, and reports it
        db_ = opened.take();
        db_epoch_ = epoch;
    }
    auto state = checkpoint(*db_, SQLITE_CHECKPOINT_PASSIVE);
    if (state)
        copied_.store(state->copied, std::memory_order_relaxed);
    else
        db_.reset();
}

}  // namespace comqtt::storage
