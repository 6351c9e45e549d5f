#include "connection.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <utility>

namespace comqtt::bench {

CallCounts& call_counts() {
    static CallCounts counts;
    return counts;
}

Connection::~Connection() {
    if (fd_ >= 0) ::close(fd_);
}

Connection::Connection(Connection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      writable_(other.writable_),
      closed_(other.closed_),
      in_(std::move(other.in_)),
      out_(std::move(other.out_)),
      out_at_(other.out_at_) {}

void Connection::on_writable() {
    writable_ = true;
    if (has_pending()) flush();
}

Connection::Input Connection::receive(ReadBuffer& buffer, Consumer& consumer) {
    const std::size_t kept = in_.size();
    if (kept >= buffer.size()) throw std::runtime_error("a packet larger than expected");
    if (kept != 0) std::memcpy(buffer.data(), in_.data(), kept);
    const std::size_t room = buffer.size() - kept;
    ++call_counts().reads;
    const ssize_t n = ::recv(fd_, buffer.data() + kept, room, 0);
    if (n <= 0) {
        if (n < 0 && errno == EAGAIN) return Input::drained;
        if (n < 0 && errno == EINTR) return Input::more;
        closed_ = true;
        return Input::closed;
    }
    const std::uint8_t* end = buffer.data() + kept + n;
    const std::uint8_t* rest = consumer.consume(buffer.data(), end);
    in_.assign(rest, end);
    return static_cast<std::size_t>(n) == room ? Input::more : Input::drained;
}

std::size_t Connection::write_some(ByteView bytes) {
    if (!can_write() || bytes.empty()) return 0;
    ssize_t n = 0;
    do {
        ++call_counts().writes;
        n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        writable_ = false;
        closed_ = errno != EAGAIN;
        return 0;
    }
    if (static_cast<std::size_t>(n) < bytes.size()) writable_ = false;
    return static_cast<std::size_t>(n);
}

void Connection::send(ByteView bytes) {
    if (has_pending()) {
        out_.insert(out_.end(), bytes.begin(), bytes.end());
        flush();
        return;
    }
    const std::size_t n = write_some(bytes);
    out_.insert(out_.end(), bytes.begin() + static_cast<std::ptrdiff_t>(n), bytes.end());
}

void Connection::flush() {
    if (!has_pending()) return;
    out_at_ += write_some(ByteView(out_).subspan(out_at_));
    if (!has_pending()) {
        out_.clear();
        out_at_ = 0;
    }
}

}  // namespace comqtt::bench
