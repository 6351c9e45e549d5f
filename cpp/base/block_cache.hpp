#pragma once
// BlockCache: recently freed small blocks of one thread, by size. A message lives for microseconds; taking its memory
// from here and putting it back costs a few instructions, whichever thread frees it. Bounded in bytes.

#include <array>
#include <cstddef>
#include <new>

namespace comqtt {

class BlockCache {
public:
    /// `size` > 0; the same for free().
    static void* allocate(size_t size) {
        const size_t kind = kind_of(size);
        if (kind >= kKinds) return ::operator new(size);
        return local().take(kind);
    }
    static void free(void* block, size_t size) {
        const size_t kind = kind_of(size);
        if (kind >= kKinds) {
            ::operator delete(block);
        } else {
            local().put(kind, block);
        }
    }

    BlockCache() = default;
    BlockCache(const BlockCache&) = delete;
    BlockCache& operator=(const BlockCache&) = delete;
    ~BlockCache() {
        for (List& list : lists_)
            while (list.first) ::operator delete(list.pop());
    }

private:
    static constexpr size_t kStep = 64;  ///< bytes between kinds
    static constexpr size_t kKinds = 9;  ///< up to 512 bytes
#if defined(__SANITIZE_ADDRESS__)
    static constexpr size_t kKeep = 0;  ///< a freed block must stay freed to be watched
#else
    static constexpr size_t kKeep = 4u << 20;  ///< bytes
#endif
    struct Block {
        Block* next;
    };
    struct List {
        Block* first = nullptr;
        void* pop() {
            Block* block = first;
            first = block->next;
            return block;
        }
    };

    static size_t kind_of(size_t size) { return (size + kStep - 1) / kStep; }
    static BlockCache& local() {
        static thread_local BlockCache cache;
        return cache;
    }
    void* take(size_t kind) {
        List& list = lists_[kind];
        if (!list.first) return ::operator new(kind* kStep);
        kept_ -= kind * kStep;
        return list.pop();
    }
    void put(size_t kind, void* block) {
        if (kept_ + kind * kStep > kKeep) {
            ::operator delete(block);
            return;
        }
        kept_ += kind * kStep;
        List& list = lists_[kind];
        list.first = new (block) Block{list.first};
    }

    std::array<List, kKinds> lists_;
    size_t kept_ = 0;  ///< bytes
};

}  // namespace comqtt
