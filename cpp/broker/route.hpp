#pragma once
// Route: who receives a topic, as one shard keeps it: its own receivers in full, other shards as one bit each.

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bytes.hpp"
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
    uint8_t own_qos = 0;           ///< for the session's own messages
    bool retain_as_published = false;
    bool own = true;               ///< receives its own messages: some subscription has no No Local
    hooks::Verdict read = hooks::Verdict::next;  ///< next = ask
};

struct RouteGroup {
    Ref<topics::GroupSnapshot> members;
    Ref<session::ShareName> share;
};

struct Route {
    std::string topic;
    uint64_t hash = 0;
    uint32_t serial = 0;          ///< changes when this object is used for another topic
    bool valid_name = false;      ///< may be published to by a client
    bool used = true;             ///< since the eviction hand passed
    topics::RouteEpoch epoch;
    uint64_t acl_epoch = 0;
    int64_t read_until_ms = 0;    ///< lifetime of the read verdicts
    uint64_t remote_shards = 0;   ///< bit n: shard n has ordinary receivers
    std::vector<Target> targets;
    std::vector<RouteGroup> groups;
};

/// Bounded table topic -> route of one shard.
class RouteCache {
public:
    RouteCache(size_t limit, uint64_t seed) : limit_(limit < 16 ? 16 : limit), seed_(seed) {}

    /// The route of a topic, null when not cached.
    Route* find(ByteView topic);
    /// A route object for a topic that is not cached; evicts one when full.
    Route& make(ByteView topic);
    size_t count() const { return routes_.size(); }

private:
    void insert(uint32_t index);
    void erase(const Route& route);
    void grow();

    struct Cell {
        uint64_t hash = 0;
        uint32_t index = 0;  ///< route + 1; 0 = free
    };
    std::vector<Cell> cells_;
    std::vector<std::unique_ptr<Route>> routes_;
    size_t limit_;
    uint64_t seed_;
    size_t hand_ = 0;
};

}  // namespace comqtt::broker
