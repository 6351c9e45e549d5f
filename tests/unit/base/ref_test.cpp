#include "base/ref.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

using namespace comqtt;

namespace {

struct Thing : RefCounted<Thing> {
    explicit Thing(int& count) : alive(count) { ++alive; }
    ~Thing() { --alive; }
    int& alive;
};

}  // namespace

TEST_CASE("an object lives as long as something refers to it") {
    int alive = 0;
    Ref<Thing> first = Ref<Thing>::adopt(new Thing(alive));
    Ref<Thing> second = first;
    CHECK(second.get() == first.get());
    first = {};
    CHECK_FALSE(first);
    CHECK(alive == 1);
    second = {};
    CHECK(alive == 0);
}

TEST_CASE("adopting takes over a count and sharing adds one") {
    int alive = 0;
    auto* thing = new Thing(alive);
    {
        const Ref<Thing> shared = Ref<Thing>::share(thing);
        CHECK(&*shared == thing);
    }
    CHECK(alive == 1);
    { const Ref<Thing> adopted = Ref<Thing>::adopt(thing); }
    CHECK(alive == 0);
    CHECK_FALSE(Ref<Thing>::share(nullptr));
}

TEST_CASE("moving leaves nothing behind and counts nothing") {
    int alive = 0;
    Ref<Thing> first = Ref<Thing>::adopt(new Thing(alive));
    Ref<Thing> second = std::move(first);
    CHECK(first.get() == nullptr);
    CHECK(alive == 1);
    Ref<Thing> third;
    third = std::move(second);
    CHECK(second.get() == nullptr);
    CHECK(alive == 1);
    third = {};
    CHECK(alive == 0);
}

TEST_CASE("assigning lets go of the object before and may assign to itself") {
    int first_alive = 0, second_alive = 0;
    Ref<Thing> ref = Ref<Thing>::adopt(new Thing(first_alive));
    ref = Ref<Thing>::adopt(new Thing(second_alive));
    CHECK(first_alive == 0);
    CHECK(second_alive == 1);
    const Ref<Thing>& same = ref;
    ref = same;
    CHECK(second_alive == 1);
    CHECK(ref->alive == 1);
}

TEST_CASE("a detached count is the caller's") {
    int alive = 0;
    Ref<Thing> ref = Ref<Thing>::adopt(new Thing(alive));
    Thing* thing = ref.detach();
    CHECK_FALSE(ref);
    ref = {};
    CHECK(alive == 1);
    release(thing);
    CHECK(alive == 0);
}

TEST_CASE("threads may share and let go at the same time") {
    int alive = 0;
    {
        const Ref<Thing> ref = Ref<Thing>::adopt(new Thing(alive));
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([ref] {
                for (int i = 0; i < 20'000; ++i) {
                    const Ref<Thing> copy = ref;
                    const Ref<Thing> another = copy;
                }
            });
        for (std::thread& thread : threads) thread.join();
        CHECK(alive == 1);
    }
    CHECK(alive == 0);
}
