#include "base/wall_history.hpp"

#include <doctest/doctest.h>

using comqtt::WallHistory;

namespace {
constexpr int64_t kHour = 3'600'000;
constexpr int64_t kStart = 1'700'000'000'000;
}  // namespace

TEST_CASE("a time of the wall clock that nobody put forward or back is as long ago as it says") {
    WallHistory history;
    history.note(5000, kStart);
    history.note(15'000, kStart + 10'000);
    CHECK(history.monotonic_of(kStart + 4000) == 9000);
    CHECK(history.monotonic_of(kStart - kHour) == 5000 - kHour);
    CHECK(history.monotonic_of(kStart + 10'500) == 15'000);
    CHECK(history.monotonic_of(kStart + 40'000) == 15'000);  // read by another thread
}

TEST_CASE("what came before the wall clock was put forward is no older for it") {
    WallHistory history;
    history.note(0, kStart);
    history.note(10'000, kStart + 10'000);
    history.note(20'000, kStart + 20'000 + kHour);
    history.note(30'000, kStart + 30'000 + kHour);
    CHECK(history.monotonic_of(kStart + 4000) == 4000);
    CHECK(history.monotonic_of(kStart + 25'000 + kHour) == 25'000);
    CHECK(history.monotonic_of(kStart - 1000) == -1000);
}

TEST_CASE("what came before the wall clock was put back keeps its age") {
    WallHistory history;
    history.note(0, kStart);
    history.note(10'000, kStart + 10'000);
    history.note(20'000, kStart + 20'000 - kHour);
    history.note(30'000, kStart + 30'000 - kHour);
    CHECK(history.monotonic_of(kStart + 4000) == 4000);
    CHECK(history.monotonic_of(kStart + 25'000 - kHour) == 25'000);
}

TEST_CASE("a time that the wall clock showed twice is the later one") {
    WallHistory history;
    history.note(0, kStart);
    history.note(10'000, kStart + 10'000);
    history.note(10'001, kStart);
    history.note(20'000, kStart + 9999);
    CHECK(history.monotonic_of(kStart + 5000) == 15'001);
}

TEST_CASE("a time still to come, or never shown, is when the process began") {
    WallHistory history;
    history.note(1000, kStart);
    history.note(10'000, kStart + 9000);
    CHECK(history.monotonic_of(kStart + 24 * kHour) == 1000);
}

TEST_CASE(
    "a clock that is put forward again and again takes no more memory and no message is taken for older") {
    WallHistory history;
    for (int64_t i = 0; i < 10'000; ++i) history.note(i * 1000, kStart + i * 10'000);
    CHECK(history.monotonic_of(kStart + 9999 * 10'000) == 9'999'000);
    CHECK(history.monotonic_of(kStart + 9990 * 10'000) == 9'990'000);
    CHECK(history.stretches() <= 64);
}
