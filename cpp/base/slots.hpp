#pragma once
// SlotTable: objects under small numbers that are reused, with a generation that makes a stale number miss.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace comqtt {

/// Handle: generation (24 bits) << 32 | slot. Never 0.
template <typename T>
class SlotTable {
public:
    static constexpr uint64_t kMask = 0x00FF'FFFF'FFFF'FFFF;

    uint64_t add(T* object) {
        uint32_t slot;
        if (free_.empty()) {
            slot = static_cast<uint32_t>(entries_.size());
            entries_.push_back({});
        } else {
            slot = free_.back();
            free_.pop_back();
        }
        entries_[slot].object = object;
        ++count_;
        return (uint64_t{entries_[slot].generation} << 32) | slot;
    }
    T* find(uint64_t handle) const {
        const auto slot = static_cast<uint32_t>(handle);
        if (slot >= entries_.size()) return nullptr;
        const Entry& entry = entries_[slot];
        return entry.generation == ((handle & kMask) >> 32) ? entry.object : nullptr;
    }
    void remove(uint64_t handle) {
        const auto slot = static_cast<uint32_t>(handle);
        Entry& entry = entries_[slot];
        entry.object = nullptr;
        entry.generation = entry.generation == 0xFF'FFFF ? 1 : entry.generation + 1;
        free_.push_back(slot);
        --count_;
    }
    size_t count() const { return count_; }
    /// fn may remove the object it is given.
    template <typename F>
    void each(F&& fn) {
        for (size_t i = 0; i < entries_.size(); ++i)
            if (entries_[i].object) fn(*entries_[i].object);
    }

private:
    struct Entry {
        T* object = nullptr;
        uint32_t generation = 1;
    };
    std::vector<Entry> entries_;
    std::vector<uint32_t> free_;
    size_t count_ = 0;
};

}  // namespace comqtt
