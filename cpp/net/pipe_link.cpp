#include "net/pipe_link.hpp"

#include <algorithm>
#include <chrono>

#include "base/spoil.hpp"

namespace comqtt::net {

/// A pipe on its way to a loop. One that never arrives, because the loop has ended, is closed.
struct MemoryPipe::Unopened {
    explicit Unopened(Ref<MemoryPipe> waiting) : pipe(std::move(waiting)) {}
    Unopened(const Unopened&) = delete;
    Unopened& operator=(const Unopened&) = delete;
    ~Unopened() {
        if (pipe) pipe->abandon();
    }
    Ref<MemoryPipe> take() { return std::exchange(pipe, {}); }
    Ref<MemoryPipe> pipe;
};

/// There is no broker's end, and none will come.
void MemoryPipe::abandon() {
    const std::lock_guard lock(mutex_);
    broker_closed_ = true;
    loop_ = nullptr;
    readable_.notify_all();
}

Ref<Pipe> MemoryPipe::open(Loop& loop, broker::PeerInfo peer, ConnectionCount count) {
    auto pipe = Ref<MemoryPipe>::adopt(new MemoryPipe);
    pipe->loop_ = &loop;
    loop.post_in_turn(
        [&loop, unopened = std::make_shared<Unopened>(pipe), peer = std::move(peer),
         count = std::move(count)] { PipeLink::open(loop, unopened->take(), peer, count, {}); });
    return Ref<Pipe>::share(pipe.get());
}

/// Calls the link on its loop, if it is still there then. Holds the lock.
void MemoryPipe::tell_link(void (PipeLink::*what)()) {
    if (!loop_) return;
    loop_->post([pipe = Ref<MemoryPipe>::share(this), loop = loop_, what] {
        if (PipeLink* link = pipe->link_on(loop)) (link->*what)();
    });
}

/// The broker's end when it lives on this loop, whose thread is calling.
PipeLink* MemoryPipe::link_on(const Loop* loop) {
    const std::lock_guard lock(mutex_);
    return link_ && loop_ == loop ? link_ : nullptr;
}

Status MemoryPipe::write(ByteView bytes) {
    const std::lock_guard lock(mutex_);
    if (broker_closed_ || application_closed_) return Status::closed;
    if (to_broker_.size() + bytes.size > kCapacity) return Status::queue_full;
    to_broker_.insert(to_broker_.end(), bytes.begin(), bytes.end());
    if (!link_told_) {
        link_told_ = true;
        tell_link(&PipeLink::on_readable);
    }
    return Status::ok;
}

Status MemoryPipe::read(uint8_t* buffer, size_t capacity, int64_t timeout_ms, size_t& count) {
    count = 0;
    std::unique_lock lock(mutex_);
    const auto ready = [&] {
        return to_application_.size() > read_at_ || broker_closed_ || application_closed_;
    };
    if (timeout_ms < 0) {
        readable_.wait(lock, ready);
    } else if (!readable_.wait_for(lock, std::chrono::milliseconds(timeout_ms), ready)) {
        return Status::timeout;
    }
    count = std::min(capacity, to_application_.size() - read_at_);
    if (count == 0) return application_closed_ || broker_closed_ ? Status::closed : Status::timeout;
    std::copy_n(to_application_.begin() + static_cast<ptrdiff_t>(read_at_), count, buffer);
    read_at_ += count;
    if (read_at_ == to_application_.size()) {
        to_application_.clear();
        read_at_ = 0;
        if (std::exchange(broker_blocked_, false)) tell_link(&PipeLink::on_writable);
    }
    return Status::ok;
}

void MemoryPipe::close() {
    const std::lock_guard lock(mutex_);
    if (application_closed_) return;
    application_closed_ = true;
    readable_.notify_all();
    if (!loop_) return;
    loop_->post_in_turn([pipe = Ref<MemoryPipe>::share(this), loop = loop_] {
        if (PipeLink* link = pipe->link_on(loop)) link->on_readable();
    });
}

PipeLink::PipeLink(Loop& loop, Ref<MemoryPipe> pipe, ConnectionCount count)
    : loop_(loop), pipe_(std::move(pipe)), count_(std::move(count)) {
    if (count_) count_->fetch_add(1, std::memory_order_relaxed);
}

PipeLink::~PipeLink() {
    if (count_) count_->fetch_sub(1, std::memory_order_relaxed);
}

void PipeLink::open(Loop& loop, Ref<MemoryPipe> pipe, broker::PeerInfo peer, ConnectionCount count,
                    std::vector<uint8_t> received) {
    loop.enter();
    auto* link = new PipeLink(loop, std::move(pipe), std::move(count));
    try {
        link->connection_ = loop.shard().accept(*link, std::move(peer));
    } catch (...) {
        link->leave();
        throw;
    }
    {
        // Notices from before have found no link: what they were about is looked at below.
        const std::lock_guard lock(link->pipe_->mutex_);
        link->pipe_->link_ = link;
    }
    if (!link->connection_) {
        link->closed_ = true;
        link->leave();
        return;
    }
    link->inside_ = true;
    if (!received.empty()) loop.shard().receive(*link->connection_, ByteView(received));
    link->inside_ = false;
    if (link->closed_) {
        delete link;
    } else {
        link->on_readable();
    }
}

/// Moves up to `limit` of what waits; how much is left. With the lock.
size_t PipeLink::take(std::vector<uint8_t>& bytes, size_t limit) {
    std::vector<uint8_t>& waiting = pipe_->to_broker_;
    if (waiting.size() <= limit) {
        bytes.swap(waiting);
    } else {
        const auto end = waiting.begin() + static_cast<ptrdiff_t>(limit);
        bytes.assign(waiting.begin(), end);
        waiting.erase(waiting.begin(), end);
    }
    return waiting.size();
}

void PipeLink::on_readable() {
    loop_.enter();
    const size_t limit =
        draining_ ? SIZE_MAX : std::min(loop_.shard().read_limit(*connection_), share_.limit());
    std::vector<uint8_t> bytes;
    bool ended;
    {
        const std::lock_guard lock(pipe_->mutex_);
        pipe_->link_told_ = false;
        ended = pipe_->application_closed_;
        if ((!paused_ || draining_) && take(bytes, limit)) {
            ended = false;  // there is more to be read before
            pipe_->link_told_ = true;
            pipe_->tell_link(&PipeLink::on_readable);
        }
    }
    if (paused_ && !draining_) {
        if (ended) loop_.shard().on_peer_gone(*connection_);
        return;
    }
    if (!bytes.empty() && !draining_) {
        inside_ = true;
        share_.spend(bytes.size(), [&] { loop_.shard().receive(*connection_, ByteView(bytes)); });
        inside_ = false;
        spoil(bytes);
        if (closed_) {
            delete this;
            return;
        }
    }
    // One that waits for something inside its last bytes is closed when it is read again.
    if (ended && (!paused_ || draining_)) close("");
}

void PipeLink::on_writable() {
    loop_.enter();
    inside_ = true;
    loop_.shard().on_writable(*connection_);
    inside_ = false;
    if (closed_) delete this;
}

size_t PipeLink::write(const iovec* parts, int count) {
    const std::lock_guard lock(pipe_->mutex_);
    size_t taken = 0;
    if (pipe_->application_closed_) {
        for (int i = 0; i < count; ++i) taken += parts[i].iov_len;
        return taken;
    }
    for (int i = 0; i < count; ++i) {
        const size_t room = MemoryPipe::kCapacity -
                            std::min(MemoryPipe::kCapacity, pipe_->to_application_.size() - pipe_->read_at_);
        const size_t size = std::min(room, parts[i].iov_len);
        const auto* bytes = static_cast<const uint8_t*>(parts[i].iov_base);
        pipe_->to_application_.insert(pipe_->to_application_.end(), bytes, bytes + size);
        taken += size;
        if (size < parts[i].iov_len) {
            pipe_->broker_blocked_ = true;
            break;
        }
    }
    pipe_->readable_.notify_all();
    return taken;
}

size_t PipeLink::in_transit() const {
    const std::lock_guard lock(pipe_->mutex_);
    return pipe_->to_application_.size() - pipe_->read_at_;
}

void PipeLink::resume_reading() {
    paused_ = false;
    const std::lock_guard lock(pipe_->mutex_);
    if (!pipe_->link_told_) {
        pipe_->link_told_ = true;
        pipe_->tell_link(&PipeLink::on_readable);
    }
}

broker::Arrived PipeLink::read_arrived(size_t limit) {
    if (closed_ || draining_) return {0, true};
    std::vector<uint8_t> bytes;
    {
        const std::lock_guard lock(pipe_->mutex_);
        if (pipe_->to_broker_.empty()) return {0, pipe_->application_closed_};
        take(bytes, limit);
    }
    loop_.shard().receive(*connection_, ByteView(bytes));
    spoil(bytes);
    return {bytes.size(), false};
}

void PipeLink::finish(int64_t) {
    // Nothing is lost in memory: what was written can be read after the close.
    draining_ = true;
    abort();
}

void PipeLink::abort() {
    loop_.post([pipe = pipe_, loop = &loop_] {
        if (PipeLink* link = pipe->link_on(loop)) link->close("closed by the server");
    });
}

void PipeLink::close(const char* error) {
    loop_.enter();
    closed_ = true;
    loop_.shard().on_closed(*connection_, error);
    connection_ = nullptr;
    leave();
}

void PipeLink::leave() {
    {
        const std::lock_guard lock(pipe_->mutex_);
        pipe_->broker_closed_ = true;
        pipe_->loop_ = nullptr;
        pipe_->link_ = nullptr;
        pipe_->readable_.notify_all();
    }
    if (!inside_) delete this;
}

void PipeLink::move_to(unsigned shard, broker::PeerInfo peer, std::vector<uint8_t> received) {
    // Called from inside receive(): the caller deletes this link.
    closed_ = true;
    connection_ = nullptr;
    Loop& target = *loop_.all().loops[shard];
    const auto unopened = std::make_shared<MemoryPipe::Unopened>(pipe_);  // let go of behind the lock
    const std::lock_guard lock(pipe_->mutex_);
    pipe_->link_ = nullptr;
    pipe_->loop_ = &target;
    pipe_->link_told_ = true;  // the new end reads as it opens
    target.post_in_turn([&target, unopened, peer = std::move(peer), received = std::move(received),
                         count = count_]() mutable {
        PipeLink::open(target, unopened->take(), std::move(peer), std::move(count), std::move(received));
    });
}

}  // namespace comqtt::net
