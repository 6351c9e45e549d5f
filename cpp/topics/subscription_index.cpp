#include "topics/subscription_index.hpp"

#include <algorithm>
#include <array>
#include <mutex>

#include "topics/exact_filters.hpp"
#include "topics/filter_trie.hpp"
#include "topics/hash.hpp"
#include "topics/levels.hpp"

namespace comqtt::topics {

namespace {

bool has_wildcard(std::string_view filter) { return filter.find_first_of("+#") != std::string_view::npos; }

bool below(const Match& a, const Match& b) { return a.subscriber.value < b.subscriber.value; }

// Gathers the subscribers of several filters. Each comes sorted: few runs are merged, many sorted.
class Collector {
public:
    explicit Collector(Matches& out) : out_(out) {}

    void add(const FilterEntry& entry) {
        size_t start = out_.plain.size();
        entry.plain.append_to(out_.plain);
        if (out_.plain.size() != start) {
            if (runs_ < starts_.size()) starts_[runs_] = static_cast<ptrdiff_t>(start);
            ++runs_;
        }
        if (!entry.groups) return;
        for (const SharedGroup& group : entry.groups->all()) out_.groups.push_back(group.roster());
    }
    void finish() {
        auto begin = out_.plain.begin();
        auto end = out_.plain.end();
        if (runs_ > starts_.size()) {
            std::sort(begin, end, below);
            return;
        }
        for (size_t run = 1; run < runs_; ++run) {
            auto stop = run + 1 < runs_ ? begin + starts_[run + 1] : end;
            std::inplace_merge(begin, begin + starts_[run], stop, below);
        }
    }

private:
    Matches& out_;
    std::array<ptrdiff_t, 4> starts_{};
    size_t runs_ = 0;
};

}  // namespace

struct SubscriptionIndex::Impl {
    Hasher hasher;
    ExactFilters exact{hasher};
    FilterTrie wild{hasher};
    size_t filters = 0;
    size_t subscriptions = 0;

    FilterEntry* find(std::string_view filter) const {
        if (has_wildcard(filter)) return wild.find(filter);
        return exact.find(filter);
    }
    FilterEntry& find_or_add(std::string_view filter) {
        if (has_wildcard(filter)) return wild.find_or_add(filter);
        return exact.find_or_add(filter);
    }
    void drop(std::string_view filter, FilterEntry& entry) {
        if (has_wildcard(filter))
            wild.prune(static_cast<FilterTrie::Node&>(entry));
        else
            exact.erase(static_cast<ExactFilters::Entry&>(entry));
    }

