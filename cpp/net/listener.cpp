#include "net/listener.hpp"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.hpp"

namespace comqtt::net {

namespace {
constexpr int kAcceptsPerRound = 64;
constexpr auto kRetry = std::chrono::milliseconds(100);
}  // namespace

Listener::Listener(Loop& loop, const Log& log, std::string id, int fd, std::string path)
    : loop_(loop),
      log_(log),
      id_(std::move(id)),
      path_(std::move(path)),
      address_(local_address(fd)),
      port_(local_port(fd)),
      socket_(loop.io(), fd),
      retry_(loop.io()) {
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

Listener::~Listener() {
    if (!closed_ && !path_.empty()) ::unlink(path_.c_str());
}

void Listener::start() {
    loop_.post([self = shared_from_this()] {
        if (!self->closed_) self->wait();
    });
}

void Listener::close() {
    if (closed_.exchange(true)) return;
    if (!path_.empty()) ::unlink(path_.c_str());
    // Refuses new connections at once; the descriptor itself goes on the loop's thread.
    ::shutdown(socket_.native_handle(), SHUT_RDWR);
    loop_.post([self = shared_from_this()] {
        asio::error_code ignored;
        self->retry_.cancel();
        self->socket_.close(ignored);
    });
}

void Listener::wait() {
    socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](const asio::error_code& error) {
                           if (!error && !self->closed_) self->accept_some();
                       });
}

void Listener::accept_some() {
    for (int i = 0; i < kAcceptsPerRound; ++i) {
        const int fd = ::accept4(socket_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            loop_.adopt(fd, {peer_address(fd), id_, false}, count_, {});
            continue;
        }
        if (errno == EAGAIN) break;
        if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
        log_.write(LogLevel::error, "net", "listener '{}': accept failed, trying again in {} ms: {}", id_,
                   kRetry.count(), strerror(errno));
        pause_after_failure();
        return;
    }
    wait();
}

void Listener::pause_after_failure() {
    retry_.expires_after(kRetry);
    retry_.async_wait([self = shared_from_this()](const asio::error_code& error) {
        if (!error && !self->closed_) self->wait();
    });
}

}  // namespace comqtt::net
