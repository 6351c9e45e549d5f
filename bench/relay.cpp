// The floor of every figure: frames packets and copies them to fixed receivers. A publisher's
// receivers are those that subscribed to the very topic of its first PUBLISH; no topic is looked
// at after that, nothing is checked, nothing is kept. MQTT 3.1.1 and 5, QoS 0, closed loop only:
// a receiver that does not read makes it grow.
//
// usage: comqtt_relay PORT
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

constexpr std::size_t kReadBytes = 512u << 10;
constexpr std::size_t kDirectBytes = 8u << 10;  // sent from the read buffer, without a copy
constexpr std::size_t kFlushBytes = 64u << 10;

using Bytes = std::vector<std::uint8_t>;

struct Link {
    int fd = -1;
    bool writable = true;
    bool queued = false;  // in the list of readable links
    bool dirty = false;   // in the list of links to flush
    bool is_v5 = false;
    std::vector<Link*>* receivers = nullptr;
    Bytes in;  // a trailing partial packet
    Bytes out;
    std::size_t out_at = 0;
};

class Relay {
public:
    explicit Relay(std::uint16_t port);
    void run();

private:
    void accept_all();
    void close_link(Link& link);
    bool read_once(Link& link);
    const std::uint8_t* consume(Link& link, const std::uint8_t* p, const std::uint8_t* end);
    void on_other(Link& link, const std::uint8_t* packet, const std::uint8_t* body);
    void on_subscribe(Link& link, const std::uint8_t* body);
    void forward(Link& from, const std::uint8_t* begin, const std::uint8_t* end);
    void queue(Link& to, const std::uint8_t* begin, const std::uint8_t* end);
    void flush(Link& link);
    std::size_t write_some(Link& link, const std::uint8_t* data, std::size_t size);

    int epoll_;
    int listener_;
    Bytes buffer_;
    std::unordered_map<std::string, std::vector<Link*>> topics_;
    std::vector<std::unique_ptr<Link>> links_;  // kept to the end: receivers point at them
    std::vector<Link*> readable_;
    std::vector<Link*> dirty_;
};

[[noreturn]] void fail(const char* what) {
    std::perror(what);
    std::exit(1);
}

Relay::Relay(std::uint16_t port)
    : epoll_(::epoll_create1(0)),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)),
      buffer_(kReadBytes) {
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("bind");
    if (::listen(listener_, 1024) != 0) fail("listen");
    epoll_event event{};
    event.events = EPOLLIN;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event) != 0) fail("epoll_ctl");
}

void Relay::run() {
    std::vector<epoll_event> events(512);
    std::vector<Link*> serving;
    for (;;) {
        const int timeout = readable_.empty() ? -1 : 0;
        const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
        for (int i = 0; i < n; ++i) {
            const epoll_event& event = events[static_cast<std::size_t>(i)];
            auto* link = static_cast<Link*>(event.data.ptr);
            if (link == nullptr) {
                accept_all();
                continue;
            }
            if ((event.events & EPOLLOUT) != 0) {
                link->writable = true;
                flush(*link);
            }
            if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0 && !link->queued) {
                link->queued = true;
                readable_.push_back(link);
            }
        }
        serving.swap(readable_);
        for (Link* link : serving) {
            link->queued = read_once(*link);
            if (link->queued) readable_.push_back(link);
        }
        serving.clear();
        for (Link* link : dirty_) {
            link->dirty = false;
            flush(*link);
        }
        dirty_.clear();
    }
}

void Relay::accept_all() {
    for (;;) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
        if (fd < 0) return;
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        links_.push_back(std::make_unique<Link>());
        links_.back()->fd = fd;
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
        event.data.ptr = links_.back().get();
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
    }
}

void Relay::close_link(Link& link) {
    if (link.fd < 0) return;
    for (auto& [topic, receivers] : topics_) std::erase(receivers, &link);
    ::close(link.fd);
    link.fd = -1;
    link.writable = false;
}

// One read; true when there may be more.
bool Relay::read_once(Link& link) {
    if (link.fd < 0) return false;
    const std::size_t kept = link.in.size();
    if (kept >= buffer_.size()) {
        close_link(link);
        return false;
    }
    std::copy(link.in.begin(), link.in.end(), buffer_.begin());
    const std::size_t room = buffer_.size() - kept;
    const ssize_t n = ::recv(link.fd, buffer_.data() + kept, room, 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN) close_link(link);
        return false;
    }
    const std::uint8_t* end = buffer_.data() + kept + n;
    const std::uint8_t* rest = consume(link, buffer_.data(), end);
    link.in.assign(rest, end);
    return static_cast<std::size_t>(n) == room;
}

