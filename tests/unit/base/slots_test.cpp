#include "base/slots.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace comqtt;

TEST_CASE("a handle finds its object and is never 0") {
    SlotTable<int> slots;
    int a = 1, b = 2;
    CHECK(slots.find(0) == nullptr);
    const uint64_t of_a = slots.add(&a);
    const uint64_t of_b = slots.add(&b);
    CHECK(of_a != 0);
    CHECK(of_b != 0);
    CHECK(slots.find(of_a) == &a);
    CHECK(slots.find(of_b) == &b);
    CHECK(slots.find(0) == nullptr);
    CHECK(slots.find(of_b + 1) == nullptr);
    CHECK(slots.count() == 2);
}

TEST_CASE("a slot is used again and the handle it had before misses") {
    SlotTable<int> slots;
    int a = 1, b = 2;
    const uint64_t old = slots.add(&a);
    slots.remove(old);
    CHECK(slots.find(old) == nullptr);
    CHECK(slots.count() == 0);
    const uint64_t fresh = slots.add(&b);
    CHECK(static_cast<uint32_t>(fresh) == static_cast<uint32_t>(old));
    CHECK(fresh != old);
    CHECK(slots.find(old) == nullptr);
    CHECK(slots.find(fresh) == &b);
}

TEST_CASE("what stands in the top byte of a handle does not matter") {
    SlotTable<int> slots;
    int a = 1;
    const uint64_t handle = slots.add(&a);
    CHECK((handle & SlotTable<int>::kMask) == handle);
    CHECK(slots.find(handle | uint64_t{0x5A} << 56) == &a);
}

TEST_CASE("a generation that has come round does not make a handle 0 or wider than its bits") {
    SlotTable<int> slots;
    int a = 1;
    uint64_t handle = slots.add(&a);
    const uint64_t first = handle;
    uint64_t greatest = 0;
    for (int i = 1; i < 0xFF'FFFF; ++i) {
        slots.remove(handle);
        handle = slots.add(&a);
        greatest = handle > greatest ? handle : greatest;
    }
    CHECK(greatest == uint64_t{0xFF'FFFF} << 32);
    slots.remove(handle);
    CHECK(slots.add(&a) == first);
    CHECK(slots.find(first) == &a);
}

TEST_CASE("each visits every object once and may remove the one it is given") {
    SlotTable<int> slots;
    int values[10];
    uint64_t handles[10];
    for (int i = 0; i < 10; ++i) {
        values[i] = i;
        handles[i] = slots.add(&values[i]);
    }
    slots.remove(handles[3]);
    std::set<int> seen;
    slots.each([&](int& value) {
        CHECK(seen.insert(value).second);
        if (value % 2 == 0) slots.remove(handles[value]);
    });
    CHECK(seen.size() == 9);
    CHECK(slots.count() == 4);
    seen.clear();
    slots.each([&](int& value) { seen.insert(value); });
    CHECK(seen == std::set<int>{1, 5, 7, 9});
}
