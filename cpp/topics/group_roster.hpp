#pragma once
// The members of a shared group as the routes hold them: they come and go, and one is picked, without a look at the others.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ref.hpp"
#include "topics/position_set.hpp"
#include "topics/subscriber.hpp"

namespace comqtt::topics {

/// One member of a shared group. Constant but for `online`.
struct GroupMember {
    SubscriberId subscriber;
    SubscriptionOptions options;
    std::atomic<bool> online{true};
};

/// Members have places in order of joining, which are not given again; a roster whose places are used up is followed by a
/// larger one. Changed by one thread at a time, read by any. What was a member lives as long as the roster.
class GroupRoster : public RefCounted<GroupRoster> {
public:
    GroupRoster(std::string name, std::string filter, size_t capacity);

    const std::string share_name;
    const std::string topic_filter;

    /// Next member whose turn it is, online ones first; skips `except` when there is another choice. Only when none is
    /// online an offline one is picked. Null when there is none but `except`.
    const GroupMember* pick(SubscriberId except = {}) const;
    /// In order of joining.
    std::vector<const GroupMember*> members() const;
    size_t size() const { return count_.load(std::memory_order_relaxed); }

    // --- for the group ---
    /// Places that were given.
    size_t places() const { return end_.load(std::memory_order_relaxed); }
    bool full() const { return made_count_ == capacity_; }
    /// Gives the new member's place. Not when full.
    size_t add(SubscriberId subscriber, SubscriptionOptions options, bool online);
    /// The member gets other options. Not when full.
    void replace(size_t place, SubscriptionOptions options);
    void remove(size_t place);
    void set_online(size_t place, bool online);
    const GroupMember& at(size_t place) const { return *places_[place].load(std::memory_order_acquire); }
    /// Whose turn it is goes on from there.
    void take_turn_of(const GroupRoster& before) { turn_ = before.turn_.load(); }

private:
    size_t find(const PositionSet& among, size_t start, size_t end, SubscriberId except) const;
    GroupMember& make(SubscriberId subscriber, SubscriptionOptions options, bool online);

    const size_t capacity_;
    std::unique_ptr<std::atomic<GroupMember*>[]> places_;
    PositionSet present_;
    PositionSet online_;
    std::atomic<size_t> end_{0};  ///< places given
    std::atomic<size_t> count_{0};
    mutable std::atomic<uint32_t> turn_{0};
    const std::unique_ptr<GroupMember[]> made_;  ///< all there ever were
    size_t made_count_ = 0;
};

}  // namespace comqtt::topics
