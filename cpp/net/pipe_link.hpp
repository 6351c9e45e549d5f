#pragma once
// MemoryPipe: both ends of an in-memory connection. The application's end is the Pipe; the broker's end is a Link on
// one loop. Bounded both ways.

#include <condition_variable>
#include <deque>
#include <mutex>

#include "base/pipe.hpp"
#include "broker/link.hpp"
#include "net/loop.hpp"
#include "net/read_share.hpp"

namespace comqtt::net {

class PipeLink;

class MemoryPipe final : public Pipe {
public:
    /// Opens the broker's end on the loop.
    static Ref<Pipe> open(Loop& loop, broker::PeerInfo peer, ConnectionCount count);

    Status write(ByteView bytes) override;
    Status read(uint8_t* buffer, size_t capacity, int64_t timeout_ms, size_t& count) override;
    void close() override;
    ~MemoryPipe() override = default;

private:
    friend class PipeLink;
    static constexpr size_t kCapacity = 1 << 20;  ///< bytes each way
    struct Unopened;
    void abandon();
    void tell_link(void (PipeLink::*what)());
    PipeLink* link_on(const Loop* loop);

    std::mutex mutex_;
    std::condition_variable readable_;
    std::vector<uint8_t> to_broker_;
    std::vector<uint8_t> to_application_;
    size_t read_at_ = 0;  ///< in to_application_
    bool application_closed_ = false;
    bool broker_closed_ = false;
    bool link_told_ = false;       ///< a readable notice is on its way
    bool broker_blocked_ = false;  ///< its last write did not fit
    Loop* loop_ = nullptr;         ///< null when the broker's end is gone
    PipeLink* link_ = nullptr;     ///< lives on loop_
};

/// The broker's end. Lives on one loop; a hand-over makes a new one there.
class PipeLink final : public broker::Link {
public:
    static void open(Loop& loop, Ref<MemoryPipe> pipe, broker::PeerInfo peer, ConnectionCount count,
                     std::vector<uint8_t> received);
    size_t write(const iovec* parts, int count) override;
    size_t in_transit() const override;
    void pause_reading() override { paused_ = true; }
    void resume_reading() override;
    broker::Arrived read_arrived(size_t limit) override;
    void finish(int64_t timeout_ms) override;
    void abort() override;
    void move_to(unsigned shard, broker::PeerInfo peer, std::vector<uint8_t> received) override;

    void on_readable();
    void on_writable();

private:
    PipeLink(Loop& loop, Ref<MemoryPipe> pipe, ConnectionCount count);
    ~PipeLink() override;
    size_t take(std::vector<uint8_t>& bytes, size_t limit);
    void close(const char* error);
    void leave();

    Loop& loop_;
    Ref<MemoryPipe> pipe_;
    ConnectionCount count_;
    broker::Connection* connection_ = nullptr;
    ReadShare share_;
    bool paused_ = false;
    bool draining_ = false;
    bool closed_ = false;
    bool inside_ = false;  ///< the shard is being called
};

}  // namespace comqtt::net
