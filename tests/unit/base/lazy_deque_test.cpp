#include "base/lazy_deque.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using comqtt::LazyDeque;

TEST_CASE("an empty lazy deque can be looked through, and holds nothing") {
    LazyDeque<std::string> items;
    static_assert(sizeof(items) == sizeof(void*));
    CHECK(items.empty());
    CHECK(items.size() == 0);
    CHECK(items.begin() == items.end());
    CHECK(std::lower_bound(items.begin(), items.end(), "a") == items.end());
    items.erase_if([](const std::string&) { return true; });
    items.clear();
    CHECK(items.empty());
}

TEST_CASE("a lazy deque keeps its items in order, and begins anew when it was cleared") {
    LazyDeque<std::string> items;
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 1000; ++i) items.push_back(std::to_string(i));
        CHECK(items.size() == 1000);
        CHECK(items.front() == "0");
        CHECK(items.back() == "999");
        items.pop_front();
        items.pop_back();
        items.erase_if([](const std::string& item) { return item.size() < 3; });
        CHECK(items.front() == "100");
        CHECK(items.size() == 899);
        CHECK(std::is_sorted(items.begin(), items.end()));
        items.clear();
        CHECK(items.empty());
        CHECK(items.begin() == items.end());
    }
}

TEST_CASE("what is moved away leaves an empty lazy deque") {
    LazyDeque<int> items;
    items.push_back(7);
    LazyDeque<int> taken = std::move(items);
    CHECK(taken.front() == 7);
    CHECK(items.empty());  // NOLINT(bugprone-use-after-move): that is what is asked
}
