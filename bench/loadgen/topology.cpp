#include "topology.hpp"

#include <cstdio>
#include <stdexcept>

namespace comqtt::bench {
namespace {

std::string numbered(const char* form, std::size_t number) {
    char text[32];
    std::snprintf(text, sizeof text, form, number);
    return text;
}

std::string pair_topic(std::size_t i) { return numbered("bench/pair/%05zu", i); }

Topology pairs(std::size_t count) {
    Topology plan;
    for (std::size_t i = 0; i < count; ++i) {
        plan.publishers.push_back({pair_topic(i), 1});
        plan.subscribers.push_back({{pair_topic(i)}, static_cast<std::uint32_t>(i), 1});
    }
    return plan;
}

Topology fanout(std::size_t subscribers) {
    Topology plan;
    plan.publishers.push_back({"bench/fanout/1", static_cast<std::uint32_t>(subscribers)});
    plan.subscribers.assign(subscribers, {{"bench/fanout/1"}, 0, 1});
    return plan;
}

Topology fanin(std::size_t publishers) {
    Topology plan;
    plan.publishers.assign(publishers, {"bench/fanin/1", 1});
    plan.subscribers.push_back({{"bench/fanin/1"}, 0, static_cast<std::uint32_t>(publishers)});
    return plan;
}

Topology shared(std::size_t publishers, std::size_t members) {
    Topology plan;
    plan.is_shared = true;
    plan.publishers.assign(publishers, {"bench/shared/1", 1});
    plan.subscribers.assign(members,
                            {{"$share/bench/bench/shared/1"}, 0, static_cast<std::uint32_t>(publishers)});
    return plan;
}

// Every other filter ends in '#' instead of '+'; each topic matches exactly one filter.
Topology wildcard(const Options& o) {
    Topology plan;
    plan.is_wildcard = true;
    plan.publishers.assign(o.publishers, {"w/0000/0000/0", 1});
    for (std::size_t c = 0; c < o.clients; ++c) {
        SubscriberPlan subscriber{{}, 0, static_cast<std::uint32_t>(o.publishers)};
        for (std::size_t f = 0; f < o.filters; ++f) {
            subscriber.filters.push_back(numbered("w/%04zu", c) +
                                         numbered(f % 2 == 0 ? "/%04zu/+" : "/%04zu/#", f));
        }
        plan.subscribers.push_back(std::move(subscriber));
    }
    return plan;
}

}  // namespace

Topology make_topology(const Options& o) {
    if (o.scenario == "retained") return pairs(1);
    for (const char* name : {"pair", "pairs", "latency", "flood", "durable"}) {
        if (o.scenario == name) return pairs(o.clients);
    }
    if (o.scenario == "fanout") return fanout(o.clients);
    if (o.scenario == "fanin") return fanin(o.clients);
    if (o.scenario == "shared") return shared(o.publishers, o.clients);
    if (o.scenario == "wildcard") return wildcard(o);
    throw std::invalid_argument("no such scenario: " + o.scenario);
}

}  // namespace comqtt::bench
