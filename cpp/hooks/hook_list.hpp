#pragma once
// HookList: the hooks of a server in the order added. Never changed: a change makes another list, which shares all of
// its blocks but one with the list before, so that it costs a copy of that block and a pointer for each other one.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "hooks/hook.hpp"

namespace comqtt::hooks {

class HookList {
public:
    struct Entry {
        uint64_t handle = 0;
        std::shared_ptr<Hook> hook;
        EventMask events = 0;
        std::shared_ptr<std::once_flag> ended;  ///< its stop was called
    };

private:
    using Block = std::vector<Entry>;  // never empty
    using Blocks = std::vector<std::shared_ptr<const Block>>;
    static constexpr size_t kBlock = 32;

public:
    class Iterator {
    public:
        explicit Iterator(Blocks::const_iterator block) : block_(block) {}
        const Entry& operator*() const { return (**block_)[at_]; }
        Iterator& operator++() {
            if (++at_ == (*block_)->size()) {
                ++block_;
                at_ = 0;
            }
            return *this;
        }
        bool operator!=(const Iterator& other) const { return block_ != other.block_ || at_ != other.at_; }

    private:
        Blocks::const_iterator block_;
        size_t at_ = 0;
    };
    Iterator begin() const { return Iterator(blocks_.begin()); }
    Iterator end() const { return Iterator(blocks_.end()); }

    bool empty() const { return blocks_.empty(); }
    size_t size() const {
        size_t size = 0;
        for (const auto& block : blocks_) size += block->size();
        return size;
    }

    /// The events that any of them wants.
    EventMask events() const {
        EventMask events = 0;
        for (const Entry& entry : *this) events |= entry.events;
        return events;
    }

    /// With one more, whose handle is greater than those before.
    HookList with(Entry entry) const {
        HookList made = *this;
        auto block = std::make_shared<Block>();
        if (!made.blocks_.empty() && made.blocks_.back()->size() < kBlock) {
            *block = *made.blocks_.back();
            made.blocks_.pop_back();
        }
        block->push_back(std::move(entry));
        made.blocks_.push_back(std::move(block));
        return made;
    }

    /// Without the one of this handle, which is put into `removed`; an equal list when there is none.
    HookList without(uint64_t handle, Entry& removed) const {
        HookList made = *this;
        const auto block = std::ranges::lower_bound(made.blocks_, handle, {},
                                                    [](const auto& each) { return each->back().handle; });
        if (block == made.blocks_.end()) return made;
        auto copy = std::make_shared<Block>();
        for (const Entry& entry : **block)
            if (entry.handle == handle)
                removed = entry;
            else
                copy->push_back(entry);
        if (copy->empty())
            made.blocks_.erase(block);
        else
            *block = std::move(copy);
        return made;
    }

private:
    Blocks blocks_;
};

}  // namespace comqtt::hooks
