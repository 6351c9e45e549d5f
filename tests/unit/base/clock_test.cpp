#include "base/clock.hpp"

#include <doctest/doctest.h>

using namespace comqtt;

TEST_CASE("the manual clock starts at a fixed time and stands still until it is set") {
    ManualClock clock;
    CHECK(clock.monotonic_ms() == 0);
    CHECK(clock.wall_ms() == ManualClock::kStartWallMs);
    CHECK(clock.monotonic_ms() == 0);
}

TEST_CASE("setting the manual clock moves wall time and monotonic time together") {
    ManualClock manual;
    const Clock& clock = manual;
    manual.set(1500);
    CHECK(clock.monotonic_ms() == 1500);
    CHECK(clock.wall_ms() == ManualClock::kStartWallMs + 1500);
    manual.set(86'400'000);
    CHECK(clock.monotonic_ms() == 86'400'000);
    CHECK(clock.wall_ms() == ManualClock::kStartWallMs + 86'400'000);
}

TEST_CASE("the system clock tells unix time in milliseconds and never goes back") {
    const SystemClock clock;
    CHECK(clock.wall_ms() > 1'600'000'000'000);   // 2020
    CHECK(clock.wall_ms() < 32'503'680'000'000);  // 3000
    int64_t last = clock.monotonic_ms();
    for (int i = 0; i < 1000; ++i) {
        const int64_t now = clock.monotonic_ms();
        REQUIRE(now >= last);
        last = now;
    }
}
