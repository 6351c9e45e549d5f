#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "options.hpp"

namespace comqtt::bench {

struct PublisherPlan {
    std::string topic;
    std::uint32_t fanout = 1;  // subscribers that receive each of its messages
};

struct SubscriberPlan {
    std::vector<std::string> filters;
    std::uint32_t first_publisher = 0;  // the range of publishers it hears
    std::uint32_t publisher_count = 1;
};

// Who publishes what and who receives it. All topics of a plan have the same length, so that
// all packets of a run have one layout.
struct Topology {
    std::vector<PublisherPlan> publishers;
    std::vector<SubscriberPlan> subscribers;
    bool is_shared = false;    // one group: each message goes to one member
    bool is_wildcard = false;  // each message goes to one client by one of its filters
};

// Throws std::invalid_argument for a scenario without publishers and subscribers.
Topology make_topology(const Options& options);

// The topic of `wildcard`: client, filter and leaf as digits at fixed places.
constexpr std::size_t kWildcardClientAt = 2;
constexpr std::size_t kWildcardFilterAt = 7;
constexpr std::size_t kWildcardLeafAt = 12;

}  // namespace comqtt::bench
