#pragma once
// Listener: accepts connections on one loop. A connection moves to the shard of its session at CONNECT.

#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "net/loop.hpp"

namespace comqtt::net {

class Listener : public std::enable_shared_from_this<Listener> {
public:
    /// Owns the listening descriptor. `path` of a Unix socket is removed at close.
    Listener(Loop& loop, const Log& log, std::string id, int fd, std::string path);
    ~Listener();

    void start();
    /// No more connections from here on. Any thread; returns at once.
    void close();
    const std::string& id() const { return id_; }
    const std::string& address() const { return address_; }
    uint16_t port() const { return port_; }
    bool is_unix() const { return !path_.empty() || address_.starts_with("unix"); }
    const ConnectionCount& count() const { return count_; }

private:
    void wait();
    void accept_some();
    void pause_after_failure();

    Loop& loop_;
    const Log& log_;
    const std::string id_;
    const std::string path_;
    std::string address_;
    uint16_t port_;
    ConnectionCount count_ = std::make_shared<std::atomic<uint64_t>>(0);
    asio::posix::stream_descriptor socket_;
    asio::steady_timer retry_;
    std::atomic<bool> closed_{false};
};

}  // namespace comqtt::net
