#include "storage/commit/committer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/thread.hpp"
#include "storage/file/sqlite_open.hpp"

namespace comqtt::storage {

namespace {

constexpr auto kIdle = std::chrono::milliseconds(500);  ///< without commits, until the log is emptied
constexpr auto kRest = std::chrono::seconds(5);         ///< after upkeep failed
constexpr auto kSayAgain = std::chrono::seconds(30);    ///< that commits still fail
constexpr const char* kComponent = "storage";

int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Backlog::Clock::now().time_since_epoch())
        .count();
}

}  // namespace

Committer::Committer(Parts parts)
    : parts_(parts), transaction_(parts.sessions), nothing_(parts.sessions), upkeep_(parts.checkpointer) {}

Committer::~Committer() { join(); }

Result<void> Committer::start(Db db, int64_t number, int64_t message_base) {
    auto made = ChangeWriter::make(std::move(db), message_base);
    if (!made) return made.take_error();
    writer_ = made.take();
    number_ = number;
    message_base_ = message_base;
    more_to_do_ = true;
    thread_ = start_thread("commit", [this] { run(); });
    return {};
}

void Committer::join() {
    if (thread_.joinable()) thread_.join();
}

void Committer::keep(Counters counters) {
    {
        const Lock lock(counters_mutex_);
        counters_ = std::move(counters);
    }
    parts_.backlog.wake();
}

Committer::Clock::time_point Committer::next_idle() const {
    if (more_to_do_ || !writer_) return std::max(Clock::now(), rest_until_);
    if (writer_ && writer_->log_pages() > 0) return std::max(Clock::now() + kIdle, rest_until_);
    return Clock::now() + std::chrono::hours(1);
}

void Committer::run() {
    for (;;) {
        switch (parts_.backlog.take(batches_, next_idle())) {
            case Backlog::Work::batches: commit(); break;
            case Backlog::Work::nothing: idle(); break;
            case Backlog::Work::ended: close(); return;
        }
    }
}

void Committer::commit() {
    transaction_.clear();
    for (const Backlog::Batch& batch : batches_) transaction_.add(batch->all());
    transaction_.finish();
    uint64_t held_back = 0;
    if (transaction_.ignored() && ignored_lines_.allow(now_ms(), held_back))
        parts_.config.log.write(LogLevel::warn, kComponent,
                                "{} changes of sessions that are not stored are ignored",
                                transaction_.ignored());
    if (!transaction_.empty() && !commit_in_time()) {
        parts_.backlog.take_rest(batches_);
        finish(failure_.status == Status::queue_full ? Status::queue_full : Status::io, failure_.message);
        return;
    }
    parts_.backlog.committed();
    finish(Status::ok, {});
    parts_.backlog.answer_waiting();
    more_to_do_ = writer_ && writer_->sweeping();
    if (!writer_ || Clock::now() < rest_until_) return;
    note(upkeep_.after_commit(*writer_));
    if (writer_) note(save_counters());
}

/// False when the end came first.
bool Committer::commit_in_time() {
    for (;;) {
        const auto done = attempt();
        if (done) {
            recovered();
            return true;
        }
        failed(done.error());
        if (parts_.backlog.out_of_time()) return false;
        parts_.backlog.pause(std::chrono::milliseconds(parts_.config.retry_ms));
    }
}

Result<void> Committer::attempt() {
    if (!writer_) {
        bool applied = false;
        if (auto opened = reopen(applied); !opened) return opened;
        written_ |= applied;
    }
    if (writer_->db().moved()) {
        writer_.reset();
        return Error{Status::io, fmt::format("{}: the file was moved or removed", file_name(parts_.path))};
    }
    // What an earlier attempt wrote although it failed is in the file, but perhaps not on the disk: the next commit that
    // succeeds has it synced.
    auto done = writer_->commit(written_ ? nothing_ : transaction_, number_ + 1);
    if (done) {
        ++number_;
        written_ = false;
        return done;
    }
    const Status kind = done.error().status;
    if (kind == Status::queue_full)
        (void)checkpoint(writer_->db(), SQLITE_CHECKPOINT_PASSIVE);  // room in the log, if not in the file
    else if (kind != Status::timeout)
        writer_.reset();
    return done;
}

