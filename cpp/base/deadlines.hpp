#pragma once
// Deadlines: a heap of times with what they are for. Entries are not removed when a time changes; whoever owns
// the time checks on arrival whether it still stands.

#include <algorithm>
#include <cstdint>
#include <vector>

namespace comqtt {

struct Deadline {
    int64_t at_ms;
    uint64_t ref;  ///< handle of what waits
    uint32_t kind;
};

class Deadlines {
public:
    void add(Deadline deadline) {
        heap_.push_back(deadline);
        std::push_heap(heap_.begin(), heap_.end(), later);
    }
    bool empty() const { return heap_.empty(); }
    int64_t next_ms() const { return heap_.empty() ? INT64_MAX : heap_.front().at_ms; }
    Deadline pop() {
        std::pop_heap(heap_.begin(), heap_.end(), later);
        const Deadline deadline = heap_.back();
        heap_.pop_back();
        return deadline;
    }
    size_t size() const { return heap_.size(); }

private:
    static bool later(const Deadline& a, const Deadline& b) { return a.at_ms > b.at_ms; }
    std::vector<Deadline> heap_;
};

}  // namespace comqtt
