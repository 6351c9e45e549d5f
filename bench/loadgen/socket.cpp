#include "socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "clock.hpp"

namespace comqtt::bench {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

void wait_for(int fd, short events, std::uint64_t deadline_ns) {
    for (;;) {
        const std::uint64_t now = now_ns();
        if (now >= deadline_ns) throw std::runtime_error("the broker does not answer in time");
        pollfd p{fd, events, 0};
        const auto left_ms = static_cast<int>((deadline_ns - now) / 1'000'000) + 1;
        const int n = ::poll(&p, 1, left_ms);
        if (n > 0) return;
        if (n < 0 && errno != EINTR) fail("poll");
    }
}

}  // namespace

void raise_descriptor_limit() {
    constexpr rlim_t kWanted = 1u << 17;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    const rlimit more{std::max(limit.rlim_cur, kWanted), std::max(limit.rlim_max, kWanted)};
    if (::setrlimit(RLIMIT_NOFILE, &more) == 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

int start_connect(const std::string& host, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
        throw std::invalid_argument("--host is not an IPv4 address: " + host);
    }
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket");
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
        errno != EINPROGRESS) {
        const int error = errno;
        ::close(fd);
        errno = error;
        fail("connect");
    }
    return fd;
}

void wait_readable(int fd, std::uint64_t deadline_ns) { wait_for(fd, POLLIN, deadline_ns); }

void wait_writable(int fd, std::uint64_t deadline_ns) { wait_for(fd, POLLOUT, deadline_ns); }

}  // namespace comqtt::bench