/// Whether the commit that failed is in the file after all shows in the number of its last transaction.
Result<void> Committer::reopen(bool& applied) {
    parts_.epoch.fetch_add(1, std::memory_order_acq_rel);
    auto db = connect(parts_.config, parts_.path, Role::writer);
    if (!db) return db.take_error();
    auto number = last_commit(*db);
    if (!number) return number.take_error();
    if (*number != number_ && *number != number_ + 1)
        return Error{Status::io,
                     fmt::format("{}: is not the file it was before (transaction {} instead of {})",
                                 file_name(parts_.path), *number, number_)};
    auto made = ChangeWriter::make(db.take(), message_base_);
    if (!made) return made.take_error();
    writer_ = made.take();
    upkeep_.restart();
    applied = *number == number_ + 1;
    number_ = *number;
    return {};
}

/// Tells the shards, and lets go of the batches.
void Committer::finish(Status status, const std::string& text) {
    for (Backlog::Batch& batch : batches_) {
        batch->complete(status, text);
        batch = {};
    }
    batches_.clear();
    transaction_.clear();
}

void Committer::failed(const Error& error) {
    const Status status = error.status == Status::queue_full ? Status::queue_full : Status::io;
    const bool changed = !failing_ || status != failure_.status;
    const auto now = Clock::now();
    if (changed || now - logged_at_ >= kSayAgain) {
        logged_at_ = now;
        parts_.config.log.write(LogLevel::error, kComponent, "cannot commit: {}; trying again every {} ms",
                                error.message, parts_.config.retry_ms);
    }
    if (changed) reported_ = false;
    failing_ = true;
    failure_ = {status, error.message};
    parts_.backlog.set_failing(true);
    if (!reported_) reported_ = parts_.backlog.report(batches_, status, error.message);
}

void Committer::recovered() {
    if (!failing_) return;
    failing_ = reported_ = false;
    rest_until_ = {};
    parts_.backlog.set_failing(false);
    parts_.config.log.write(LogLevel::info, kComponent, "{}: commits work again", file_name(parts_.path));
}

/// What is not a batch's is tried again after a while; what is wrong shows with the next commit.
void Committer::note(const Result<void>& done) {
    if (done || done.error().status == Status::timeout) return;
    const auto now = Clock::now();
    if (now >= rest_until_)
        parts_.config.log.write(LogLevel::warn, kComponent, "upkeep failed: {}", done.error().message);
    rest_until_ = now + kRest;
    if (done.error().status != Status::queue_full) writer_.reset();
}

void Committer::idle() {
    bool applied = false;
    if (Clock::now() < rest_until_) return;
    if (!writer_ && !reopen(applied)) {
        rest_until_ = Clock::now() + kRest;
        return;
    }
    more_to_do_ = false;
    note(save_counters());
    if (writer_ && writer_->sweeping()) {
        note(writer_->sweep());
        more_to_do_ = true;
        return;
    }
    if (writer_) note(upkeep_.idle(*writer_, more_to_do_));
}

Result<void> Committer::save_counters() {
    Counters counters;
    {
        const Lock lock(counters_mutex_);
        counters.swap(counters_);
    }
    return counters.empty() ? Result<void>() : writer_->save(counters);
}

void Committer::close() {
    parts_.backlog.take_rest(batches_);
    finish(Status::closed, "the store has ended");
    bool applied = false;
    if (!writer_ && !reopen(applied)) return;
    note(save_counters());
    parts_.checkpointer.end();
    if (!writer_) return;
    const auto marked = mark_clean(writer_->db());
    if (!marked)
        parts_.config.log.write(LogLevel::warn, kComponent, "not closed in order: {}",
                                marked.error().message);
    writer_.reset();
}

}  // namespace comqtt::storage
