#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "clock.hpp"
#include "measure.hpp"
#include "poller.hpp"
#include "proc_stats.hpp"
#include "scenarios.hpp"
#include "socket.hpp"
#include "wire.hpp"

namespace comqtt::bench {
namespace {

// Opens many connections, `concurrency` of them under way at once, and keeps them.
class ConnectStorm {
public:
    explicit ConnectStorm(const Options& options) : options_(options), links_(options.clients) {}
    ~ConnectStorm() { close_all(); }
    ConnectStorm(const ConnectStorm&) = delete;
    ConnectStorm& operator=(const ConnectStorm&) = delete;

    void run() {
        const std::uint64_t deadline = now_ns() + seconds_to_ns(options_.cutoff);
        while (accepted_ + refused_ < links_.size()) {
            start_some();
            if (now_ns() > deadline) throw std::runtime_error("connects do not complete in time");
            for (const epoll_event& event : poller_.wait(kNsPerSecond / 10)) {
                serve(*static_cast<Link*>(event.data.ptr), event.events);
            }
        }
    }

    // Connections that the broker has closed by now.
    std::size_t count_closed() const {
        return static_cast<std::size_t>(std::count_if(links_.begin(), links_.end(), [](const Link& link) {
            std::uint8_t byte = 0;
            return link.state == State::accepted && ::recv(link.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
        }));
    }

    void close_all() {
        for (Link& link : links_) {
            if (link.fd < 0) continue;
            const std::uint8_t packet[2] = {kDisconnect, 0};
            if (link.state == State::accepted) ::send(link.fd, packet, 2, MSG_NOSIGNAL);
            ::close(link.fd);
            link.fd = -1;
        }
    }

    std::size_t accepted() const { return accepted_; }
    std::size_t refused() const { return refused_; }

private:
    enum class State : std::uint8_t { unused, connecting, waiting, accepted, refused };
    struct Link {
        int fd = -1;
        State state = State::unused;
    };

    void start_some() {
        while (started_ < links_.size() && started_ - accepted_ - refused_ < options_.concurrency) {
            Link& link = links_[started_++];
            link.fd = start_connect(options_.host, options_.port);
            link.state = State::connecting;
            poller_.add(link.fd, &link);
        }
    }

    void serve(Link& link, std::uint32_t events) {
        if (link.state == State::connecting && (events & EPOLLOUT) != 0) {
            const auto index = static_cast<std::size_t>(&link - links_.data());
            const Bytes packet = make_connect("bench-c" + std::to_string(index), options_.protocol);
            const ssize_t n = ::send(link.fd, packet.data(), packet.size(), MSG_NOSIGNAL);
            if (n != static_cast<ssize_t>(packet.size())) return settle(link, State::refused);
            link.state = State::waiting;
        }
        if (link.state == State::waiting && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
            read_connack(link);
        }
    }

    // A CONNACK is small and sent at once: it arrives whole.
    void read_connack(Link& link) {
        std::uint8_t data[512];
        const ssize_t n = ::recv(link.fd, data, sizeof data, 0);
        if (n < 0 && errno == EAGAIN) return;
        Frame frame;
        const bool good = n > 0 && next_frame(data, data + n, frame) &&
                          packet_type(frame.first) == kConnack &&
                          parse_connack(frame.body, options_.protocol).reason_code == 0;
        settle(link, good ? State::accepted : State::refused);
    }

    void settle(Link& link, State state) {
        link.state = state;
        ++(state == State::accepted ? accepted_ : refused_);
    }

    const Options& options_;
    Poller poller_;
    std::vector<Link> links_;
    std::size_t started_ = 0;
    std::size_t accepted_ = 0;
    std::size_t refused_ = 0;
};

void pause(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

void report_memory(const Options& options, std::uint64_t rss_before, std::size_t connections,
                   Report& report) {
    pause(options.settle);
    const std::uint64_t rss = process_rss_bytes(options.broker_pid);
    const std::uint64_t grown = rss - std::min(rss, rss_before);
    report.add("broker_rss_before_bytes", rss_before);
    report.add("broker_rss_bytes", rss);
    report.add("rss_bytes_per_connection",
               static_cast<double>(grown) / static_cast<double>(std::max<std::size_t>(1, connections)));
    const std::uint64_t cpu = process_cpu_ns(options.broker_pid);
    pause(1.0);
    report.add("idle_cpu_us_per_s", us_each(process_cpu_ns(options.broker_pid) - cpu, 1));
}

}  // namespace

void run_connect(const Options& options, Report& report) {
    const std::uint64_t rss_before = process_rss_bytes(options.broker_pid);
    ConnectStorm storm(options);
    const Snapshot from = take_snapshot(options, 0);
    storm.run();
    const Snapshot to = take_snapshot(options, storm.accepted());
    report.add("connections", storm.accepted());
    report.add("refused", storm.refused());
    report.add("connects_per_s", per_second(to.delivered, to.time_ns - from.time_ns));
    report.add("broker_us_per_connect", us_each(to.broker_cpu_ns - from.broker_cpu_ns, to.delivered));
    report.add("loadgen_us_per_connect", us_each(to.own_cpu_ns - from.own_cpu_ns, to.delivered));
    if (options.scenario == "idle") report_memory(options, rss_before, storm.accepted(), report);
    report.add("disconnects", storm.count_closed());
}

}  // namespace comqtt::bench
