// Making the clients of a Traffic: connect, subscribe, share out the window.
#include <algorithm>

#include "handshake.hpp"
#include "traffic.hpp"

namespace comqtt::bench {

Traffic::Traffic(const Options& options) : options_(options), buffer_(options.size + 1024) {
    const Topology plan = make_topology(options);
    if (plan.is_wildcard) {
        walk_ = std::make_unique<WildcardWalk>(options.clients, options.filters, options.leaves);
    }
    if (plan.is_shared) group_checks_.resize(plan.publishers.size());
    open_subscribers(plan);
    open_publishers(plan);
    builder_.emplace(*publishers_.front());
}

void Traffic::open_subscribers(const Topology& plan) {
    for (const SubscriberPlan& wanted : plan.subscribers) {
        Opened opened = open_client(options_, "bench-s" + std::to_string(subscribers_.size()));
        subscribe(opened.connection, options_, wanted.filters);
        auto subscriber =
            std::make_unique<Subscriber>(std::move(opened.connection), options_.protocol,
                                         wanted.first_publisher, wanted.publisher_count, publishers_);
        if (plan.is_shared) subscriber->join_group(&group_checks_);
        add_client(*subscriber);
        subscribers_.push_back(std::move(subscriber));
    }
}

void Traffic::open_publishers(const Topology& plan) {
    for (const PublisherPlan& wanted : plan.publishers) {
        const auto id = static_cast<std::uint32_t>(publishers_.size());
        Opened opened = open_client(options_, "bench-p" + std::to_string(id));
        const Flow flow = make_flow(plan, opened.receive_maximum);
        window_per_publisher_ = flow.window;
        const PublishSpec spec{wanted.topic, options_.size, options_.qos, false, options_.protocol};
        auto publisher =
            std::make_unique<Publisher>(std::move(opened.connection), id, spec, wanted.fanout, flow);
        if (walk_) publisher->set_walk(walk_.get(), walk_->start_of(id, plan.publishers.size()));
        add_client(*publisher);
        publishers_.push_back(std::move(publisher));
    }
}

// QoS 0: the window is shared by all publishers and counts deliveries; QoS 1 and 2: it is each
// publisher's own and counts messages.
Flow Traffic::make_flow(const Topology& plan, std::uint16_t receive_maximum) const {
    Flow flow;
    flow.window = options_.window;
    if (options_.qos == 0) {
        const std::uint64_t shares = plan.publishers.size() * plan.publishers.front().fanout;
        flow.window = std::max<std::uint64_t>(1, options_.window / shares);
    } else {
        flow.window = std::min<std::uint64_t>(flow.window, receive_maximum);
    }
    if (options_.scenario == "flood") {
        flow.bounded_by_delivery = false;
        if (options_.qos == 0) flow.window = 1ULL << 40;
    }
    const std::uint64_t run = std::max<std::uint64_t>(1, RunBuilder::kRunBytes / (options_.size + 64));
    const std::uint64_t quarter = std::max<std::uint64_t>(1, flow.window / 4);
    flow.min_batch = options_.min_batch != 0 ? options_.min_batch : std::min(run, quarter);
    flow.min_batch = std::min(flow.min_batch, flow.window);
    return flow;
}

void Traffic::add_client(Client& client) { poller_.add(client.connection().fd(), &client); }

}  // namespace comqtt::bench
