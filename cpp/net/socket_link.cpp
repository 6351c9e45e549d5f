#include "net/socket_link.hpp"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace comqtt::net {

SocketLink::SocketLink(Loop& loop, int fd, ConnectionCount count)
    : loop_(loop), socket_(loop.io(), fd), count_(std::move(count)) {
    if (count_) count_->fetch_add(1, std::memory_order_relaxed);
}

SocketLink::~SocketLink() {
    if (count_) count_->fetch_sub(1, std::memory_order_relaxed);
}

void SocketLink::open(Loop& loop, int fd, broker::PeerInfo peer, ConnectionCount count,
                      std::vector<uint8_t> received) {
    const int on = 1;
    // Batching is the loop's work, not Nagle's. Fails on Unix sockets, which need nothing.
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto* link = new SocketLink(loop, fd, std::move(count));
    asio::error_code error;
    link->socket_.non_blocking(true, error);
    link->connection_ = loop.shard().accept(*link, std::move(peer));
    if (!link->connection_) {
        link->closed_ = true;
        delete link;
        return;
    }
    ++link->pending_;
    if (!received.empty()) loop.shard().receive(*link->connection_, ByteView(received));
    spoil(received);
    --link->pending_;
    if (!link->closed_) link->wait_readable();
    link->release_if_idle();
}

void SocketLink::release_if_idle() {
    if (closed_ && pending_ == 0) delete this;
}

void SocketLink::wait_readable() {
    if (reading_ || closed_ || (paused_ && !draining_)) return;
    reading_ = true;
    ++pending_;
    socket_.async_wait(Stream::wait_read, [this](const asio::error_code&) {
        --pending_;
        reading_ = false;
        if (!closed_) on_readable();
        release_if_idle();
    });
}

void SocketLink::on_readable() {
    if (paused_ && !draining_) {
        look_for_end();
        return;
    }
    loop_.enter();
    broker::Shard& shard = loop_.shard();
    const size_t size = loop_.buffer().size();
    const size_t limit = draining_ ? size : std::min({shard.read_limit(*connection_), share_.limit(), size});
    ReadBuffer::Use buffer(loop_.buffer());
    const ssize_t count = ::recv(socket_.native_handle(), buffer.data(), limit, MSG_DONTWAIT);
    if (count > 0) {
        buffer.set_read(static_cast<size_t>(count));
        if (!draining_) {
            ++pending_;  // the connection may end inside
            const ByteView bytes(buffer.data(), static_cast<size_t>(count));
            share_.spend(bytes.size, [&] { shard.receive(*connection_, bytes); });
            --pending_;
        }
        wait_readable();
    } else if (count == 0 && !draining_) {
        at_end_ = true;
        shard.on_half_closed(*connection_);
    } else if (count == 0) {
        close("");
    } else if (errno == EAGAIN || errno == EINTR) {
        wait_readable();
    } else {
        close(strerror(errno));
    }
}

/// Something happened on a connection that is not read: perhaps its end.
void SocketLink::look_for_end() {
    pollfd state{socket_.native_handle(), POLLRDHUP, 0};
    if (::poll(&state, 1, 0) <= 0) return;
    if (state.revents & (POLLERR | POLLHUP)) {
        // What had arrived is read first when it is read again, which is soon.
        if (!broker::Shard::waits_for_turn(*connection_)) close("connection reset by the peer");
    } else if (state.revents & POLLRDHUP) {
        loop_.enter();
        ++pending_;
        loop_.shard().on_peer_gone(*connection_);
        --pending_;
    }
}

size_t SocketLink::write(const iovec* parts, int count) {
    size_t size = 0;
    for (int i = 0; i < count; ++i) size += parts[i].iov_len;
    if (closed_ || error_) return size;
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts);
    message.msg_iovlen = static_cast<size_t>(count);
    const ssize_t written = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written == static_cast<ssize_t>(size)) return size;
    if (written >= 0 || errno == EAGAIN || errno == EINTR) {
        wait_writable();
        return written > 0 ? static_cast<size_t>(written) : 0;
    }
    // Reported from the loop, not from inside the broker's call; until then bytes go nowhere.
    error_ = errno;
    log_failed_write(size);
    abort();
    return size;
}

