#include "base/block_cache.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <thread>
#include <vector>

using namespace comqtt;

namespace {

/// On a thread of its own, whose cache is empty.
void on_new_thread(const std::function<void()>& fn) { std::thread(fn).join(); }

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kKeepsBlocks = false;
#else
constexpr bool kKeepsBlocks = true;
#endif

}  // namespace

TEST_CASE("blocks of every size are wholly their owners', fresh or used before") {
    on_new_thread([] {
        for (int round = 0; round < 3; ++round) {
            std::vector<std::pair<unsigned char*, size_t>> blocks;
            for (size_t size = 1; size <= 1200; size += 7) {
                auto* block = static_cast<unsigned char*>(BlockCache::allocate(size));
                std::memset(block, static_cast<int>(size & 0xFF), size);
                blocks.emplace_back(block, size);
            }
            for (const auto& [block, size] : blocks) {
                for (size_t i = 0; i < size; ++i) REQUIRE(block[i] == (size & 0xFF));
                BlockCache::free(block, size);
            }
        }
    });
}

TEST_CASE("a small block that was freed is the next one of its kind" * doctest::skip(!kKeepsBlocks)) {
    on_new_thread([] {
        void* small = BlockCache::allocate(65);
        void* other = BlockCache::allocate(200);
        BlockCache::free(small, 65);
        BlockCache::free(other, 200);
        CHECK(BlockCache::allocate(128) == small);
        CHECK(BlockCache::allocate(193) == other);
        BlockCache::free(small, 128);
        BlockCache::free(other, 193);
    });
}

TEST_CASE("blocks are kept by the thread that frees them" * doctest::skip(!kKeepsBlocks)) {
    on_new_thread([] {
        void* block = BlockCache::allocate(100);
        on_new_thread([&] {
            BlockCache::free(block, 100);
            CHECK(BlockCache::allocate(100) == block);
        });
        BlockCache::free(block, 100);
    });
}

TEST_CASE("no more than a few megabytes are kept" * doctest::skip(!kKeepsBlocks)) {
    on_new_thread([] {
        constexpr size_t kSize = 512;
        constexpr size_t kCount = (8u << 20) / kSize;
        std::vector<void*> blocks(kCount);
        for (void*& block : blocks) block = BlockCache::allocate(kSize);
        for (void* block : blocks) BlockCache::free(block, kSize);
        // The last one freed comes first, unless it was not kept.
        void* next = BlockCache::allocate(kSize);
        CHECK(next != blocks.back());
        BlockCache::free(next, kSize);
    });
}
