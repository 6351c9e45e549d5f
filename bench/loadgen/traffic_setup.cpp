// Making the clients of a Traffic: connect, subscribe, share out the window.
#include <algorithm>

#include "handshake.hpp"
#include "traffic.hpp"

namespace comqtt::bench {
namespace {

std::string subscriber_id(std::size_t number) { return "bench-s" + std::to_string(number); }

}  // namespace

Traffic::Traffic(const Options& options)
    : options_(options), plan_(make_topology(options)), buffer_(options.size + 1024) {
    if (plan_.is_wildcard) {
        walk_ = std::make_unique<WildcardWalk>(options.clients, options.filters, options.leaves);
    }
    if (plan_.is_shared) group_checks_.resize(plan_.publishers.size());
    for (std::size_t i = 0; i < plan_.subscribers.size(); ++i) {
        Connection connection = open_session(i, plan_.subscribers[i]);
        if (options.offline) {
            disconnect(connection);
        } else {
            add_subscriber(std::move(connection), plan_.subscribers[i]);
        }
    }
    open_publishers();
    builder_.emplace(*publishers_.front());
}

Connection Traffic::open_session(std::size_t number, const SubscriberPlan& wanted) const {
    const std::string id = subscriber_id(number);
    if (options_.persistent) forget_session(options_, id);  // what an interrupted run has left
    const Session session = options_.persistent ? Session::kept : Session::clean;
    Opened opened = open_client(options_, id, session);
    subscribe(opened.connection, options_, wanted.filters);
    return std::move(opened.connection);
}

void Traffic::add_subscriber(Connection connection, const SubscriberPlan& wanted) {
    auto subscriber =
        std::make_unique<Subscriber>(std::move(connection), options_.protocol, wanted.first_publisher,
                                     wanted.publisher_count, publishers_);
    if (plan_.is_shared) subscriber->join_group(&group_checks_);
    add_client(*subscriber);
    subscribers_.push_back(std::move(subscriber));
}

// All at once: each reads its CONNACK as it reads its messages.
void Traffic::return_subscribers() {
    for (std::size_t i = 0; i < plan_.subscribers.size(); ++i) {
        add_subscriber(begin_client(options_, subscriber_id(i), Session::kept), plan_.subscribers[i]);
    }
}

void Traffic::open_publishers() {
    for (const PublisherPlan& wanted : plan_.publishers) {
        const auto id = static_cast<std::uint32_t>(publishers_.size());
        Opened opened = open_client(options_, "bench-p" + std::to_string(id));
        const Flow flow = make_flow(opened.receive_maximum);
        window_per_publisher_ = flow.window;
        const PublishSpec spec{wanted.topic, options_.size, options_.qos, false, options_.protocol};
        auto publisher =
            std::make_unique<Publisher>(std::move(opened.connection), id, spec, wanted.fanout, flow);
        if (walk_) publisher->set_walk(walk_.get(), walk_->start_of(id, plan_.publishers.size()));
        add_client(*publisher);
        publishers_.push_back(std::move(publisher));
    }
}

// QoS 0: the window is shared by all publishers and counts deliveries; QoS 1 and 2: it is each
// publisher's own and counts messages.
Flow Traffic::make_flow(std::uint16_t receive_maximum) const {
    Flow flow;
    flow.window = options_.window;
    flow.most_in_flight = std::min<std::uint32_t>(flow.most_in_flight, receive_maximum);
    if (options_.qos == 0) {
        const std::uint64_t shares = plan_.publishers.size() * plan_.publishers.front().fanout;
        flow.window = std::max<std::uint64_t>(1, options_.window / shares);
    } else {
        flow.window = std::min<std::uint64_t>(flow.window, receive_maximum);
    }
    if (options_.offline) flow.bounded_by_delivery = false;
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

void Traffic::forget_sessions() {
    for (std::size_t i = 0; i < plan_.subscribers.size(); ++i) forget_session(options_, subscriber_id(i));
}

void Traffic::add_client(Client& client) { poller_.add(client.connection().fd(), &client); }

}  // namespace comqtt::bench
