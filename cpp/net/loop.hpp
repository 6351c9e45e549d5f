#pragma once
// Loop: the thread of one shard. Waits on Asio, gives what is ready to the shard, flushes once per round.

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/read_buffer.hpp"
#include "broker/shard.hpp"
#include "net/turns.hpp"

namespace comqtt::net {

class Loops;

/// Connections of one listener, counted wherever they live.
using ConnectionCount = std::shared_ptr<std::atomic<uint64_t>>;

class Loop {
public:
    Loop(Loops& all, broker::Shard& shard, size_t buffer_size, bool real_time);
    ~Loop();

    void start();
    /// Ends the thread after the round it is in.
    void stop();
    void join();
    bool on_thread() const;

    asio::io_context& io() { return io_; }
    broker::Shard& shard() { return shard_; }
    Loops& all() { return all_; }
    /// The shard's read buffer.
    ReadBuffer& buffer() { return buffer_; }
    /// Every handler calls it first: the clock is read once per round.
    void enter();
    /// Mail has arrived. Thread-safe.
    void wake();
    /// Runs fn on the thread, in order with other posted work. Thread-safe.
    template <typename F>
    void post(F&& fn) {
        asio::post(io_, std::forward<F>(fn));
    }
    /// The same for what may come in its ten thousands at once and costs much apiece: each round takes a share of it,
    /// behind what was posted otherwise.
    void post_in_turn(Turns::Work work);
    /// Takes over a connected socket. On the thread.
    void adopt(int fd, broker::PeerInfo peer, ConnectionCount count, std::vector<uint8_t> received);
    /// One round without waiting. On the thread.
    void round();
    /// Nothing is left to do without time. On the thread.
    bool idle() const { return turns_.empty() && shard_.idle(); }

private:
    void run();
    int handle_ready();
    void handle_more();
    void take_turns();
    void set_timer();

    Loops& all_;
    broker::Shard& shard_;
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    asio::steady_timer timer_;
    ReadBuffer buffer_;
    Turns turns_;
    std::thread thread_;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> awake_{false};
    const bool real_time_;
    bool entered_ = false;
    int64_t timer_at_ms_ = INT64_MAX;
};

/// The loops of one server.
class Loops final : public broker::Host {
public:
    void wake(unsigned shard) override;
    std::vector<std::unique_ptr<Loop>> loops;
};

}  // namespace comqtt::net
