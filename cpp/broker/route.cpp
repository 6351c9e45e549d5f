#include "broker/route.hpp"

#include "base/hash.hpp"

namespace comqtt::broker {

Route* RouteCache::find(ByteView topic) {
    if (cells_.empty()) return nullptr;
    const uint64_t hash = hash_bytes(topic, seed_);
    const size_t mask = cells_.size() - 1;
    for (size_t i = hash & mask; cells_[i].index; i = (i + 1) & mask) {
        if (cells_[i].hash != hash) continue;
        Route& route = *routes_[cells_[i].index - 1];
        if (ByteView(route.topic) == topic) {
            route.used = true;
            return &route;
        }
    }
    return nullptr;
}

Route& RouteCache::make(ByteView topic) {
    uint32_t index;
    if (routes_.size() < limit_) {
        index = static_cast<uint32_t>(routes_.size());
        routes_.push_back(std::make_unique<Route>());
    } else {
        while (routes_[hand_]->used) {
            routes_[hand_]->used = false;
            hand_ = (hand_ + 1) % routes_.size();
        }
        index = static_cast<uint32_t>(hand_);
        hand_ = (hand_ + 1) % routes_.size();
        erase(*routes_[index]);
    }
    Route& route = *routes_[index];
    const uint32_t serial = route.serial + 1;
    route = Route{};
    route.serial = serial;
    route.topic = topic.text();
    route.hash = hash_bytes(topic, seed_);
    if ((routes_.size() + 1) * 2 > cells_.size()) grow();
    insert(index);
    return route;
}

void RouteCache::insert(uint32_t index) {
    const size_t mask = cells_.size() - 1;
    size_t i = routes_[index]->hash & mask;
    while (cells_[i].index) i = (i + 1) & mask;
    cells_[i] = {routes_[index]->hash, index + 1};
}

void RouteCache::erase(const Route& route) {
    const size_t mask = cells_.size() - 1;
    size_t i = route.hash & mask;
    while (cells_[i].index && routes_[cells_[i].index - 1].get() != &route) i = (i + 1) & mask;
    // Close the gap: move back every cell whose home lies at or before it.
    size_t gap = i;
    for (size_t j = (i + 1) & mask; cells_[j].index; j = (j + 1) & mask) {
        const size_t home = cells_[j].hash & mask;
        if (((j - home) & mask) >= ((j - gap) & mask)) {
            cells_[gap] = cells_[j];
            gap = j;
        }
    }
    cells_[gap] = {};
}

void RouteCache::grow() {
    const size_t size = cells_.empty() ? 64 : cells_.size() * 2;
    cells_.assign(size, {});
    for (uint32_t i = 0; i + 1 < routes_.size(); ++i) insert(i);
}

}  // namespace comqtt::broker
