#pragma once
// Open-addressing table of borrowed pointers by 64-bit hash: linear probing, no tombstones, shrinks again.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace comqtt::topics {

template <typename T>
class FlatTable {
public:
    /// The item with this hash that `equal(item)` accepts, or null.
    template <typename Equal>
    T* find(uint64_t hash, Equal equal) const {
        if (!slots_) return nullptr;
        for (size_t at = hash & mask_; slots_[at].item; at = (at + 1) & mask_)
            if (slots_[at].hash == hash && equal(*slots_[at].item)) return slots_[at].item;
        return nullptr;
    }
    /// Adds an item that is not in the table.
    void insert(uint64_t hash, T* item) {
        if (!slots_ || (size_ + 1) * 5 > (mask_ + 1) * 4) resize(slots_ ? (mask_ + 1) * 2 : 8);
        place(hash, item);
        ++size_;
    }
    /// Puts `to` in the place of `from`, which is in the table.
    void replace(uint64_t hash, const T* from, T* to) { slots_[locate(hash, from)].item = to; }
    /// Takes out an item that is in the table.
    void erase(uint64_t hash, const T* item) {
        close_gap(locate(hash, item));
        --size_;
        if (size_ == 0) {
            slots_.reset();
            mask_ = 0;
        } else if (mask_ >= 16 && size_ * 8 < mask_) {
            resize((mask_ + 1) / 4);
        }
    }
    template <typename Visit>
    void each(Visit visit) const {
        for (size_t at = 0; slots_ && at <= mask_; ++at)
            if (slots_[at].item) visit(*slots_[at].item);
    }
    size_t size() const { return size_; }

private:
    struct Slot {
        uint64_t hash = 0;
        T* item = nullptr;
    };

    size_t locate(uint64_t hash, const T* item) const {
        size_t at = hash & mask_;
        while (slots_[at].item != item) at = (at + 1) & mask_;
        return at;
    }
    void place(uint64_t hash, T* item) {
        size_t at = hash & mask_;
        while (slots_[at].item) at = (at + 1) & mask_;
        slots_[at] = {hash, item};
    }
    // Moves later items of the run back, as long as that brings them no further than their home slot.
    void close_gap(size_t gap) {
        size_t at = gap;
        for (;;) {
            at = (at + 1) & mask_;
            if (!slots_[at].item) break;
            size_t home = slots_[at].hash & mask_;
            if (((at - home) & mask_) >= ((at - gap) & mask_)) {
                slots_[gap] = slots_[at];
                gap = at;
            }
        }
        slots_[gap] = Slot{};
    }
    void resize(size_t capacity) {
        size_t old_capacity = slots_ ? mask_ + 1 : 0;
        std::unique_ptr<Slot[]> old = std::move(slots_);
        slots_ = std::make_unique<Slot[]>(capacity);
        mask_ = capacity - 1;
        for (size_t at = 0; at < old_capacity; ++at)
            if (old[at].item) place(old[at].hash, old[at].item);
    }

    std::unique_ptr<Slot[]> slots_;
    size_t mask_ = 0;
    size_t size_ = 0;
};

}  // namespace comqtt::topics
