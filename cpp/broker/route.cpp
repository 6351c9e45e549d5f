#include "broker/route.hpp"

namespace comqtt::broker {

void Route::assign(ByteView name) {
    topic_size = static_cast<uint16_t>(name.size);
    long_topic.reset();
    if (name.size > kInlineTopic) long_topic = std::make_unique<char[]>(name.size);
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
    Route* route;
    if (routes_.size() < limit_) {
        route = routes_.emplace_back(std::make_unique<Route>()).get();
    } else {
        while (routes_[hand_]->used) {
            routes_[hand_]->used = false;
            hand_ = (hand_ + 1) % routes_.size();
        }
        route = routes_[hand_].get();
        hand_ = (hand_ + 1) % routes_.size();
        erase(*route);
        route->targets.clear();
        route->groups.clear();
    }
    ++route->serial;
    route->used = true;
    route->hash = hash;
    route->assign(topic);
    if ((routes_.size() + 1) * 2 > cells_.size()) {
        grow();  // puts it in as well
    } else {
        insert(*route);
    }
    return *route;
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
    for (const auto& route : routes_) insert(*route);
}

}  // namespace comqtt::broker
