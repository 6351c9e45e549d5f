#include "base/small_list.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace comqtt;

namespace {

/// Counts how many of its kind are alive.
struct Item {
    static inline int alive = 0;
    Item() { ++alive; }
    Item(Item&& other) noexcept : text(std::move(other.text)) { ++alive; }
    ~Item() { --alive; }
    std::unique_ptr<std::string> text;
};

void fill(SmallList<Item>& list, int count) {
    for (int i = 0; i < count; ++i)
        list.emplace_back().text = std::make_unique<std::string>("item " + std::to_string(i));
}

}  // namespace

TEST_CASE("the first element lives inside the list") {
    SmallList<int> list;
    CHECK(list.empty());
    int& first = list.emplace_back();
    const auto* inside = reinterpret_cast<const unsigned char*>(&list);
    const auto* at = reinterpret_cast<const unsigned char*>(&first);
    CHECK(at >= inside);
    CHECK(at < inside + sizeof list);
    CHECK(list.size() == 1);
}

TEST_CASE("elements keep their order and value while the list grows") {
    SmallList<Item> list;
    fill(list, 100);
    REQUIRE(list.size() == 100);
    int i = 0;
    for (const Item& item : list) REQUIRE(*item.text == "item " + std::to_string(i++));
    CHECK(i == 100);
    CHECK(*list.back().text == "item 99");
}

TEST_CASE("a new element has its default value") {
    SmallList<int> list;
    for (int i = 0; i < 20; ++i) list.emplace_back() = -1;
    list.clear();
    for (int i = 0; i < 20; ++i) CHECK(list.emplace_back() == 0);
}

TEST_CASE("every element is destroyed once, by clear or with the list") {
    for (const int count : {0, 1, 2, 3, 17}) {
        CAPTURE(count);
        REQUIRE(Item::alive == 0);
        {
            SmallList<Item> list;
            fill(list, count);
            CHECK(Item::alive == count);
            list.clear();
            CHECK(Item::alive == 0);
            CHECK(list.empty());
            CHECK(list.begin() == list.end());
            fill(list, count);
            CHECK(list.size() == static_cast<size_t>(count));
        }
        CHECK(Item::alive == 0);
    }
}
