#include "topics/group_roster.hpp"

#include <utility>

namespace comqtt::topics {

GroupRoster::GroupRoster(std::string name, std::string filter, size_t capacity)
    : share_name(std::move(name)),
      topic_filter(std::move(filter)),
      capacity_(capacity),
      places_(std::make_unique<std::atomic<GroupMember*>[]>(capacity)),
      present_(capacity),
      online_(capacity),
      made_(std::make_unique<GroupMember[]>(capacity)) {}

/// The first place from `start` on, in a circle, that is among these and not that of `except`.
size_t GroupRoster::find(const PositionSet& among, size_t start, size_t end, SubscriberId except) const {
    for (size_t place = start; (place = among.next(place)) < end; ++place)
        if (!(at(place).subscriber == except)) return place;
    for (size_t place = 0; (place = among.next(place)) < start; ++place)
        if (!(at(place).subscriber == except)) return place;
    return PositionSet::kNone;
}

const GroupMember* GroupRoster::pick(SubscriberId except) const {
    const size_t end = end_.load(std::memory_order_acquire);
    if (end == 0) return nullptr;
    const size_t start = turn_.fetch_add(1, std::memory_order_relaxed) % end;
    size_t place = find(online_, start, end, except);
    if (place == PositionSet::kNone) place = find(present_, start, end, except);
    if (place == PositionSet::kNone) return nullptr;
    // Moves the turn past those left out, so that the member after them is not served twice as often.
    const size_t skipped = place >= start ? place - start : place + end - start;
    if (skipped) turn_.fetch_add(static_cast<uint32_t>(skipped), std::memory_order_relaxed);
    return &at(place);
}

std::vector<const GroupMember*> GroupRoster::members() const {
    std::vector<const GroupMember*> all;
    const size_t end = end_.load(std::memory_order_acquire);
    for (size_t place = 0; (place = present_.next(place)) < end; ++place) all.push_back(&at(place));
    return all;
}

GroupMember& GroupRoster::make(SubscriberId subscriber, SubscriptionOptions options, bool online) {
    GroupMember& member = made_[made_count_++];
    member.subscriber = subscriber;
    member.options = options;
    member.online = online;
    return member;
}

size_t GroupRoster::add(SubscriberId subscriber, SubscriptionOptions options, bool online) {
    const size_t place = end_.load(std::memory_order_relaxed);
    places_[place].store(&make(subscriber, options, online), std::memory_order_release);
    end_.store(place + 1, std::memory_order_release);
    count_.fetch_add(1, std::memory_order_relaxed);
    present_.insert(place);
    if (online) online_.insert(place);
    return place;
}

void GroupRoster::replace(size_t place, SubscriptionOptions options) {
    const GroupMember& old = at(place);
    places_[place].store(&make(old.subscriber, options, old.online), std::memory_order_release);
}

void GroupRoster::remove(size_t place) {
    online_.erase(place);
    present_.erase(place);
    count_.fetch_sub(1, std::memory_order_relaxed);
}

void GroupRoster::set_online(size_t place, bool online) {
    places_[place].load(std::memory_order_relaxed)->online.store(online, std::memory_order_release);
    online ? online_.insert(place) : online_.erase(place);
}

}  // namespace comqtt::topics
