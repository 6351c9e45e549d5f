#include <doctest/doctest.h>

#include <random>
#include <set>

#include "topics/position_set.hpp"

using comqtt::topics::PositionSet;

TEST_SUITE("topics/position_set") {
    TEST_CASE("the next position is found as in a sorted set") {
        for (const size_t capacity : {1, 63, 64, 65, 4096, 4097, 300'000}) {
            PositionSet positions(capacity);
            std::set<size_t> model;
            std::mt19937_64 random(capacity);
            for (int i = 0; i < 2000; ++i) {
                const size_t at = random() % capacity;
                if (random() % 3) {
                    positions.insert(at);
                    model.insert(at);
                } else {
                    positions.erase(at);
                    model.erase(at);
                }
                const size_t from = random() % (capacity + 2);
                const auto found = model.lower_bound(from);
                CHECK(positions.next(from) == (found == model.end() ? PositionSet::kNone : *found));
            }
        }
    }
}
