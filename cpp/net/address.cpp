#include "net/address.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace comqtt::net {

namespace {

Error system_error(std::string_view what, std::string_view address, int code) {
    const Status status = code == EADDRINUSE                                          ? Status::address_in_use
                          : code == EADDRNOTAVAIL || code == EACCES || code == ENOENT ? Status::address
                                                                                      : Status::io;
    return Error{status, fmt::format("{} '{}': {}", what, address, strerror(code))};
}

std::string text_of(const sockaddr_storage& address, socklen_t size) {
    char host[INET6_ADDRSTRLEN] = {};
    if (address.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
        return fmt::format("{}:{}", host, ntohs(v4.sin_port));
    }
    if (address.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
            inet_ntop(AF_INET, v6.sin6_addr.s6_addr + 12, host, sizeof host);
            return fmt::format("{}:{}", host, ntohs(v6.sin6_port));
        }
        inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
        return fmt::format("[{}]:{}", host, ntohs(v6.sin6_port));
    }
    if (address.ss_family == AF_UNIX) {
        const auto& local = reinterpret_cast<const sockaddr_un&>(address);
        if (size <= offsetof(sockaddr_un, sun_path) || !local.sun_path[0]) return "unix";
        return fmt::format("unix:{}", local.sun_path);
    }
    return "unknown";
}

/// One candidate of the resolver, bound and listening; -1 with errno set.
int try_listen(const addrinfo& candidate, int backlog) {
    const int fd = socket(candidate.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    const int on = 1, off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (candidate.ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, candidate.ai_addr, candidate.ai_addrlen) == 0 && listen(fd, backlog) == 0) return fd;
    const int code = errno;
    ::close(fd);
    errno = code;
    return -1;
}

struct HostAndPort {
    std::string host;  ///< without brackets; empty = all addresses of the machine
    std::string port;
};

Result<HostAndPort> split_address(std::string_view address) {
    const auto wrong = [&](std::string_view why) {
        return Error{Status::address, fmt::format("address '{}': {}", address, why)};
    };
    HostAndPort parts;
    std::string_view rest = address;
    if (rest.starts_with('[')) {
        const size_t end = rest.find(']');
        if (end == std::string_view::npos) return wrong("the bracket is not closed; write [HOST]:PORT");
        parts.host = rest.substr(1, end - 1);
        rest.remove_prefix(end + 1);
        if (rest.empty()) return wrong(fmt::format("no port is given; write {}:1883", address));
        if (rest[0] != ':') return wrong("expected [HOST]:PORT");
    } else {
        const size_t colon = rest.find(':');
        if (colon == std::string_view::npos) return wrong("expected HOST:PORT or :PORT");
        if (rest.find(':', colon + 1) != std::string_view::npos)
            return wrong("an IPv6 address goes in brackets, as in [::1]:1883");
        parts.host = rest.substr(0, colon);
        rest.remove_prefix(colon);
    }
    parts.port = rest.substr(1);
    const std::string& port = parts.port;
    if (port.empty()) return wrong(fmt::format("no port is given; write {}1883", address));
    if (port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos ||
        std::stoul(port) > 65'535)
        return wrong("the port is not a number from 0 to 65535");
    return parts;
}

/// Why no socket can be made at this path: something else is there, and stays.
Result<void> look_at_path(const std::string& path, const sockaddr_un& address) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) return {};
    const auto taken = [&](std::string_view what, std::string_view advice) {
        return Error{Status::address_in_use,
                     fmt::format("cannot listen on '{}': {}; give another path, or {}", path, what, advice)};
    };
    if (S_ISDIR(status.st_mode)) return taken("it is a folder", "move it away");
    if (!S_ISSOCK(status.st_mode)) return taken("it is there and not a socket", "move it away");
    // Left behind by a process that is gone?
    const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) return {};
    const bool refused = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
                         errno == ECONNREFUSED;
    ::close(probe);
    if (!refused) return taken("it is in use by another process", "stop that");
    unlink(path.c_str());
    return {};
}

}  // namespace

Result<int> listen_tcp(std::string_view address, int backlog) {
    auto split = split_address(address);
    if (!split) return split.take_error();
    const auto& [host, port] = *split;
    addrinfo hints{};
    hints.ai_family = host.empty() ? AF_INET6 : AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int code = getaddrinfo(host.empty() ? nullptr : host.c_str(), port.c_str(), &hints, &found))
        return Error{Status::address, fmt::format("address '{}': {}", address, gai_strerror(code))};
    int fd = -1, code = 0;
    for (const addrinfo* at = found; at && fd < 0; at = at->ai_next) {
        fd = try_listen(*at, backlog);
        if (fd < 0) code = errno;
    }
    freeaddrinfo(found);
    if (fd < 0 && host.empty() && (code == EAFNOSUPPORT || code == EADDRNOTAVAIL))
        return listen_tcp("0.0.0.0:" + port, backlog);  // a machine without IPv6
    if (fd < 0) return system_error("cannot listen on", address, code);
    return fd;
}

Result<int> listen_unix(const std::string& path, int backlog) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path || path.find('\0') != std::string::npos)
        return Error{Status::address, fmt::format("unix socket path '{}': must have 1 to {} bytes", path,
                                                  sizeof address.sun_path - 1)};
    memcpy(address.sun_path, path.c_str(), path.size() + 1);
    if (auto free = look_at_path(path, address); !free) return free.take_error();
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return system_error("cannot listen on", path, errno);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (bind(fd, generic, sizeof address) != 0 || listen(fd, backlog) != 0) {
        const int code = errno;
        ::close(fd);
        return system_error("cannot listen on", path, code);
    }
    return fd;
}

std::string local_address(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "unknown";
    return text_of(address, size);
}

std::string peer_address(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "unknown";
    return text_of(address, size);
}

uint16_t local_port(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
    if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);
    if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6&>(address).sin6_port);
    return 0;
}

}  // namespace comqtt::net
