#pragma once
// The shared groups of one filter. Changed under the index's exclusive lock; under the shared one, by several threads at a
// time, rosters are taken and members go online and offline.

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "topics/flat_table.hpp"
#include "topics/group_roster.hpp"
#include "topics/hash.hpp"
#include "topics/subscriber.hpp"

namespace comqtt::topics {

/// The members of one share name on one filter, in order of joining.
class SharedGroup {
public:
    SharedGroup(std::string_view topic_filter, std::string_view share_name);

    /// Adds the member or replaces its options; true when it was there.
    bool put(const Hasher& hasher, SubscriberId subscriber, SubscriptionOptions options);
    /// True when it was there.
    bool erase(const Hasher& hasher, SubscriberId subscriber);
    void set_online(const Hasher& hasher, SubscriberId subscriber, bool online) const;

    size_t size() const { return by_subscriber_.size(); }
    const std::string& share_name() const { return share_name_; }
    const Ref<GroupRoster>& roster() const { return roster_; }

private:
    friend class SharedGroups;
    struct Seat {
        SubscriberId subscriber;  ///< none: it has left
    };

    size_t place_of(const Seat& seat) const { return static_cast<size_t>(&seat - seats_.get()); }
    Seat* find(uint64_t hash, SubscriberId subscriber) const;
    void make_room(const Hasher& hasher);

    std::string share_name_;
    std::unique_ptr<Seat[]> seats_;  ///< one for each place of the roster
    FlatTable<Seat> by_subscriber_;
    Ref<GroupRoster> roster_;
    mutable std::mutex online_mutex_;
    std::list<SharedGroup>::iterator self_;
};

/// All groups on one filter; never empty.
class SharedGroups {
public:
    SharedGroup* find(const Hasher& hasher, std::string_view share_name) const;
    SharedGroup& find_or_add(const Hasher& hasher, std::string_view topic_filter,
                             std::string_view share_name);
    void erase(const Hasher& hasher, SharedGroup& group);
    bool empty() const { return groups_.empty(); }
    const std::list<SharedGroup>& all() const { return groups_; }

private:
    std::list<SharedGroup> groups_;
    FlatTable<SharedGroup> by_name_;
};

}  // namespace comqtt::topics
