#include "session/queue.hpp"

#include <algorithm>

namespace comqtt::session {

void Queue::push(Delivery delivery, int64_t due_ms) {
    const size_t footprint = delivery.message->footprint();
    ++size_;
    bytes_ += footprint;
    qos0_ += delivery.qos == 0;
    if (due_ms != INT64_MAX) {
        expiries_.add({due_ms, next_number_, footprint});
        tidy();
    }
    items_.push_back({std::move(delivery), next_number_++});
}

Delivery Queue::take(Item& item) {
    Delivery delivery = std::move(item.delivery);
    item.delivery.clear();
    --size_;
    bytes_ -= delivery.message->footprint();
    qos0_ -= delivery.qos == 0;
    return delivery;
}

Delivery Queue::pop_front() {
    Delivery delivery = take(items_.front());
    trim();
    return delivery;
}

Delivery Queue::pop_back() {
    Delivery delivery = take(items_.back());
    trim();
    return delivery;
}

LazyDeque<Queue::Item>::Items::iterator Queue::find(uint64_t number) {
    const auto at = std::lower_bound(items_.begin(), items_.end(), number,
                                     [](const Item& item, uint64_t wanted) { return item.number < wanted; });
    const bool found = at != items_.end() && at->number == number && at->delivery.message;
    return found ? at : items_.end();
}

bool Queue::take_expired(int64_t now_ms, Delivery& out) {
    while (expiries_.next_ms() <= now_ms) {
        const auto at = find(expiries_.take().key);
        if (at == items_.end()) continue;
        out = take(*at);
        trim();
        return true;
    }
    return false;
}

void Queue::trim() {
    while (!items_.empty() && !items_.front().delivery.message) items_.pop_front();
    while (!items_.empty() && !items_.back().delivery.message) items_.pop_back();
    if (items_.size() > 2 * size_ + 64) compact();
    if (size_ == 0 && expiries_.size()) expiries_.clear();
}

}  // namespace comqtt::session
