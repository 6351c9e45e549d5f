#pragma once
// SocketLink: a connected stream socket, TCP or Unix, as the broker's Link. Deletes itself when it is closed and
// none of its waits is pending.

#include <asio/io_context.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>

#include "broker/link.hpp"
#include "net/loop.hpp"
#include "net/read_share.hpp"

namespace comqtt::net {

class SocketLink final : public broker::Link {
public:
    /// Owns the descriptor. On the loop's thread.
    static void open(Loop& loop, int fd, broker::PeerInfo peer, ConnectionCount count,
                     std::vector<uint8_t> received);

    size_t write(const iovec* parts, int count) override;
    size_t in_transit() const override;
    void pause_reading() override;
    void resume_reading() override;
    broker::Arrived read_arrived(size_t limit) override;
    void finish(int64_t timeout_ms) override;
    void abort() override;
    void move_to(unsigned shard, broker::PeerInfo peer, std::vector<uint8_t> received) override;

private:
    /// Bound to the loop's executor alone: a good deal smaller than with any executor.
    using Stream = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

    SocketLink(Loop& loop, int fd, ConnectionCount count);
    ~SocketLink() override;
    void wait_readable();
    void wait_writable();
    void on_readable();
    void look_for_end();
    void log_failed_write(size_t size);
    void close(const std::string& error);
    void release_if_idle();

    Loop& loop_;
    Stream socket_;
    ConnectionCount count_;
    broker::Connection* connection_ = nullptr;
    ReadShare share_;
    int error_ = 0;         ///< of a write
    uint8_t pending_ = 0;   ///< waits and posts that will call back
    bool reading_ = false;  ///< a read wait is pending
    bool writing_ = false;  ///< a write wait is pending
    bool paused_ = false;
    bool at_end_ = false;    ///< the peer sends no more
    bool draining_ = false;  ///< finish() was called
    bool closed_ = false;
};

}  // namespace comqtt::net
