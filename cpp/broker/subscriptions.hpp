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

    size_t size() const { return held_ ? held_->filters.size() : 0; }
    /// Of the filters.
    uint64_t bytes() const { return held_ ? held_->bytes : 0; }
    bool contains(const std::string& filter) const { return held_ && held_->filters.contains(filter); }
    /// Null when there is none.
    const topics::SubscriptionOptions* find(const std::string& filter) const {
        if (!held_) return nullptr;
        const auto at = held_->filters.find(filter);
        return at == held_->filters.end() ? nullptr : &at->second;
    }
    /// True when the filter is new.
    bool put(const std::string& filter, topics::SubscriptionOptions options) {
        if (!held_) held_ = std::make_unique<Held>();
        const bool added = held_->filters.insert_or_assign(filter, options).second;
        if (added) held_->bytes += filter.size();
        return added;
    }
    bool erase(const std::string& filter) {
        if (!held_ || !held_->filters.erase(filter)) return false;
        held_->bytes -= filter.size();
        return true;
    }
    /// Gives all away.
    Map take() {
        const std::unique_ptr<Held> held = std::move(held_);
        return held ? std::move(held->filters) : Map();
    }
    template <typename F>
    void each(F&& fn) const {
        if (!held_) return;
        for (const auto& [filter, options] : held_->filters) fn(filter, options);
    }

private:
    struct Held {
        Map filters;
        uint64_t bytes = 0;
    };
    std::unique_ptr<Held> held_;
};

}  // namespace comqtt::broker
