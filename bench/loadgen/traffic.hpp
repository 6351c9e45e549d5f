#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "options.hpp"
#include "poller.hpp"
#include "publisher.hpp"
#include "run_builder.hpp"
#include "subscriber.hpp"
#include "topology.hpp"

namespace comqtt::bench {

// The publishers and subscribers of a run and the one loop that serves them. Made connected
// and subscribed; sends nothing until told how.
class Traffic {
public:
    explicit Traffic(const Options& options);
    Traffic(const Traffic&) = delete;
    Traffic& operator=(const Traffic&) = delete;

    // Publish as much as the windows allow, from now on; at most `limit` messages (0: no limit).
    void pace_by_window(std::uint64_t limit);
    // Publish at a fixed rate in all, the publishers in turn, each message at its own time.
    void pace_by_rate(double messages_per_second);
    void stop();

    // Serves the clients for so long, or until the condition holds. True when it held.
    bool run_for(double seconds, const std::function<bool()>& condition = {});
    // After stop(): until all is delivered and acknowledged. False when it gave up.
    bool drain();

    // Another client for the loop to serve; it must outlive the loop's use.
    void add_client(Client& client);
    void set_histogram(Histogram* histogram);
    // Of acknowledgements. Messages sent by window carry their time from now on.
    void set_ack_histogram(Histogram* histogram);
    // With `offline`: the subscribers come back to their sessions.
    void return_subscribers();
    // Ends the sessions of the subscribers, which outlive their connections.
    void forget_sessions();

    std::uint64_t sent() const;
    std::uint64_t acknowledged() const;
    std::uint64_t delivered() const;
    std::uint64_t expected() const;
    std::uint64_t duplicated() const;
    std::uint64_t stalls() const { return stalls_; }
    std::uint64_t disconnects() const { return disconnects_; }
    // When the last message arrived that drain() saw.
    std::uint64_t last_progress_ns() const { return last_progress_ns_; }

    const std::vector<std::unique_ptr<Publisher>>& publishers() const { return publishers_; }
    const std::vector<std::unique_ptr<Subscriber>>& subscribers() const { return subscribers_; }
    const std::vector<StreamCheck>& group_checks() const { return group_checks_; }
    std::uint64_t window_per_publisher() const { return window_per_publisher_; }

private:
    enum class Pace { stopped, window, rate };

    Connection open_session(std::size_t number, const SubscriberPlan& wanted) const;
    void add_subscriber(Connection connection, const SubscriberPlan& wanted);
    void open_publishers();
    Flow make_flow(std::uint16_t receive_maximum) const;
    void round(std::uint64_t now, std::uint64_t deadline);
    std::uint64_t wait_ns(std::uint64_t now, std::uint64_t deadline) const;
    void collect(std::uint64_t timeout_ns);
    void serve_readable();
    void publish_by_window();
    void publish_by_rate(std::uint64_t now);
    void flush_publishers();
    void watch_progress(std::uint64_t now);
    std::uint64_t next_due_ns() const;

    const Options& options_;
    Topology plan_;
    Poller poller_;
    ReadBuffer buffer_;
    std::vector<std::unique_ptr<Publisher>> publishers_;
    std::vector<std::unique_ptr<Subscriber>> subscribers_;
    std::vector<StreamCheck> group_checks_;
    std::unique_ptr<WildcardWalk> walk_;
    std::optional<RunBuilder> builder_;
    std::uint64_t window_per_publisher_ = 0;

    std::vector<Client*> readable_;
    std::vector<Client*> serving_;

    Pace pace_ = Pace::stopped;
    bool more_to_publish_ = false;
    bool stamped_ = false;
    std::uint64_t limit_ = 0;
    std::uint64_t paced_sent_ = 0;
    double rate_ = 0;
    std::uint64_t rate_start_ns_ = 0;

    std::uint64_t next_watch_ns_ = 0;
    std::uint64_t watched_ = 0;  // deliveries and acknowledgements
    std::uint64_t last_progress_ns_ = 0;
    std::uint64_t stalls_ = 0;
    std::uint64_t disconnects_ = 0;
};

}  // namespace comqtt::bench
