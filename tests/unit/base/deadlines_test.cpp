#include "base/deadlines.hpp"

#include <doctest/doctest.h>

#include <set>

#include "support/random.hpp"

using namespace comqtt;

TEST_CASE("no deadline is next when there is none") {
    Deadlines deadlines;
    CHECK(deadlines.empty());
    CHECK(deadlines.next_ms() == INT64_MAX);
    deadlines.add({5, 1, 0});
    CHECK(deadlines.next_ms() == 5);
    deadlines.pop();
    CHECK(deadlines.empty());
    CHECK(deadlines.next_ms() == INT64_MAX);
}

TEST_CASE("the earliest deadline comes first with what it is for") {
    Deadlines deadlines;
    deadlines.add({300, 3, 30});
    deadlines.add({100, 1, 10});
    deadlines.add({200, 2, 20});
    CHECK(deadlines.next_ms() == 100);
    const Deadline first = deadlines.pop();
    CHECK(first.at_ms == 100);
    CHECK(first.ref == 1);
    CHECK(first.kind == 10);
    deadlines.add({50, 4, 40});
    CHECK(deadlines.pop().ref == 4);
    CHECK(deadlines.pop().ref == 2);
    CHECK(deadlines.pop().ref == 3);
}

TEST_CASE("deadlines of the same time all come, each once") {
    Deadlines deadlines;
    for (uint64_t ref = 0; ref < 10; ++ref) deadlines.add({7, ref, 0});
    std::set<uint64_t> seen;
    while (!deadlines.empty()) seen.insert(deadlines.pop().ref);
    CHECK(seen.size() == 10);
}

TEST_CASE("deadlines added and taken in any order come in the order of their times") {
    support::Random random(3);
    Deadlines deadlines;
    std::multiset<int64_t> model;
    for (int i = 0; i < 20'000; ++i) {
        if (model.empty() || random.chance(55)) {
            const auto at = static_cast<int64_t>(random.below(1000)) - 500;
            deadlines.add({at, 0, 0});
            model.insert(at);
        } else {
            REQUIRE(deadlines.next_ms() == *model.begin());
            REQUIRE(deadlines.pop().at_ms == *model.begin());
            model.erase(model.begin());
        }
        REQUIRE(deadlines.size() == model.size());
    }
}
