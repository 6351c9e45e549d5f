#pragma once
// Route: who receives a topic, as one shard keeps it: its own receivers in full, other shards as one bit each.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "base/small_list.hpp"
#include "hooks/event.hpp"
#include "session/delivery.hpp"
#include "topics/subscription_index.hpp"

namespace comqtt::broker {

struct Session;

/// One session that receives the topic, all its matching ordinary subscriptions merged.
struct Target {
    Session* session = nullptr;
    Ref<session::IdentifierList> identifiers;
    Ref<session::IdentifierList> own_identifiers;  ///< of the subscriptions without No Local
    uint8_t qos = 0;
    uint8_t own_qos = 0;  ///< for the session's own messages
    bool retain_as_published = false;
    bool own_retain_as_published = false;
    bool own = true;        ///< receives its own messages: some subscription has no No Local
    bool no_local = false;  ///< some subscription has it
    hooks::Verdict read = hooks::Verdict::next;  ///< next = ask
    uint8_t read_of = 0;                         ///< Session::connects then
};

struct RouteGroup {
    Ref<topics::GroupRoster> members;
    Ref<session::ShareName> share;
};

/// What the subscription of a receiver says that hooks may not change; one for each that the index found.
struct Offer {
    uint64_t subscriber = 0;
    topics::SubscriptionOptions options;
    Ref<session::ShareName> share;
};

/// Laid out so that a QoS 0 message to one receiver touches three neighbouring cache lines.
struct alignas(64) Route {
    std::string_view topic() const {
        return {topic_size > kInlineTopic ? long_topic.get() : inline_topic, topic_size};
    }
    void assign(ByteView name);
    /// What a message to the ordinary receivers costs, in such with one subscription: identifiers are written one by one.
    size_t ordinary() const { return targets.size() + identifiers / 16; }
    /// The same with the groups: to find whose turn it is takes longer.
    size_t receivers() const { return ordinary() + 16 * groups.size(); }
    /// Memory of all of it.
    size_t bytes() const {
        return sizeof(Route) + (long_topic ? topic_size : 0) + targets.more_bytes() + more_bytes +
               groups.capacity() * sizeof(RouteGroup);
    }

    static constexpr size_t kInlineTopic = 56;
    uint64_t hash = 0;
    uint32_t serial = 0;  ///< changes when this object is used for another topic
    uint16_t topic_size = 0;
    bool valid_name = false;  ///< may be published to by a client
    bool used = true;         ///< since the eviction hand passed
    topics::RouteEpoch epoch;
    uint64_t acl_epoch = 0;
    int64_t read_until_ms = 0;   ///< lifetime of the read verdicts
    uint64_t remote_shards = 0;  ///< bit n: shard n has ordinary receivers
    char inline_topic[kInlineTopic];
    std::unique_ptr<char[]> long_topic;
    SmallList<Target> targets;
    std::vector<RouteGroup> groups;
    size_t identifiers = 0;  ///< of all targets
    size_t more_bytes = 0;   ///< lists of identifiers, names of groups
    size_t counted = 0;      ///< bytes that the cache has counted; 0 = it is free
};

/// Table topic -> route of one shard, bounded in number and in bytes.
class RouteCache {
public:
    RouteCache(size_t limit, size_t most_bytes, uint64_t seed)
        : limit_(limit < 16 ? 16 : limit), most_bytes_(most_bytes), seed_(seed) {}

    uint64_t hash_of(ByteView topic) const { return hash_bytes(topic, seed_); }
    /// The route of a topic, null when not cached.
    Route* find(ByteView topic, uint64_t hash);
    /// A route object for a topic that is not cached; evicts others when full. Who has filled it says so.
    Route& make(ByteView topic, uint64_t hash);
    /// It holds other receivers now.
    void filled(Route& route) {
        bytes_ += route.bytes() - route.counted;
        route.counted = route.bytes();
    }
    size_t count() const { return routes_.size() - free_.size(); }
    /// One route may be above what was asked for.
    size_t bytes() const { return bytes_; }
    /// Hints for look-ups that come soon: first the cell, a little later the route it names.
    void prefetch_cell(uint64_t hash) const {
        if (!cells_.empty()) __builtin_prefetch(&cells_[hash & (cells_.size() - 1)]);
    }
    void prefetch_route(uint64_t hash) const {
        if (cells_.empty()) return;
        const Cell& cell = cells_[hash & (cells_.size() - 1)];
        if (cell.hash != hash || !cell.route) return;
        const char* line = reinterpret_cast<const char*>(cell.route);
        __builtin_prefetch(line);
        __builtin_prefetch(line + 64);
        __builtin_prefetch(line + 128);
    }

private:
    void insert(Route& route);
    void erase(const Route& route);
    void evict();
    void grow();

    struct Cell {
        uint64_t hash = 0;
        Route* route = nullptr;  ///< null = free
    };
    std::vector<Cell> cells_;
    std::vector<std::unique_ptr<Route>> routes_;  ///< kept when they are free: connections refer to them
    std::vector<Route*> free_;
    size_t limit_;
    size_t most_bytes_;
    size_t bytes_ = 0;
    uint64_t seed_;
    size_t hand_ = 0;
};

}  // namespace comqtt::broker
