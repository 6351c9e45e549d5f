#include "storage/commit/backlog.hpp"

#include <algorithm>

namespace comqtt::storage {

namespace {

// Bounds of one transaction, so that none takes long.
constexpr size_t kChanges = 20'000;
constexpr uint64_t kBytes = 32u << 20;

}  // namespace

Backlog::Backlog(const StoreConfig& config) : config_(config) {}

Status Backlog::add(hooks::Changes& batch) {
    using std::chrono::milliseconds;
    const Lock lock(mutex_);
    if (ending_) return Status::closed;
    ++taken_in_;
    if (batch.shard() >= last_of_shard_.size()) last_of_shard_.resize(batch.shard() + 1);
    last_of_shard_[batch.shard()] = taken_in_;
    bytes_ += batch.footprint();
    const bool answered =
        config_.durability == Durability::relaxed && !failing_ && bytes_ <= config_.backlog_bytes;
    waiting_.push_back({Batch::share(&batch), answered});
    unanswered_ += !answered;
    const auto now = Clock::now();
    if (answered)
        due_ = std::min(due_, now + milliseconds(config_.flush_interval_ms));
    else if (config_.durability == Durability::relaxed)
        due_ = now;
    else
        due_ = std::min(due_, now + milliseconds(config_.commit_window_ms));
    // Nobody waits for the disk yet: half of the room is enough for one commit.
    if (answered && bytes_ > config_.backlog_bytes / 2) due_ = now;
    if (due_ < sleeps_until_) {
        sleeps_until_ = Clock::time_point::min();
        writer_.notify_one();
    }
    return answered ? Status::ok : Status::pending;
}

uint64_t Backlog::hasten(unsigned shard) {
    const Lock lock(mutex_);
    const uint64_t number = shard < last_of_shard_.size() ? last_of_shard_[shard] : 0;
    if (number > taken_) {
        due_ = Clock::now();
        writer_.notify_one();
    }
    return number;
}

Backlog::Work Backlog::take(std::vector<Batch>& out, Clock::time_point until) {
    Lock lock(mutex_);
    while (!ending_ && !(woken_ && waiting_.empty())) {
        const auto now = Clock::now();
        if (!waiting_.empty() && due_ <= now) break;
        if (until <= now) return Work::nothing;
        woken_ = false;
        sleeps_until_ = waiting_.empty() ? until : std::min(until, due_);
        lock.wait_until(writer_, sleeps_until_);
        sleeps_until_ = Clock::time_point::min();
    }
    woken_ = false;
    if (waiting_.empty()) return ending_ ? Work::ended : Work::nothing;
    size_t changes = 0;
    taken_bytes_ = 0;
    while (!waiting_.empty()) {
        const hooks::Changes& next = *waiting_.front().batch;
        changes += next.all().size();
        if (!out.empty() && (changes > kChanges || taken_bytes_ + next.footprint() > kBytes)) break;
        taken_bytes_ += next.footprint();
        ++taken_;
        unanswered_ -= !waiting_.front().answered;
        out.push_back(std::move(waiting_.front().batch));
        waiting_.pop_front();
    }
    // What is left has waited long enough.
    if (waiting_.empty()) due_ = Clock::time_point::max();
    return Work::batches;
}

void Backlog::committed() {
    const Lock lock(mutex_);
    committed_ = taken_;
    bytes_ -= std::exchange(taken_bytes_, 0);
    loads_.notify_all();
}

void Backlog::answer_waiting() {
    if (config_.durability != Durability::relaxed) return;
    std::vector<Batch> answered;
    {
        const Lock lock(mutex_);
        if (!unanswered_ || failing_ || bytes_ > config_.backlog_bytes) return;
        for (Waiting& waiting : waiting_)
            if (!std::exchange(waiting.answered, true)) answered.push_back(waiting.batch);
        unanswered_ = 0;
    }
    for (const Batch& batch : answered) batch->complete(Status::ok);
}

void Backlog::set_failing(bool failing) {
    const Lock lock(mutex_);
    failing_ = failing;
    if (failing) loads_.notify_all();
}

bool Backlog::report(const std::vector<Batch>& taken, Status status, const std::string& text) {
    for (const Batch& batch : taken)
        if (batch->report(status, text) == Status::ok) return true;
    Batch oldest;
    {
        const Lock lock(mutex_);
        for (const Waiting& waiting : waiting_) {
            if (waiting.answered) continue;
            oldest = waiting.batch;
            break;
        }
    }
    return oldest && oldest->report(status, text) == Status::ok;
}

void Backlog::pause(std::chrono::milliseconds time) {
    Lock lock(mutex_);
    const auto until = Clock::now() + time;
    // At the end attempts come faster: there is little time left.
    const auto until_end = Clock::now() + std::min(time, std::chrono::milliseconds(50));
    const bool was_ending = ending_;
    lock.wait_until(writer_, was_ending ? until_end : until,
                    [&]() COMQTT_REQUIRES(mutex_) { return ending_ && !was_ending; });
}

void Backlog::take_rest(std::vector<Batch>& out) {
    const Lock lock(mutex_);
    for (Waiting& waiting : waiting_) out.push_back(std::move(waiting.batch));
    waiting_.clear();
    unanswered_ = 0;
    ended_ = true;
    loads_.notify_all();
}

void Backlog::wake() {
    const Lock lock(mutex_);
    woken_ = true;
    writer_.notify_one();
}

void Backlog::end(Clock::time_point deadline) {
    const Lock lock(mutex_);
    ending_ = true;
    deadline_ = deadline;
    writer_.notify_one();
}

bool Backlog::ending() const {
    const Lock lock(mutex_);
    return ending_;
}

bool Backlog::out_of_time() const {
    const Lock lock(mutex_);
    return ending_ && Clock::now() >= deadline_;
}

Status Backlog::await(uint64_t number) {
    Lock lock(mutex_);
    lock.wait(loads_, [&]() COMQTT_REQUIRES(mutex_) { return committed_ >= number || failing_ || ended_; });
    if (committed_ >= number) return Status::ok;
    return ended_ ? Status::closed : Status::io;
}

}  // namespace comqtt::storage
