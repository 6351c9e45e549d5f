#pragma once

#include <utility>

#include "connection.hpp"

namespace comqtt::bench {

// A connection of the traffic loop with what is done with its input. Publishers, subscribers
// and the reader of retained messages derive from it. The loop keeps pointers: never moved.
class Client : public Consumer {
public:
    explicit Client(Connection connection) : connection_(std::move(connection)) {}
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    Connection& connection() { return connection_; }

    // Used by the loop: whether this client waits in its list of readable ones.
    bool is_queued() const { return queued_; }
    void set_queued(bool queued) { queued_ = queued; }

private:
    Connection connection_;
    bool queued_ = false;
};

}  // namespace comqtt::bench
