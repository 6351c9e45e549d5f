#include "topics/subscriber_set.hpp"

#include <algorithm>
#include <iterator>
#include <memory>

namespace comqtt::topics {

namespace {

bool before(const Match& entry, SubscriberId subscriber) { return entry.subscriber.value < subscriber.value; }

// The block that holds the subscriber or would: the first whose last entry is not below it, else the last.
template <typename Blocks>
auto block_for(Blocks& blocks, SubscriberId subscriber) {
    auto block =
        std::lower_bound(blocks.begin(), blocks.end(), subscriber,
                         [](const auto& candidate, SubscriberId id) { return before(candidate.back(), id); });
    return block == blocks.end() ? std::prev(block) : block;
}

}  // namespace

SubscriberSet::~SubscriberSet() {
    if (count_ > 1) delete blocks_;
}

bool SubscriberSet::put(const Match& entry) {
    if (count_ == 0) {
        std::construct_at(&one_, entry);
        count_ = 1;
        return false;
    }
    if (count_ == 1) {
        if (one_.subscriber == entry.subscriber) {
            one_.options = entry.options;
            return true;
        }
        auto* blocks = new Blocks(1);
        blocks->front().assign({one_});
        blocks_ = blocks;
    }
    return put_in_blocks(entry);
}

bool SubscriberSet::put_in_blocks(const Match& entry) {
    auto block = block_for(*blocks_, entry.subscriber);
    auto at = std::lower_bound(block->begin(), block->end(), entry.subscriber, before);
    if (at != block->end() && at->subscriber == entry.subscriber) {
        at->options = entry.options;
        return true;
    }
    insert_at(block, at, entry);
    ++count_;
    return false;
}

void SubscriberSet::insert_at(Blocks::iterator block, Block::iterator at, const Match& entry) {
    if (block->size() < kBlockEntries) {
        block->insert(at, entry);
        return;
    }
    // Ids mostly ascend: a full last block is then left full instead of being halved.
    if (at == block->end() && std::next(block) == blocks_->end()) {
        blocks_->emplace_back().push_back(entry);
        return;
    }
    auto middle = block->begin() + kBlockEntries / 2;
    bool upper = at > middle;
    auto offset = upper ? at - middle : at - block->begin();
    Block tail(middle, block->end());
    block->erase(middle, block->end());
    auto added = blocks_->insert(std::next(block), std::move(tail));
    Block& target = upper ? *added : *std::prev(added);
    target.insert(target.begin() + offset, entry);
}

bool SubscriberSet::erase(SubscriberId subscriber) {
    if (count_ <= 1) {
        if (count_ == 0 || !(one_.subscriber == subscriber)) return false;
        count_ = 0;
        return true;
    }
    auto block = block_for(*blocks_, subscriber);
    auto at = std::lower_bound(block->begin(), block->end(), subscriber, before);
    if (at == block->end() || !(at->subscriber == subscriber)) return false;
    block->erase(at);
    --count_;
    if (count_ == 1)
        fold_into_one();
    else
        join_small(block);
    return true;
}

void SubscriberSet::join_small(Blocks::iterator block) {
    if (block->empty()) {
        blocks_->erase(block);
        return;
    }
    auto joins = [&](Blocks::iterator left) {
        return left->size() + std::next(left)->size() <= kBlockEntries / 2;
    };
    if (block != blocks_->begin() && joins(std::prev(block)))
        --block;
    else if (std::next(block) == blocks_->end() || !joins(block))
        return;
    auto next = std::next(block);
    block->insert(block->end(), next->begin(), next->end());
    blocks_->erase(next);
}

void SubscriberSet::fold_into_one() {
    Blocks* blocks = blocks_;
    Match left;
    for (const Block& block : *blocks)
        if (!block.empty()) left = block.front();
    delete blocks;
    std::construct_at(&one_, left);
}

void SubscriberSet::append_to(std::vector<Match>& out) const {
    if (count_ == 0) return;
    if (count_ == 1) {
        out.push_back(one_);
        return;
    }
    for (const Block& block : *blocks_) out.insert(out.end(), block.begin(), block.end());
}

}  // namespace comqtt::topics
