#include "topics/shared_group.hpp"

#include <iterator>

namespace comqtt::topics {

const GroupMember* GroupSnapshot::pick(SubscriberId except) const {
    size_t count = members.size();
    size_t start = turn->fetch_add(1, std::memory_order_relaxed) % count;
    const GroupMember* offline = nullptr;
    uint32_t offline_skipped = 0;
    for (uint32_t skipped = 0; skipped < count; ++skipped) {
        size_t at = start + skipped;
        const GroupMember* member = members[at < count ? at : at - count].get();
        if (member->subscriber == except) continue;
        if (member->online.load(std::memory_order_acquire)) {
            // Moves the turn past those left out, so that the member after them is not served twice as often.
            if (skipped) turn->fetch_add(skipped, std::memory_order_relaxed);
            return member;
        }
        if (!offline) {
            offline = member;
            offline_skipped = skipped;
        }
    }
    if (offline_skipped) turn->fetch_add(offline_skipped, std::memory_order_relaxed);
    return offline;
}

SharedGroup::SharedGroup(std::string_view topic_filter, std::string_view share_name)
    : topic_filter_(topic_filter),
      share_name_(share_name),
      turn_(std::make_shared<std::atomic<uint32_t>>(0)) {}

SharedGroup::Seat* SharedGroup::find(uint64_t hash, SubscriberId subscriber) const {
    return by_subscriber_.find(hash, [&](const Seat& seat) { return seat.member->subscriber == subscriber; });
}

bool SharedGroup::put(const Hasher& hasher, SubscriberId subscriber, SubscriptionOptions options) {
    uint64_t hash = hasher(subscriber.value);
    auto member = Ref<GroupMember>::adopt(new GroupMember);
    member->subscriber = subscriber;
    member->options = options;
    snapshot_ = {};
    if (Seat* seat = find(hash, subscriber)) {
        // The old member stays as it is for the routes that still hold it.
        member->online = seat->member->online.load();
        seat->member = std::move(member);
        return true;
    }
    Seat& seat = seats_.emplace_back();
    seat.self = std::prev(seats_.end());
    seat.member = std::move(member);
    by_subscriber_.insert(hash, &seat);
    return false;
}

bool SharedGroup::erase(const Hasher& hasher, SubscriberId subscriber) {
    uint64_t hash = hasher(subscriber.value);
    Seat* seat = find(hash, subscriber);
    if (!seat) return false;
    snapshot_ = {};
    by_subscriber_.erase(hash, seat);
    seats_.erase(seat->self);
    return true;
}

void SharedGroup::set_online(const Hasher& hasher, SubscriberId subscriber, bool online) const {
    if (Seat* seat = find(hasher(subscriber.value), subscriber))
        seat->member->online.store(online, std::memory_order_release);
}

Ref<GroupSnapshot> SharedGroup::snapshot() const {
    std::lock_guard lock(snapshot_mutex_);
    if (!snapshot_) {
        auto made = Ref<GroupSnapshot>::adopt(new GroupSnapshot);
        made->share_name = share_name_;
        made->topic_filter = topic_filter_;
        made->turn = turn_;
        made->members.reserve(seats_.size());
        for (const Seat& seat : seats_) made->members.push_back(seat.member);
        snapshot_ = std::move(made);
    }
    return snapshot_;
}

SharedGroup* SharedGroups::find(const Hasher& hasher, std::string_view share_name) const {
    return by_name_.find(hasher(share_name),
                         [&](const SharedGroup& group) { return group.share_name_ == share_name; });
}

SharedGroup& SharedGroups::find_or_add(const Hasher& hasher, std::string_view topic_filter,
                                       std::string_view share_name) {
    if (SharedGroup* group = find(hasher, share_name)) return *group;
    SharedGroup& group = groups_.emplace_back(topic_filter, share_name);
    group.self_ = std::prev(groups_.end());
    by_name_.insert(hasher(share_name), &group);
    return group;
}

void SharedGroups::erase(const Hasher& hasher, SharedGroup& group) {
    by_name_.erase(hasher(group.share_name_), &group);
    groups_.erase(group.self_);
}

}  // namespace comqtt::topics