// Walks the packets; each stretch of PUBLISH packets is forwarded as one block.
const std::uint8_t* Relay::consume(Link& link, const std::uint8_t* p, const std::uint8_t* end) {
    const std::uint8_t* block = p;
    while (end - p >= 2) {
        std::size_t size = 0;
        const std::uint8_t* body = p + 1;
        bool whole = false;
        for (unsigned shift = 0; body < end && shift < 28 && !whole; shift += 7) {
            size |= static_cast<std::size_t>(*body & 0x7f) << shift;
            whole = (*body++ & 0x80) == 0;
        }
        if (!whole || static_cast<std::size_t>(end - body) < size) break;
        if ((*p & 0xf0) == 0x30) {
            if (link.receivers == nullptr) {
                const std::size_t length = static_cast<std::size_t>(body[0]) << 8 | body[1];
                const auto* topic = reinterpret_cast<const char*>(body + 2);
                link.receivers = &topics_[std::string(topic, length)];
            }
        } else {
            forward(link, block, p);
            on_other(link, p, body);
            block = body + size;
        }
        p = body + size;
    }
    forward(link, block, p);
    return p;
}

void Relay::on_other(Link& link, const std::uint8_t* packet, const std::uint8_t* body) {
    static constexpr std::uint8_t kConnackV4[] = {0x20, 2, 0, 0};
    static constexpr std::uint8_t kConnackV5[] = {0x20, 3, 0, 0, 0};
    static constexpr std::uint8_t kPingresp[] = {0xd0, 0};
    switch (*packet & 0xf0) {
        case 0x10:
            link.is_v5 = body[6] == 5;
            if (link.is_v5) return queue(link, kConnackV5, std::end(kConnackV5));
            return queue(link, kConnackV4, std::end(kConnackV4));
        case 0x80: return on_subscribe(link, body);
        case 0xc0: return queue(link, kPingresp, std::end(kPingresp));
        case 0xe0: return close_link(link);
        default: return;
    }
}

// One filter per packet, taken as a topic.
void Relay::on_subscribe(Link& link, const std::uint8_t* body) {
    const std::uint8_t* filter = body + (link.is_v5 ? 3 : 2);
    const std::size_t length = static_cast<std::size_t>(filter[0]) << 8 | filter[1];
    topics_[std::string(reinterpret_cast<const char*>(filter + 2), length)].push_back(&link);
    Bytes suback = {0x90, 3, body[0], body[1]};
    if (link.is_v5) {
        suback[1] = 4;
        suback.push_back(0);
    }
    suback.push_back(0);
    queue(link, suback.data(), suback.data() + suback.size());
}

void Relay::forward(Link& from, const std::uint8_t* begin, const std::uint8_t* end) {
    if (begin == end || from.receivers == nullptr) return;
    for (Link* to : *from.receivers) queue(*to, begin, end);
}

void Relay::queue(Link& to, const std::uint8_t* begin, const std::uint8_t* end) {
    const auto size = static_cast<std::size_t>(end - begin);
    if (to.out.empty() && to.writable && size >= kDirectBytes) begin += write_some(to, begin, size);
    if (begin == end) return;
    to.out.insert(to.out.end(), begin, end);
    if (!to.dirty) {
        to.dirty = true;
        dirty_.push_back(&to);
    }
    if (to.out.size() - to.out_at >= kFlushBytes) flush(to);
}

void Relay::flush(Link& link) {
    if (link.out.empty()) return;
    link.out_at += write_some(link, link.out.data() + link.out_at, link.out.size() - link.out_at);
    if (link.out_at == link.out.size()) {
        link.out.clear();
        link.out_at = 0;
    }
}

std::size_t Relay::write_some(Link& link, const std::uint8_t* data, std::size_t size) {
    if (!link.writable) return 0;
    const ssize_t n = ::send(link.fd, data, size, MSG_NOSIGNAL);
    if (n < static_cast<ssize_t>(size)) link.writable = false;
    return n < 0 ? 0 : static_cast<std::size_t>(n);
}

}  // namespace

int main(int argc, char** argv) {
    const int port = argc == 2 ? std::atoi(argv[1]) : 0;
    if (port <= 0 || port > 65535) {
        std::fprintf(stderr, "usage: comqtt_relay PORT\n");
        return 2;
    }
    Relay(static_cast<std::uint16_t>(port)).run();
}