    SubscribeOutcome put(std::string_view filter, std::string_view share_name, const Match& match);
    UnsubscribeOutcome erase(std::string_view filter, std::string_view share_name, SubscriberId subscriber);
    bool erase_from(FilterEntry& entry, std::string_view share_name, SubscriberId subscriber,
                    size_t& left) const;
};

SubscribeOutcome SubscriptionIndex::Impl::put(std::string_view filter, std::string_view share_name,
                                              const Match& match) {
    SubscribeOutcome outcome;
    FilterEntry& entry = find_or_add(filter);
    outcome.first = entry.empty();
    if (share_name.empty()) {
        outcome.existed = entry.plain.put(match);
        outcome.subscribers = entry.plain.size();
    } else {
        if (!entry.groups) entry.groups = std::make_unique<SharedGroups>();
        SharedGroup& group = entry.groups->find_or_add(hasher, filter, share_name);
        outcome.existed = group.put(hasher, match.subscriber, match.options);
        outcome.subscribers = group.size();
    }
    if (outcome.first) ++filters;
    if (!outcome.existed) ++subscriptions;
    return outcome;
}

bool SubscriptionIndex::Impl::erase_from(FilterEntry& entry, std::string_view share_name,
                                         SubscriberId subscriber, size_t& left) const {
    if (share_name.empty()) {
        bool existed = entry.plain.erase(subscriber);
        left = entry.plain.size();
        return existed;
    }
    SharedGroup* group = entry.groups ? entry.groups->find(hasher, share_name) : nullptr;
    if (!group) return false;
    bool existed = group->erase(hasher, subscriber);
    left = group->size();
    if (left == 0) entry.groups->erase(hasher, *group);
    if (entry.groups->empty()) entry.groups.reset();
    return existed;
}

UnsubscribeOutcome SubscriptionIndex::Impl::erase(std::string_view filter, std::string_view share_name,
                                                  SubscriberId subscriber) {
    UnsubscribeOutcome outcome;
    FilterEntry* entry = find(filter);
    if (!entry) return outcome;
    outcome.existed = erase_from(*entry, share_name, subscriber, outcome.subscribers);
    if (!outcome.existed) return outcome;
    --subscriptions;
    outcome.last = entry->empty();
    if (outcome.last) {
        --filters;
        drop(filter, *entry);
    }
    return outcome;
}

SubscriptionIndex::SubscriptionIndex() : impl_(std::make_unique<Impl>()) {}
SubscriptionIndex::~SubscriptionIndex() = default;

// After the change, and after the lock: a reader that sees the new count and comes for a new match finds
// the change.
void SubscriptionIndex::bump(std::string_view topic_filter) {
    std::string_view level = first_level(topic_filter);
    std::atomic<uint32_t>* counter = &global_;
    if (!has_wildcard(topic_filter))
        counter = &exact_[impl_->hasher(topic_filter) % kExactBuckets];
    else if (!has_wildcard(level))
        counter = &level_[impl_->hasher(level) % kLevelBuckets];
    counter->fetch_add(1, std::memory_order_release);
}

SubscribeOutcome SubscriptionIndex::subscribe(std::string_view topic_filter, std::string_view share_name,
                                              SubscriberId subscriber, SubscriptionOptions options) {
    SubscribeOutcome outcome;
    {
        std::unique_lock lock(mutex_);
        outcome = impl_->put(topic_filter, share_name, {subscriber, options});
    }
    bump(topic_filter);
    return outcome;
}

UnsubscribeOutcome SubscriptionIndex::unsubscribe(std::string_view topic_filter, std::string_view share_name,
                                                  SubscriberId subscriber) {
    UnsubscribeOutcome outcome;
    {
        std::unique_lock lock(mutex_);
        outcome = impl_->erase(topic_filter, share_name, subscriber);
    }
    if (outcome.existed) bump(topic_filter);
    return outcome;
}

void SubscriptionIndex::set_online(std::string_view topic_filter, std::string_view share_name,
                                   SubscriberId subscriber, bool online) {
    std::shared_lock lock(mutex_);
    FilterEntry* entry = impl_->find(topic_filter);
    if (!entry || !entry->groups) return;
    if (SharedGroup* group = entry->groups->find(impl_->hasher, share_name))
        group->set_online(impl_->hasher, subscriber, online);
}

void SubscriptionIndex::match(std::string_view topic_name, Matches& out) const {
    out.clear();
    std::array<std::byte, 2048> buffer;
    std::pmr::monotonic_buffer_resource memory(buffer.data(), buffer.size());
    FilterTrie::Found found(&memory);
    found.reserve(32);
    Collector collector(out);

    std::shared_lock lock(mutex_);
    if (const FilterEntry* entry = impl_->exact.find(topic_name)) collector.add(*entry);
    out.looked_at = impl_->wild.match(topic_name, found);
    for (const FilterEntry* entry : found) collector.add(*entry);
    lock.unlock();
    collector.finish();
}

Ref<GroupRoster> SubscriptionIndex::group(std::string_view topic_filter, std::string_view share_name) const {
    std::shared_lock lock(mutex_);
    const FilterEntry* entry = impl_->find(topic_filter);
    const SharedGroup* group =
        entry && entry->groups ? entry->groups->find(impl_->hasher, share_name) : nullptr;
    return group ? group->roster() : Ref<GroupRoster>();
}

RouteEpoch SubscriptionIndex::epoch(std::string_view topic_name) const {
    RouteEpoch e;
    e.exact_bucket = static_cast<uint32_t>(impl_->hasher(topic_name) % kExactBuckets);
    e.level_bucket = static_cast<uint32_t>(impl_->hasher(first_level(topic_name)) % kLevelBuckets);
    e.exact = exact_[e.exact_bucket].load(std::memory_order_acquire);
    e.level = level_[e.level_bucket].load(std::memory_order_acquire);
    e.global = global_.load(std::memory_order_acquire);
    return e;
}

size_t SubscriptionIndex::filter_count() const {
    std::shared_lock lock(mutex_);
    return impl_->filters;
}

size_t SubscriptionIndex::subscription_count() const {
    std::shared_lock lock(mutex_);
    return impl_->subscriptions;
}

void SubscriptionIndex::each_filter(void (*fn)(void* user, std::string_view filter,
                                               std::string_view share_name, size_t subscribers),
                                    void* user) const {
    struct Row {
        std::string filter;
        std::string share_name;
        size_t subscribers;
    };
    std::vector<Row> rows;
    auto note = [&](std::string filter, const FilterEntry& entry) {
        if (entry.groups)
            for (const SharedGroup& group : entry.groups->all())
                rows.push_back({filter, group.share_name(), group.size()});
        if (entry.plain.size()) rows.push_back({std::move(filter), {}, entry.plain.size()});
    };
    {
        std::shared_lock lock(mutex_);
        impl_->exact.each(
            [&](const ExactFilters::Entry& entry) { note(std::string(entry.filter.text()), entry); });
        impl_->wild.each([&](const FilterTrie::Node& node) {
            if (!node.empty()) note(impl_->wild.filter_of(node), node);
        });
    }
    for (const Row& row : rows) fn(user, row.filter, row.share_name, row.subscribers);
}

}  // namespace comqtt::topics
