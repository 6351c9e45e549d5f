#pragma once
// The subscribers of one filter, sorted, in 24 bytes plus 16 each: one inside, more in sorted blocks, so
// that a change among 100,000 moves at most one block.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "topics/subscription_index.hpp"

namespace comqtt::topics {

class SubscriberSet {
public:
    SubscriberSet() : blocks_(nullptr) {}
    ~SubscriberSet();
    SubscriberSet(const SubscriberSet&) = delete;
    SubscriberSet& operator=(const SubscriberSet&) = delete;

    /// Adds the subscriber or replaces its options; true when it was there.
    bool put(const Match& entry);
    /// True when it was there.
    bool erase(SubscriberId subscriber);
    void append_to(std::vector<Match>& out) const;
    size_t size() const { return count_; }

private:
    static constexpr size_t kBlockEntries = 256;
    using Block = std::vector<Match>;
    using Blocks = std::vector<Block>;

    bool put_in_blocks(const Match& entry);
    void insert_at(Blocks::iterator block, Block::iterator at, const Match& entry);
    void join_small(Blocks::iterator block);
    void fold_into_one();

    uint32_t count_ = 0;
    union {
        Match one_;       ///< when count_ is 1
        Blocks* blocks_;  ///< when count_ is more; no block is empty
    };
};

}  // namespace comqtt::topics
