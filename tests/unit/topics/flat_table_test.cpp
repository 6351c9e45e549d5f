#include "topics/flat_table.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <vector>

using comqtt::topics::FlatTable;

TEST_SUITE("topics/flat table") {
    TEST_CASE("items with colliding hashes are found, replaced and erased one by one") {
        std::mt19937 random(9);
        FlatTable<int> table;
        std::vector<std::unique_ptr<int>> items;
        std::vector<bool> inside;
        for (int i = 0; i < 400; ++i) items.push_back(std::make_unique<int>(i));
        inside.resize(items.size());
        auto hash = [](int i) { return static_cast<uint64_t>(i % 37) * 5; };
        size_t count = 0;
        for (int step = 0; step < 40000; ++step) {
            size_t i = random() % items.size();
            // Fills, empties, fills again.
            bool add = random() % 10 < (step / 10000 % 2 ? 2u : 8u);
            if (add && !inside[i]) {
                table.insert(hash(*items[i]), items[i].get());
                inside[i] = true;
                ++count;
            } else if (!add && inside[i]) {
                table.erase(hash(*items[i]), items[i].get());
                inside[i] = false;
                --count;
            } else if (inside[i]) {
                auto moved = std::make_unique<int>(*items[i]);
                table.replace(hash(*moved), items[i].get(), moved.get());
                items[i] = std::move(moved);
            }
            REQUIRE(table.size() == count);
            size_t probe = random() % items.size();
            int value = static_cast<int>(probe);
            int* found = table.find(hash(value), [&](int other) { return other == value; });
            REQUIRE(found == (inside[probe] ? items[probe].get() : nullptr));
        }
        size_t visited = 0;
        table.each([&](int&) { ++visited; });
        CHECK(visited == count);
    }
}
