#pragma once
// AclCache: the verdicts of one client, keyed by a seeded 64-bit hash of the topic, bounded, each with a lifetime,
// all void when the server's ACL epoch moves on.

#include <cstdint>
#include <vector>

#include "hooks/event.hpp"

namespace comqtt::broker {

class AclCache {
public:
    /// next = not known.
    hooks::Verdict find(uint64_t topic_hash, hooks::Access access, int64_t now_ms, uint64_t epoch) const {
        if (epoch != epoch_) return hooks::Verdict::next;
        const Whole& whole = whole_[access == hooks::Access::write];
        if (whole.until_ms > now_ms) return whole.allowed ? hooks::Verdict::allow : hooks::Verdict::deny;
        if (cells_.empty()) return hooks::Verdict::next;
        const uint64_t key = key_of(topic_hash, access);
        for (size_t i = 0; i < kProbes; ++i) {
            const Cell& cell = cells_[(key + i) & (cells_.size() - 1)];
            if (cell.key == key)
                return (cell.until_ms >> 1) <= now_ms ? hooks::Verdict::next
                       : (cell.until_ms & 1)          ? hooks::Verdict::allow
                                                      : hooks::Verdict::deny;
        }
        return hooks::Verdict::next;
    }
    void store(uint64_t topic_hash, hooks::Access access, bool allowed, int64_t until_ms, uint64_t epoch,
               size_t limit) {
        if (limit == 0) return;
        enter(epoch);
        const Cell cell{key_of(topic_hash, access), until_ms * 2 + (allowed ? 1 : 0)};
        while (!place(cell)) {
            if (cells_.size() * 2 > limit && !cells_.empty()) {
                cells_[cell.key & (cells_.size() - 1)] = cell;
                return;
            }
            grow();
        }
    }

    /// One verdict for every topic.
    void store_whole(hooks::Access access, bool allowed, int64_t until_ms, uint64_t epoch) {
        enter(epoch);
        whole_[access == hooks::Access::write] = {until_ms, allowed};
    }

private:
    static constexpr size_t kProbes = 4;
    struct Cell {
        uint64_t key = 0;      ///< 0 = free
        int64_t until_ms = 0;  ///< shifted left by one; the lowest bit is the verdict
    };
    struct Whole {
        int64_t until_ms = INT64_MIN;
        bool allowed = false;
    };
    void enter(uint64_t epoch) {
        if (epoch == epoch_) return;
        epoch_ = epoch;
        cells_.clear();
        whole_[0] = whole_[1] = {};
    }
    static uint64_t key_of(uint64_t hash, hooks::Access access) {
        const uint64_t key = hash ^ (access == hooks::Access::write ? 0x9E3779B97F4A7C15 : 0);
        return key ? key : 1;
    }
    bool place(const Cell& cell) {
        if (cells_.empty()) return false;
        for (size_t i = 0; i < kProbes; ++i) {
            Cell& at = cells_[(cell.key + i) & (cells_.size() - 1)];
            if (at.key == 0 || at.key == cell.key) {
                at = cell;
                return true;
            }
        }
        return false;
    }
    void grow() {
        std::vector<Cell> old(cells_.empty() ? 8 : cells_.size() * 2);
        old.swap(cells_);
        for (const Cell& cell : old)
            if (cell.key) place(cell);
    }

    std::vector<Cell> cells_;
    Whole whole_[2];
    uint64_t epoch_ = 0;
};

}  // namespace comqtt::broker
