#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <span>
#include <vector>

namespace comqtt::bench {

// An epoll instance. Descriptors are registered once, edge-triggered for both directions, so
// that the steady state has no epoll_ctl calls.
class Poller {
public:
    Poller();
    ~Poller();
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    void add(int fd, void* data);

    // Waits at most `timeout_ns` (0: not at all) with nanosecond precision.
    std::span<const epoll_event> wait(std::uint64_t timeout_ns);

private:
    int fd_;
    std::vector<epoll_event> events_;
};

}  // namespace comqtt::bench
