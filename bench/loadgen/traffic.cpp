#include "traffic.hpp"

#include <algorithm>
#include <stdexcept>

#include "clock.hpp"

namespace comqtt::bench {
namespace {

constexpr std::uint64_t kWatchNs = 50'000'000;
constexpr std::uint64_t kStallNs = kNsPerSecond;

}  // namespace

void Traffic::pace_by_window(std::uint64_t limit) {
    pace_ = Pace::window;
    limit_ = limit != 0 ? limit : ~0ULL;
    paced_sent_ = 0;
    more_to_publish_ = true;
    last_progress_ns_ = now_ns();
}

void Traffic::pace_by_rate(double messages_per_second) {
    pace_ = Pace::rate;
    rate_ = messages_per_second;
    rate_start_ns_ = now_ns();
    paced_sent_ = 0;
}

void Traffic::stop() {
    pace_ = Pace::stopped;
    more_to_publish_ = false;
}

bool Traffic::run_for(double seconds, const std::function<bool()>& condition) {
    const std::uint64_t deadline = now_ns() + seconds_to_ns(seconds);
    for (std::uint64_t now = now_ns(); now < deadline; now = now_ns()) {
        round(now, deadline);
        if (condition && condition()) return true;
    }
    return false;
}

bool Traffic::drain() {
    const std::uint64_t cutoff = now_ns() + seconds_to_ns(options_.cutoff);
    const std::uint64_t idle_ns = seconds_to_ns(options_.drain_idle);
    std::uint64_t seen = delivered();
    last_progress_ns_ = now_ns();
    const auto unacknowledged = [](const auto& p) { return p->unacknowledged() != 0; };
    for (;;) {
        const bool done = delivered() >= expected() && delivered() - duplicated() >= expected() &&
                          std::none_of(publishers_.begin(), publishers_.end(), unacknowledged);
        const std::uint64_t now = now_ns();
        if (done) return true;
        if (now >= cutoff || now >= last_progress_ns_ + idle_ns) return false;
        round(now, std::min(cutoff, now + kWatchNs));
        if (delivered() != seen) {
            seen = delivered();
            last_progress_ns_ = now_ns();
        }
    }
}

void Traffic::set_histogram(Histogram* histogram) {
    for (const auto& subscriber : subscribers_) subscriber->set_histogram(histogram);
}

void Traffic::set_ack_histogram(Histogram* histogram) {
    stamped_ = true;
    for (const auto& publisher : publishers_) publisher->set_ack_histogram(histogram);
}

void Traffic::round(std::uint64_t now, std::uint64_t deadline) {
    collect(wait_ns(now, deadline));
    serve_readable();
    switch (pace_) {
        case Pace::stopped: flush_publishers(); break;
        case Pace::window:
            publish_by_window();
            watch_progress(now);
            break;
        case Pace::rate:
            flush_publishers();
            publish_by_rate(now_ns());
            break;
    }
}

std::uint64_t Traffic::wait_ns(std::uint64_t now, std::uint64_t deadline) const {
    if (options_.spin || more_to_publish_ || !readable_.empty()) return 0;
    std::uint64_t until = std::min(deadline, now + kWatchNs);
    if (pace_ == Pace::rate) until = std::min(until, next_due_ns());
    return until > now ? until - now : 0;
}

void Traffic::collect(std::uint64_t timeout_ns) {
    for (const epoll_event& event : poller_.wait(timeout_ns)) {
        Client& client = *static_cast<Client*>(event.data.ptr);
        if ((event.events & EPOLLOUT) != 0) client.connection().on_writable();
        constexpr std::uint32_t kInput = EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP;
        if ((event.events & kInput) == 0 || client.is_queued()) continue;
        client.set_queued(true);
        readable_.push_back(&client);
    }
}

// One read for each readable client; those with more to come stay for the next round.
void Traffic::serve_readable() {
    serving_.swap(readable_);
    for (Client* client : serving_) {
        client->set_queued(false);
        const Connection::Input input = client->connection().receive(buffer_, *client);
        if (input == Connection::Input::closed) ++disconnects_;
        if (input != Connection::Input::more) continue;
        client->set_queued(true);
        readable_.push_back(client);
    }
    serving_.clear();
}

// At most one run for each publisher, so that reading is never starved.
void Traffic::publish_by_window() {
    more_to_publish_ = false;
    for (const auto& publisher : publishers_) {
        Connection& connection = publisher->connection();
        const std::uint64_t credit = publisher->credit();
        if (credit < publisher->min_batch() || !connection.can_write() || paced_sent_ >= limit_) {
            connection.flush();
            continue;
        }
        const std::uint64_t count =
            std::min<std::uint64_t>({credit, builder_->capacity(), limit_ - paced_sent_});
        connection.send(builder_->build(*publisher, count, stamped_ ? now_ns() : 0));
        paced_sent_ += count;
        if (connection.can_write() && credit - count >= publisher->min_batch()) {
            more_to_publish_ = true;
        }
    }
}

std::uint64_t Traffic::next_due_ns() const {
    const double offset = static_cast<double>(paced_sent_) * 1e9 / rate_;
    return rate_start_ns_ + static_cast<std::uint64_t>(offset);
}

void Traffic::publish_by_rate(std::uint64_t now) {
    for (std::uint64_t due = next_due_ns(); due <= now; due = next_due_ns()) {
        Publisher& publisher = *publishers_[paced_sent_ % publishers_.size()];
        if (!publisher.may_send()) {
            throw std::runtime_error("the broker does not keep up with --rate");
        }
        publisher.connection().send(builder_->build(publisher, 1, due));
        ++paced_sent_;
    }
}

void Traffic::flush_publishers() {
    for (const auto& publisher : publishers_) publisher->connection().flush();
}

// A broker that loses messages would leave the window full for ever: what has not come after a
// second of silence is written off, and counted.
void Traffic::watch_progress(std::uint64_t now) {
    if (now < next_watch_ns_) return;
    next_watch_ns_ = now + kWatchNs;
    if (const std::uint64_t seen = delivered() + acknowledged(); seen != watched_) {
        watched_ = seen;
        last_progress_ns_ = now;
    } else if (now >= last_progress_ns_ + kStallNs && paced_sent_ < limit_) {
        ++stalls_;
        last_progress_ns_ = now;
        for (const auto& publisher : publishers_) publisher->write_off();
    }
}

std::uint64_t Traffic::sent() const {
    std::uint64_t total = 0;
    for (const auto& publisher : publishers_) total += publisher->sent();
    return total;
}

std::uint64_t Traffic::acknowledged() const {
    std::uint64_t total = 0;
    for (const auto& publisher : publishers_) total += publisher->sent() - publisher->unacknowledged();
    return total;
}

std::uint64_t Traffic::delivered() const {
    std::uint64_t total = 0;
    for (const auto& subscriber : subscribers_) total += subscriber->received();
    return total;
}

std::uint64_t Traffic::duplicated() const {
    std::uint64_t total = 0;
    for (const StreamCheck& check : group_checks_) total += check.duplicated();
    for (const auto& subscriber : subscribers_) {
        for (const StreamCheck& check : subscriber->checks()) total += check.duplicated();
    }
    return total;
}

std::uint64_t Traffic::expected() const {
    std::uint64_t total = 0;
    for (const auto& publisher : publishers_) total += publisher->expected_deliveries();
    return total;
}

}  // namespace comqtt::bench
