#pragma once
// Subscriptions of one session, by full filter text. Costs one pointer while there are none.

#include <map>
#include <memory>
#include <string>

#include "topics/subscription_index.hpp"

namespace comqtt::broker {

class Subscriptions {
public:
    /// In order, so that what goes through them does so the same way each time.
    using Map = std::map<std::string, topics::SubscriptionOptions, std::less<>>;

    size_t size() const { return map_ ? map_->size() : 0; }
    bool contains(const std::string& filter) const { return map_ && map_->contains(filter); }
    /// Null when there is none.
    const topics::SubscriptionOptions* find(const std::string& filter) const {
        if (!map_) return nullptr;
        const auto at = map_->find(filter);
        return at == map_->end() ? nullptr : &at->second;
    }
    /// True when the filter is new.
    bool put(const std::string& filter, topics::SubscriptionOptions options) {
        if (!map_) map_ = std::make_unique<Map>();
        return map_->insert_or_assign(filter, options).second;
    }
    bool erase(const std::string& filter) { return map_ && map_->erase(filter) != 0; }
    /// Gives all away.
    Map take() {
        const std::unique_ptr<Map> map = std::move(map_);
        return map ? std::move(*map) : Map();
    }
    template <typename F>
    void each(F&& fn) const {
        if (!map_) return;
        for (const auto& [filter, options] : *map_) fn(filter, options);
    }

private:
    std::unique_ptr<Map> map_;
};

}  // namespace comqtt::broker
