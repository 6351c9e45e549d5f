// Listeners: sockets of the server's own, handed-over descriptors, in-memory pipes.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.hpp"
#include "net/pipe_link.hpp"
#include "server/server_impl.hpp"

namespace comqtt::server {

namespace {
bool is_stream_socket(int fd) {
    int type = 0;
    socklen_t size = sizeof type;
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}
bool is_listening(int fd) {
    int on = 0;
    socklen_t size = sizeof on;
    return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size) == 0 && on;
}
}  // namespace

Result<void> ServerImpl::listen(ListenerConfig config) {
    const Lock lock(lifecycle_);
    if (state() == State::stopping || state() == State::stopped)
        return Error{Status::closed, "the server has stopped"};
    if (config.id.empty()) return Error{Status::invalid_argument, "a listener needs an id"};
    if (listeners_.count(config.id))
        return Error{Status::exists, fmt::format("there is a listener '{}' already", config.id)};
    Slot slot;
    slot.config = std::move(config);
    if (auto opened = open(slot); !opened) return opened;
    if (slot.socket && state() == State::running) slot.socket->start();
    listeners_.emplace(slot.config.id, std::move(slot));
    return {};
}

Result<void> ServerImpl::open(Slot& slot) {
    slot.count = std::make_shared<std::atomic<uint64_t>>(0);
    ListenerConfig& config = slot.config;
    if (config.kind == ListenerKind::pipe) return {};
    int fd = config.fd;
    std::string path;
    if (fd >= 0) {
        if (!is_stream_socket(fd) || !is_listening(fd))
            return Error{
                Status::invalid_argument,
                fmt::format("listener '{}': descriptor {} is not a listening stream socket", config.id, fd)};
    } else if (config.kind == ListenerKind::tcp) {
        auto opened = net::listen_tcp(config.address, config.backlog);
        if (!opened) return opened.take_error();
        fd = *opened;
    } else if (config.kind == ListenerKind::unix_socket) {
        path = config.address;
        auto opened = net::listen_unix(path, config.backlog);
        if (!opened) return opened.take_error();
        fd = *opened;
    } else {
        return Error{Status::invalid_argument, fmt::format("listener '{}': unknown kind", config.id)};
    }
    slot.socket = std::make_shared<net::Listener>(*loops_.loops[listeners_.size() % loops_.loops.size()],
                                                  core_->log, config.id, fd, path);
    slot.count = slot.socket->count();
    return {};
}

Result<void> ServerImpl::unlisten(std::string_view id, bool disconnect_clients) {
    {
        const Lock lock(lifecycle_);
        const auto at = listeners_.find(id);
        if (at == listeners_.end())
            return Error{Status::not_found, fmt::format("there is no listener '{}'", id)};
        if (at->second.socket) at->second.socket->close();
        listeners_.erase(at);
    }
    if (disconnect_clients)
        for (const auto& mailbox : core_->mailboxes)
            mailbox->post(
                [name = std::string(id)](broker::Shard& shard) { shard.close_listener_clients(name); });
    return {};
}

ListenerInfo ServerImpl::info(const Slot& slot) const {
    ListenerInfo out;
    out.id = slot.config.id;
    out.connections = slot.count ? slot.count->load(std::memory_order_relaxed) : 0;
    if (!slot.socket) {
        out.protocol = "pipe";
        return out;
    }
    out.protocol = slot.socket->is_unix() ? "unix" : "tcp";
    out.address = slot.socket->address();
    out.port = slot.socket->port();
    return out;
}

Result<ListenerInfo> ServerImpl::listener(std::string_view id) const {
    const Lock lock(lifecycle_);
    const auto at = listeners_.find(id);
    if (at == listeners_.end()) return Error{Status::not_found, fmt::format("there is no listener '{}'", id)};
    return info(at->second);
}

std::vector<ListenerInfo> ServerImpl::listeners() const {
    const Lock lock(lifecycle_);
    std::vector<ListenerInfo> all;
    for (const auto& [id, slot] : listeners_) all.push_back(info(slot));
    return all;
}

Result<void> ServerImpl::adopt(std::string_view listener_id, int fd, std::string_view remote) {
    if (state() != State::running) return Error{Status::state, "the server is not running"};
    if (fd < 0 || !is_stream_socket(fd))
        return Error{Status::invalid_argument, fmt::format("descriptor {} is not a stream socket", fd)};
    net::ConnectionCount count;
    {
        const Lock lock(lifecycle_);
        if (const auto at = listeners_.find(listener_id); at != listeners_.end()) count = at->second.count;
    }
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    broker::PeerInfo peer{remote.empty() ? net::peer_address(fd) : std::string(remote),
                          std::string(listener_id), false};
    net::Loop& loop = *loops_.loops[0];
    const std::shared_ptr<int> guard(new int(fd), [](int* held) {
        if (*held >= 0) ::close(*held);
        delete held;
    });
    loop.post_in_turn([&loop, guard, peer = std::move(peer), count]() mutable {
        loop.adopt(std::exchange(*guard, -1), std::move(peer), std::move(count), {});
    });
    return {};
}

Result<Ref<Pipe>> ServerImpl::open_pipe(std::string_view listener_id, std::string_view remote) {
    net::ConnectionCount count;
    {
        const Lock lock(lifecycle_);
        if (state() != State::running) return Error{Status::state, "the server is not running"};
        auto at = listeners_.find(listener_id);
        if (at == listeners_.end()) {
            Slot slot;
            slot.config.id = listener_id;
            slot.config.kind = ListenerKind::pipe;
            slot.count = std::make_shared<std::atomic<uint64_t>>(0);
            at = listeners_.emplace(slot.config.id, std::move(slot)).first;
        }
        if (at->second.config.kind != ListenerKind::pipe)
            return Error{Status::invalid_argument,
                         fmt::format("listener '{}' is not of kind pipe", listener_id)};
        count = at->second.count;
    }
    broker::PeerInfo peer{remote.empty() ? "pipe" : std::string(remote), std::string(listener_id), false};
    return net::MemoryPipe::open(*loops_.loops[0], std::move(peer), std::move(count));
}

}  // namespace comqtt::server