/// The connection's end says it too, unless that came first. What is not the network's doing is a mistake of ours.
void SocketLink::log_failed_write(size_t size) {
    const bool ours = error_ == EFAULT || error_ == EBADF || error_ == EINVAL || error_ == ENOTSOCK;
    loop_.shard().core().log.write(ours ? LogLevel::error : LogLevel::debug, "net",
                                   "{}: sendmsg of {} bytes failed: {}", connection_->remote(), size,
                                   strerror(error_));
}

void SocketLink::wait_writable() {
    if (writing_ || closed_) return;
    writing_ = true;
    ++pending_;
    socket_.async_wait(Stream::wait_write, [this](const asio::error_code&) {
        --pending_;
        writing_ = false;
        if (!closed_) {
            loop_.enter();
            loop_.shard().on_writable(*connection_);
        }
        release_if_idle();
    });
}

size_t SocketLink::in_transit() const {
    int bytes = 0;
    if (closed_ || ::ioctl(const_cast<Stream&>(socket_).native_handle(), SIOCOUTQ, &bytes) != 0) return 0;
    return static_cast<size_t>(bytes);
}

void SocketLink::pause_reading() { paused_ = true; }

void SocketLink::resume_reading() {
    paused_ = false;
    wait_readable();
}

broker::Arrived SocketLink::read_arrived(size_t limit) {
    if (closed_ || draining_ || error_) return {0, true};
    const size_t size = std::min(limit, loop_.buffer().size());
    ReadBuffer::Use buffer(loop_.buffer());
    const ssize_t count = ::recv(socket_.native_handle(), buffer.data(), size, MSG_DONTWAIT);
    if (count < 0) return {0, errno != EAGAIN && errno != EINTR};
    if (count == 0) return {0, true};
    buffer.set_read(static_cast<size_t>(count));
    ++pending_;  // the connection may end inside
    loop_.shard().receive(*connection_, {buffer.data(), static_cast<size_t>(count)});
    --pending_;
    return {static_cast<size_t>(count), false};
}

void SocketLink::finish(int64_t) {
    // The shard's deadline ends the wait for the peer.
    draining_ = true;
    if (closed_) return;
    if (at_end_) {
        abort();  // the peer has closed: nothing unread makes a reset of it, what was written still goes out
        return;
    }
    ::shutdown(socket_.native_handle(), SHUT_WR);
    wait_readable();
}

void SocketLink::abort() {
    if (closed_) return;
    ++pending_;
    loop_.post([this] {
        --pending_;
        if (!closed_)
            close(error_ ? std::string("sending failed: ") + strerror(error_) : "closed by the server");
        release_if_idle();
    });
}

void SocketLink::close(const std::string& error) {
    loop_.enter();
    closed_ = true;
    loop_.shard().on_closed(*connection_, error);
    connection_ = nullptr;
    asio::error_code ignored;
    socket_.close(ignored);
}

void SocketLink::move_to(unsigned shard, broker::PeerInfo peer, std::vector<uint8_t> received) {
    closed_ = true;
    connection_ = nullptr;
    const int fd = socket_.release();
    Loop& target = *loop_.all().loops[shard];
    // The descriptor closes itself when the target never runs the hand-over.
    const std::shared_ptr<int> guard(new int(fd), [](int* held) {
        if (*held >= 0) ::close(*held);
        delete held;
    });
    target.post_in_turn(
        [&target, guard, peer = std::move(peer), received = std::move(received), count = count_]() mutable {
            target.adopt(std::exchange(*guard, -1), std::move(peer), std::move(count), std::move(received));
        });
}

}  // namespace comqtt::net
