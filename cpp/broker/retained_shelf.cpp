#include "broker/retained_shelf.hpp"

#include <algorithm>
#include <functional>

#include "broker/retained_room.hpp"

namespace comqtt::broker {

void RetainedShelf::put(mqtt::MessageRef message) {
    const mqtt::MessageRef named = message;
    const std::string_view topic = named->topic_name().text();
    if (message->payload().empty()) {
        remove(topic);
        return;
    }
    if (message->has_expiry()) {
        expiry_.emplace_back(message->due_ms(), topic);
        std::push_heap(expiry_.begin(), expiry_.end(), std::greater<>());
        const int64_t due = std::max(here_.now_ms(), message->due_ms());
        if (due < deadline_ms_) {
            deadline_ms_ = due;
            timers_.at(Timers::Kind::retained, 0, due);
        }
    }
    const size_t count = store_.count(), bytes = store_.bytes();
    store_.store(std::move(message));
    counted(topic, count, bytes);
    forget_old_times();
}

bool RetainedShelf::remove(std::string_view topic) {
    const size_t count = store_.count(), bytes = store_.bytes();
    store_.remove(topic);
    counted(topic, count, bytes);
    const bool removed = store_.count() != count;
    forget_old_times();
    return removed;
}

/// What has changed since then, for all who look at the figures.
void RetainedShelf::counted(std::string_view topic, size_t count_before, size_t bytes_before) {
    Core& core = here_.core();
    if (store_.count() > count_before) core.retained_counts.add(here_.number(), topic);
    if (store_.count() < count_before) core.retained_counts.remove(here_.number(), topic);
    if (takes_retained_room(topic))
        count_retained(core, static_cast<int64_t>(store_.count() - count_before),
                       static_cast<int64_t>(store_.bytes() - bytes_before));
    here_.metrics().retained.set(store_.count());
    here_.metrics().retained_bytes.set(store_.bytes());
}

/// Topics published again and again leave old entries behind.
void RetainedShelf::forget_old_times() {
    if (expiry_.size() <= 64 || expiry_.size() <= 2 * store_.count()) return;
    std::vector<std::pair<int64_t, std::string>> live;
    for (auto& entry : expiry_) {
        const auto kept = store_.find(entry.second);
        if (kept && kept->due_ms() == entry.first) live.push_back(std::move(entry));
    }
    std::sort(live.begin(), live.end());
    live.erase(std::unique(live.begin(), live.end()), live.end());
    expiry_ = std::move(live);
}

bool RetainedShelf::next_expired(std::string& topic, size_t& left) {
    deadline_ms_ =
        INT64_MAX;  // it has come; should the caller not get to plan(), the next put() sets another
    for (; left && !expiry_.empty() && expiry_.front().first <= here_.now_ms(); --left) {
        std::pop_heap(expiry_.begin(), expiry_.end(), std::greater<>());
        topic = std::move(expiry_.back().second);
        expiry_.pop_back();
        const auto message = store_.find(topic);
        if (!message || message->due_ms() > here_.now_ms()) continue;
        --left;
        return true;
    }
    return false;
}

void RetainedShelf::plan() {
    deadline_ms_ = INT64_MAX;
    if (expiry_.empty()) return;
    deadline_ms_ = std::max(here_.now_ms(), expiry_.front().first);
    timers_.at(Timers::Kind::retained, 0, deadline_ms_);
}

}  // namespace comqtt::broker
