#include "hooks/hook_list.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace comqtt;
using namespace comqtt::hooks;

namespace {

HookList numbered_to(uint64_t last) {
    HookList list;
    for (uint64_t handle = 1; handle <= last; ++handle)
        list = list.with({handle, nullptr, EventMask{1} << handle % 8, nullptr});
    return list;
}

std::vector<uint64_t> handles(const HookList& list) {
    std::vector<uint64_t> found;
    for (const HookList::Entry& entry : list) found.push_back(entry.handle);
    return found;
}

HookList without(const HookList& list, uint64_t handle, bool expected = true) {
    HookList::Entry removed;
    HookList rest = list.without(handle, removed);
    CHECK((removed.handle == handle) == expected);
    return rest;
}

}  // namespace

TEST_CASE("hooks stay in the order added, however many there are") {
    for (const uint64_t size : {0, 1, 31, 32, 33, 64, 65, 1000}) {
        std::vector<uint64_t> expected;
        for (uint64_t handle = 1; handle <= size; ++handle) expected.push_back(handle);
        CHECK(handles(numbered_to(size)) == expected);
    }
}

TEST_CASE("each hook can be taken out, in any order, and new ones come last") {
    HookList list = numbered_to(100);
    std::vector<uint64_t> expected = handles(list);
    uint64_t next = 101;
    for (uint64_t step = 0; step < 100; ++step) {
        const uint64_t handle = expected[step * 37 % expected.size()];
        list = without(list, handle);
        std::erase(expected, handle);
        if (step % 3 == 0) {
            list = list.with({next, nullptr, 1, nullptr});
            expected.push_back(next++);
        }
        REQUIRE(handles(list) == expected);
    }
    while (!expected.empty()) {
        list = without(list, expected.front());
        expected.erase(expected.begin());
        REQUIRE(handles(list) == expected);
    }
    CHECK(list.empty());
}

TEST_CASE("a handle that is not there takes nothing out") {
    const HookList list = without(numbered_to(70), 40);
    for (const uint64_t handle : {40, 71, 1000})
        CHECK(handles(without(list, handle, false)) == handles(list));
    CHECK(handles(without(HookList(), 1, false)).empty());
}

TEST_CASE("whoever goes through a list sees no change of it") {
    const HookList before = numbered_to(40);
    const HookList after = without(before, 35).with({41, nullptr, 1, nullptr});
    CHECK(handles(before).size() == 40);
    CHECK(handles(before)[34] == 35);
    CHECK(handles(after)[34] == 36);
    CHECK(handles(after).back() == 41);
}

TEST_CASE("the events are those that the hooks left want") {
    CHECK(HookList().events() == 0);
    CHECK(numbered_to(2).events() == (EventMask{1} << 1 | EventMask{1} << 2));
    CHECK(without(numbered_to(2), 1).events() == EventMask{1} << 2);
    CHECK(without(numbered_to(9), 1).events() == numbered_to(9).events());  // the ninth wants the same
}
