#pragma once
// Expiries: when which messages of a queue expire, the earliest first. An entry stays when its message leaves in
// another way: whoever takes it looks whether there still is such a message.

#include <algorithm>
#include <cstdint>
#include <vector>

namespace comqtt::session {

struct Expiry {
    int64_t due_ms = 0;  ///< monotonic clock
    uint64_t key = 0;    ///< of the message
    uint64_t bytes = 0;  ///< its footprint
};

class Expiries {
public:
    void add(const Expiry& expiry) {
        heap_.push_back(expiry);
        std::push_heap(heap_.begin(), heap_.end(), later);
    }
    /// The earliest; INT64_MAX = none.
    int64_t next_ms() const { return heap_.empty() ? INT64_MAX : heap_.front().due_ms; }
    Expiry take() {
        std::pop_heap(heap_.begin(), heap_.end(), later);
        const Expiry expiry = heap_.back();
        heap_.pop_back();
        return expiry;
    }
    size_t size() const { return heap_.size(); }
    void clear() { heap_ = {}; }
    /// Forgets entries whose messages are gone when they are more than those that can be: `messages` of them. Each
    /// entry is looked at a fixed number of times in all.
    template <typename F>
    void tidy(size_t messages, F&& stands) {
        if (heap_.size() <= 64 || heap_.size() <= 2 * messages) return;
        std::erase_if(heap_, [&](const Expiry& expiry) { return !stands(expiry.key); });
        std::make_heap(heap_.begin(), heap_.end(), later);
    }

private:
    static bool later(const Expiry& a, const Expiry& b) { return a.due_ms > b.due_ms; }
    std::vector<Expiry> heap_;
};

}  // namespace comqtt::session
