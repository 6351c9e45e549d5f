#include "net/address.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

using namespace comqtt;
using namespace comqtt::net;

namespace {

/// Closes with its scope.
struct Socket {
    int fd;
    explicit Socket(int descriptor) : fd(descriptor) {}
    ~Socket() { close(); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    void close() {
        if (fd >= 0) ::close(fd);
        fd = -1;
    }
};

/// A directory for socket files, removed with everything in it.
struct Directory {
    std::string path;
    Directory() {
        const char* base = std::getenv("TMPDIR");
        path = std::string(base && std::strlen(base) < 60 ? base : "/tmp") + "/comqtt-unit-XXXXXX";
        REQUIRE(mkdtemp(path.data()));
    }
    ~Directory() {
        unlink(socket().c_str());
        rmdir(path.c_str());
    }
    std::string socket() const { return path + "/s"; }
};

int must_listen(const Result<int>& result) {
    if (!result) FAIL(result.error().message);
    return *result;
}

bool has_ipv6() {
    const Socket probe(socket(AF_INET6, SOCK_STREAM, 0));
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    return probe.fd >= 0 && bind(probe.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

int connect_v4(uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    return fd;
}

/// Waits for a connection, which is on its way.
int accept_from(int listener) {
    pollfd waiting{listener, POLLIN, 0};
    REQUIRE(poll(&waiting, 1, 10'000) == 1);
    return accept(listener, nullptr, nullptr);
}

int connect_unix(const std::string& path) {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    return fd;
}

}  // namespace

TEST_CASE("an address that is not HOST:PORT is refused and the error shows it") {
    for (const char* address : {"", "localhost", "1883", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                                "127.0.0.1:+1", "127.0.0.1:1883x", "127.0.0.1: 1", "127.0.0.1:000001", ":",
                                "[::1]", "127.0.0.1:99999999999999999999"}) {
        const auto result = listen_tcp(address, 1);
        CAPTURE(address);
        REQUIRE_FALSE(result);
        CHECK(result.error().status == Status::address);
        CHECK(result.error().message.find("'" + std::string(address) + "'") != std::string::npos);
    }
}

TEST_CASE("port 0 listens on a free port that can be told") {
    const Socket listener(must_listen(listen_tcp("127.0.0.1:0", 4)));
    const uint16_t port = local_port(listener.fd);
    CHECK(port != 0);
    CHECK(local_address(listener.fd) == "127.0.0.1:" + std::to_string(port));
    const Socket client(connect_v4(port));
    CHECK(peer_address(client.fd) == local_address(listener.fd));
    const Socket accepted(accept_from(listener.fd));
    CHECK(peer_address(accepted.fd) == local_address(client.fd));
    CHECK(local_address(accepted.fd) == local_address(listener.fd));
}

TEST_CASE("a port in use is an error of its own") {
    const Socket listener(must_listen(listen_tcp("127.0.0.1:0", 4)));
    const std::string address = local_address(listener.fd);
    const auto second = listen_tcp(address, 4);
    REQUIRE_FALSE(second);
    CHECK(second.error().status == Status::address_in_use);
    CHECK(second.error().message.find(address) != std::string::npos);
}

TEST_CASE("a host that is not this machine's is an address error") {
    const auto result = listen_tcp("192.0.2.1:0", 4);  // TEST-NET-1
    REQUIRE_FALSE(result);
    CHECK(result.error().status == Status::address);
}

TEST_CASE("a port alone listens on every address, whose clients of IPv4 look like it") {
    const Socket listener(must_listen(listen_tcp(":0", 4)));
    const uint16_t port = local_port(listener.fd);
    const Socket client(connect_v4(port));
    const Socket accepted(accept_from(listener.fd));
    CHECK(peer_address(client.fd) == "127.0.0.1:" + std::to_string(port));
    CHECK(local_address(accepted.fd) == "127.0.0.1:" + std::to_string(port));
    CHECK(peer_address(accepted.fd) == local_address(client.fd));
}

TEST_CASE("IPv6 addresses are written in brackets") {
    if (!has_ipv6()) return;
    const Socket listener(must_listen(listen_tcp("[::1]:0", 4)));
    CHECK(local_address(listener.fd) == "[::1]:" + std::to_string(local_port(listener.fd)));
}

TEST_CASE("a unix socket is known by its path and its unnamed peers by being one") {
    const Directory directory;
    const Socket listener(must_listen(listen_unix(directory.socket(), 4)));
    CHECK(local_address(listener.fd) == "unix:" + directory.socket());
    CHECK(local_port(listener.fd) == 0);
    const Socket client(connect_unix(directory.socket()));
    CHECK(peer_address(client.fd) == "unix:" + directory.socket());
    CHECK(local_address(client.fd) == "unix");
    const Socket accepted(accept_from(listener.fd));
    CHECK(peer_address(accepted.fd) == "unix");
}

TEST_CASE("a socket file that nobody listens on is replaced, one that is in use is not") {
    const Directory directory;
    Socket first(must_listen(listen_unix(directory.socket(), 4)));
    const auto second = listen_unix(directory.socket(), 4);
    REQUIRE_FALSE(second);
    CHECK(second.error().status == Status::address_in_use);
    { const Socket client(connect_unix(directory.socket())); }
    first.close();
    const Socket third(must_listen(listen_unix(directory.socket(), 4)));
    const Socket client(connect_unix(directory.socket()));
    CHECK(client.fd >= 0);
}

TEST_CASE("a unix socket whose owner accepts nobody is in use, and finding that out does not wait") {
    const Directory directory;
    const Socket listener(must_listen(listen_unix(directory.socket(), 1)));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, directory.socket().c_str(), directory.socket().size() + 1);
    std::vector<std::unique_ptr<Socket>> waiting;  // fill the backlog
    do {
        waiting.push_back(std::make_unique<Socket>(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)));
    } while (connect(waiting.back()->fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    const auto second = listen_unix(directory.socket(), 1);
    REQUIRE_FALSE(second);
    CHECK(second.error().status == Status::address_in_use);
}

TEST_CASE("a file that is no socket is left alone") {
    const Directory directory;
    {
        const Socket file(creat(directory.socket().c_str(), 0600));
        REQUIRE(file.fd >= 0);
    }
    const auto result = listen_unix(directory.socket(), 4);
    REQUIRE_FALSE(result);
    CHECK(result.error().status == Status::address_in_use);
    struct stat status {};
    REQUIRE(stat(directory.socket().c_str(), &status) == 0);
    CHECK(S_ISREG(status.st_mode));
}

TEST_CASE("a unix path that cannot be a socket's is an address error") {
    CHECK(listen_unix("", 4).error().status == Status::address);
    CHECK(listen_unix("/tmp/" + std::string(200, 'x'), 4).error().status == Status::address);
    CHECK(listen_unix("/no/such/directory/s", 4).error().status == Status::address);
}

TEST_CASE("what is no socket has no address") {
    CHECK(local_address(-1) == "unknown");
    CHECK(peer_address(-1) == "unknown");
    CHECK(local_port(-1) == 0);
}
