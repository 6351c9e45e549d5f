#pragma once
// The one subscription index of a server: filter -> subscribers, shared groups included. Written under a
// lock, read under a shared one, and read rarely: shards keep routes and ask `is_current` before use.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/ref.hpp"
#include "topics/group_roster.hpp"
#include "topics/subscriber.hpp"

namespace comqtt::topics {

/// One ordinary match. A subscriber appears once per matching filter.
struct Match {
    SubscriberId subscriber;
    SubscriptionOptions options;
};

struct Matches {
    std::vector<Match> plain;  ///< sorted by subscriber
    std::vector<Ref<GroupRoster>> groups;
    size_t looked_at = 0;  ///< places of the index that finding them took, those that do not match too
    void clear() {
        plain.clear();
        groups.clear();
        looked_at = 0;
    }
};

/// Counters a route is checked against: changes of the exact filter equal to the topic, of wildcard filters
/// with the same first level, and of wildcard filters whose first level is a wildcard.
struct RouteEpoch {
    uint32_t exact_bucket = 0;
    uint32_t level_bucket = 0;
    uint32_t exact = 0;
    uint32_t level = 0;
    uint32_t global = 0;
};

struct SubscribeOutcome {
    bool existed = false;    ///< this subscriber already had this filter (in this group): options replaced
    size_t subscribers = 0;  ///< now on that exact filter (for a shared one: in that group)
    bool first = false;      ///< first subscriber on the filter (interest delta, groups included)
};
struct UnsubscribeOutcome {
    bool existed = false;
    size_t subscribers = 0;  ///< left
    bool last = false;       ///< no subscriber left on the filter (interest delta)
};

/// Thread-safe.
class SubscriptionIndex {
public:
    SubscriptionIndex();
    ~SubscriptionIndex();

    /// `share_name` empty = ordinary. The filter must be valid (parse_filter).
    SubscribeOutcome subscribe(std::string_view topic_filter, std::string_view share_name,
                               SubscriberId subscriber, SubscriptionOptions options);
    UnsubscribeOutcome unsubscribe(std::string_view topic_filter, std::string_view share_name,
                                   SubscriberId subscriber);
    /// A member of a shared group went online or offline. No epoch changes.
    void set_online(std::string_view topic_filter, std::string_view share_name, SubscriberId subscriber,
                    bool online);

    /// Everything that matches the topic name. Takes the shared lock.
    void match(std::string_view topic_name, Matches& out) const;

    /// The members of one group; null when there is none. Takes the shared lock; costs nothing for other groups.
    Ref<GroupRoster> group(std::string_view topic_filter, std::string_view share_name) const;

    /// Epoch to store with a route; read it before `match`.
    RouteEpoch epoch(std::string_view topic_name) const;
    /// Three relaxed/acquire loads.
    bool is_current(const RouteEpoch& e) const {
        return exact_[e.exact_bucket].load(std::memory_order_acquire) == e.exact &&
               level_[e.level_bucket].load(std::memory_order_acquire) == e.level &&
               global_.load(std::memory_order_acquire) == e.global;
    }

    size_t filter_count() const;  ///< distinct filters with at least one subscriber
    size_t subscription_count() const;
    /// Calls fn(filter, share_name, subscriber count) for a snapshot of all filters.
    void each_filter(void (*fn)(void* user, std::string_view filter, std::string_view share_name,
                                size_t subscribers),
                     void* user) const;

private:
    void bump(std::string_view topic_filter);

    static constexpr size_t kExactBuckets = 4096;
    static constexpr size_t kLevelBuckets = 1024;
    std::array<std::atomic<uint32_t>, kExactBuckets> exact_{};
    std::array<std::atomic<uint32_t>, kLevelBuckets> level_{};
    std::atomic<uint32_t> global_{0};
    mutable std::shared_mutex mutex_;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace comqtt::topics
