#pragma once
// Queue: the deliveries that wait for one session, in order, of which those that expire can be taken out wherever they
// stand. Taking one costs the logarithm of the queue's length; one that never expires costs nothing for it.

#include <cstdint>
#include <utility>

#include "base/lazy_deque.hpp"
#include "session/delivery.hpp"
#include "session/expiries.hpp"

namespace comqtt::session {

class Queue {
public:
    size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    /// Footprints of all messages.
    uint64_t bytes() const { return bytes_; }
    /// How many of them are QoS 0: held back by a read verdict, later ones wait behind them.
    size_t qos0() const { return qos0_; }

    /// `due_ms`: monotonic clock at which it expires; INT64_MAX = never.
    void push(Delivery delivery, int64_t due_ms = INT64_MAX);
    Delivery& front() { return items_.front().delivery; }
    Delivery pop_front();
    Delivery pop_back();
    void clear() { *this = {}; }

    /// When the first one expires, or one expired that is gone already; INT64_MAX = none does.
    int64_t next_due_ms() const { return expiries_.next_ms(); }
    /// Takes out one that has expired by now, the earliest first. False when there is none.
    bool take_expired(int64_t now_ms, Delivery& out);

    /// What is held in memory for it: places of messages there or gone, and entries of expiries.
    size_t places() const { return items_.size(); }
    size_t expiries() const { return expiries_.size(); }

    template <typename F>
    void each(F&& fn) {
        for (Item& item : items_)
            if (item.delivery.message) fn(item.delivery);
    }
    /// Removes those for which fn(delivery) is true; it may take them over.
    template <typename F>
    void remove_if(F&& fn) {
        for (Item& item : items_) {
            if (!item.delivery.message) continue;
            const size_t bytes = item.delivery.message->footprint();
            const bool qos0 = item.delivery.qos == 0;
            if (!fn(item.delivery)) continue;
            --size_;
            bytes_ -= bytes;
            qos0_ -= qos0;
            item.delivery.clear();
        }
        compact();
    }

private:
    /// A place in the queue. One taken out of the middle leaves it behind, without a message.
    struct Item {
        Delivery delivery;
        uint64_t number;  ///< ascending; key of its expiry
    };
    LazyDeque<Item>::Items::iterator find(uint64_t number);
    Delivery take(Item& item);
    /// No empty place is first or last, and they are no more than there are messages.
    void trim();
    void compact() {
        items_.erase_if([](const Item& item) { return !item.delivery.message; });
        tidy();
    }
    void tidy() {
        if (size_ == 0) expiries_.clear();
        expiries_.tidy(size_, [&](uint64_t number) { return find(number) != items_.end(); });
    }

    LazyDeque<Item> items_;
    Expiries expiries_;
    size_t size_ = 0;
    uint64_t bytes_ = 0;
    size_t qos0_ = 0;
    uint64_t next_number_ = 0;
};

}  // namespace comqtt::session
