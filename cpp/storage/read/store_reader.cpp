#include "storage/read/store_reader.hpp"

#include "base/thread.hpp"
#include "storage/file/sqlite_open.hpp"

namespace comqtt::storage {

void StoreReader::start() {
    thread_ = start_thread("read", [this] { run(); });
}

void StoreReader::end() {
    {
        const Lock lock(mutex_);
        ending_ = true;
        added_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
}

Status StoreReader::add(hooks::Load& load) {
    const uint64_t number = backlog_.hasten(load.request().shard);
    const Lock lock(mutex_);
    if (ending_) return Status::closed;
    waiting_.push_back({Ref<hooks::Load>::share(&load), number});
    added_.notify_one();
    return Status::pending;
}

void StoreReader::run() {
    Lock lock(mutex_);
    for (;;) {
        lock.wait(added_, [this]() COMQTT_REQUIRES(mutex_) { return ending_ || !waiting_.empty(); });
        if (waiting_.empty()) break;
        const Waiting next = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        answer(next);
        lock.lock();
    }
    reader_.reset();
}

void StoreReader::answer(const Waiting& waiting) {
    hooks::Load& load = *waiting.load;
    const Status waited = backlog_.await(waiting.number);
    if (waited != Status::ok) {
        load.complete(waited,
                      waited == Status::io ? "changes of before cannot be committed" : "the store has ended");
        return;
    }
    auto done = read(load);
    if (done) {
        load.complete(*done);
        return;
    }
    reader_.reset();
    config_.log.write(LogLevel::error, "storage", "the messages of '{}' cannot be read: {}",
                      load.request().client_id, done.error().message);
    load.complete(Status::io, done.error().message);
}

Result<Status> StoreReader::read(hooks::Load& load) {
    const uint64_t epoch = epoch_.load(std::memory_order_acquire);
    if (!reader_ || reader_epoch_ != epoch) {
        reader_.reset();
        auto db = connect(config_, path_, Role::reader);
        if (!db) return db.take_error();
        auto made = PageReader::make(db.take());
        if (!made) return made.take_error();
        reader_ = made.take();
        reader_epoch_ = epoch;
    }
    return reader_->answer(load);
}

}  // namespace comqtt::storage
