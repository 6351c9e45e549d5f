#include "topics/shared_group.hpp"

#include <algorithm>
#include <iterator>

namespace comqtt::topics {

namespace {
constexpr size_t kFirstPlaces = 4;
}  // namespace

SharedGroup::SharedGroup(std::string_view topic_filter, std::string_view share_name)
    : share_name_(share_name),
      seats_(std::make_unique<Seat[]>(kFirstPlaces)),
      roster_(Ref<GroupRoster>::adopt(
          new GroupRoster(std::string(share_name), std::string(topic_filter), kFirstPlaces))) {}

SharedGroup::Seat* SharedGroup::find(uint64_t hash, SubscriberId subscriber) const {
    return by_subscriber_.find(hash, [&](const Seat& seat) { return seat.subscriber == subscriber; });
}

/// The next roster has a place for each member and as many more: it is long until all are used up again.
void SharedGroup::make_room(const Hasher& hasher) {
    if (!roster_->full()) return;
    const size_t capacity = 2 * std::max(size(), kFirstPlaces / 2);
    auto larger = Ref<GroupRoster>::adopt(new GroupRoster(share_name_, roster_->topic_filter, capacity));
    larger->take_turn_of(*roster_);
    auto seats = std::make_unique<Seat[]>(capacity);
    FlatTable<Seat> by_subscriber;
    for (size_t from = 0; from < roster_->places(); ++from) {
        const SubscriberId subscriber = seats_[from].subscriber;
        if (!subscriber.value) continue;
        const GroupMember& member = roster_->at(from);
        Seat& moved = seats[larger->add(subscriber, member.options, member.online)];
        moved.subscriber = subscriber;
        by_subscriber.insert(hasher(subscriber.value), &moved);
    }
    seats_ = std::move(seats);
    by_subscriber_ = std::move(by_subscriber);
    roster_ = std::move(larger);
}

bool SharedGroup::put(const Hasher& hasher, SubscriberId subscriber, SubscriptionOptions options) {
    const uint64_t hash = hasher(subscriber.value);
    Seat* seat = find(hash, subscriber);
    if (seat && roster_->at(place_of(*seat)).options == options) return true;
    make_room(hasher);
    if (seat) {
        roster_->replace(place_of(*find(hash, subscriber)), options);  // all may have moved
        return true;
    }
    Seat& added = seats_[roster_->add(subscriber, options, true)];
    added.subscriber = subscriber;
    by_subscriber_.insert(hash, &added);
    return false;
}

bool SharedGroup::erase(const Hasher& hasher, SubscriberId subscriber) {
    const uint64_t hash = hasher(subscriber.value);
    Seat* seat = find(hash, subscriber);
    if (!seat) return false;
    roster_->remove(place_of(*seat));
    by_subscriber_.erase(hash, seat);
    seat->subscriber = {};
    return true;
}

void SharedGroup::set_online(const Hasher& hasher, SubscriberId subscriber, bool online) const {
    const Seat* seat = find(hasher(subscriber.value), subscriber);
    if (!seat) return;
    const std::lock_guard lock(online_mutex_);
    roster_->set_online(place_of(*seat), online);
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
