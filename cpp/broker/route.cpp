#include "broker/route.hpp"

#include <utility>

namespace comqtt::broker {

void Route::assign(ByteView name) {
    topic_size = static_cast<uint16_t>(name.size);
    long_topic.reset();
    if (name.size > kInlineTopic) long_topic = std::make_unique<char[]>(name.size);
    if (name.size)
        std::memcpy(name.size > kInlineTopic ? long_topic.get() : inline_topic, name.data, name.size);
}

Route* RouteCache::find(ByteView topic, uint64_t hash) {
    if (cells_.empty()) return nullptr;
    const size_t mask = cells_.size() - 1;
    for (size_t i = hash & mask; cells_[i].route; i = (i + 1) & mask) {
        if (cells_[i].hash != hash) continue;
        Route& route = *cells_[i].route;
        if (ByteView(route.topic()) == topic) {
            route.used = true;
            return &route;
        }
    }
    return nullptr;
}

Route& RouteCache::make(ByteView topic, uint64_t hash) {
    while (count() && (count() >= limit_ || bytes_ >= most_bytes_)) evict();
    if (free_.empty()) {
        if (free_.capacity() <= routes_.size())
            free_.reserve(2 * routes_.size() + 16);  // evict() is not to fail
        free_.push_back(routes_.emplace_back(std::make_unique<Route>()).get());
    }
    Route* route = free_.back();
    ++route->serial;
    route->used = true;
    route->hash = hash;
    route->assign(topic);
    free_.pop_back();
    filled(*route);
    if ((routes_.size() + 1) * 2 > cells_.size()) {
        grow();  // puts it in as well
    } else {
        insert(*route);
    }
    return *route;
}

/// The next one that was not used since the hand passed.
void RouteCache::evict() {
    for (;; hand_ = (hand_ + 1) % routes_.size()) {
        Route& route = *routes_[hand_];
        if (!route.counted || std::exchange(route.used, false)) continue;
        erase(route);
        bytes_ -= std::exchange(route.counted, 0);
        ++route.serial;
        route.targets.clear();
        route.groups = {};
        route.identifiers = route.more_bytes = 0;
        route.assign({});
        free_.push_back(&route);
        return;
    }
}

void RouteCache::insert(Route& route) {
    const size_t mask = cells_.size() - 1;
    size_t i = route.hash & mask;
    while (cells_[i].route) i = (i + 1) & mask;
    cells_[i] = {route.hash, &route};
}

void RouteCache::erase(const Route& route) {
    const size_t mask = cells_.size() - 1;
    size_t gap = route.hash & mask;
    while (cells_[gap].route && cells_[gap].route != &route) gap = (gap + 1) & mask;
    // Close the gap: move back every cell whose home lies at or before it.
    for (size_t j = (gap + 1) & mask; cells_[j].route; j = (j + 1) & mask) {
        const size_t home = cells_[j].hash & mask;
        if (((j - home) & mask) >= ((j - gap) & mask)) {
            cells_[gap] = cells_[j];
            gap = j;
        }
    }
    cells_[gap] = {};
}

void RouteCache::grow() {
    cells_.assign(cells_.empty() ? 64 : cells_.size() * 2, {});
    for (const auto& route : routes_)
        if (route->counted) insert(*route);
}

}  // namespace comqtt::broker
