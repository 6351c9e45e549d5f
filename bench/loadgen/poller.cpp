#include "poller.hpp"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "clock.hpp"

namespace comqtt::bench {
namespace {

constexpr std::size_t kMaxEvents = 512;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

Poller::Poller() : fd_(::epoll_create1(EPOLL_CLOEXEC)), events_(kMaxEvents) {
    if (fd_ < 0) fail("epoll_create1");
}

Poller::~Poller() { ::close(fd_); }

void Poller::add(int fd, void* data) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = data;
    if (::epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

std::span<const epoll_event> Poller::wait(std::uint64_t timeout_ns) {
    const timespec timeout{static_cast<time_t>(timeout_ns / kNsPerSecond),
                           static_cast<long>(timeout_ns % kNsPerSecond)};
    const int n = ::epoll_pwait2(fd_, events_.data(), static_cast<int>(events_.size()), &timeout, nullptr);
    if (n < 0) {
        if (errno != EINTR) fail("epoll_pwait2");
        return {};
    }
    return {events_.data(), static_cast<std::size_t>(n)};
}

}  // namespace comqtt::bench
