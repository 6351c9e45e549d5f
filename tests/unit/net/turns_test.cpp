#include "net/turns.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <thread>

using namespace comqtt::net;

namespace {
void run(Turns& turns, size_t most) {
    for (const Turns::Work& work : turns.take(most)) work();
}
}  // namespace

TEST_CASE("a round takes its share, the oldest first, and leaves the rest for later rounds") {
    Turns turns;
    std::string done;
    for (char name = 'a'; name <= 'g'; ++name) turns.add([&done, name] { done += name; });
    run(turns, 3);
    CHECK(done == "abc");
    CHECK_FALSE(turns.empty());
    run(turns, 3);
    CHECK(done == "abcdef");
    run(turns, 3);
    CHECK(done == "abcdefg");
    CHECK(turns.empty());
    CHECK(turns.take(3).empty());
}

TEST_CASE("what work puts in is for the next round") {
    Turns turns;
    int done = 0;
    turns.add([&] {
        ++done;
        turns.add([&] { done += 10; });
    });
    run(turns, 8);
    CHECK(done == 1);
    CHECK_FALSE(turns.empty());
    run(turns, 8);
    CHECK(done == 11);
}

TEST_CASE("work is added from several threads while it is taken") {
    constexpr int kEach = 10000;
    Turns turns;
    int done = 0;
    std::thread adders[2];
    for (auto& adder : adders)
        adder = std::thread([&] {
            for (int i = 0; i < kEach; ++i) turns.add([&done] { ++done; });
        });
    while (done < 2 * kEach) run(turns, 64);
    for (auto& adder : adders) adder.join();
    CHECK(done == 2 * kEach);
    CHECK(turns.empty());
}

TEST_CASE("what waits when the loop ends is let go of, and so is what comes later") {
    Turns turns;
    const auto held = std::make_shared<int>(0);
    turns.add([held] { ++*held; });
    turns.close();
    CHECK(turns.empty());
    CHECK(held.use_count() == 1);
    turns.add([held] { ++*held; });
    CHECK(held.use_count() == 1);
    run(turns, 8);
    CHECK(*held == 0);
}
