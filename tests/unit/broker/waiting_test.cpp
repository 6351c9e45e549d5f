#include "broker/waiting.hpp"

#include <doctest/doctest.h>

using namespace comqtt::broker;

namespace {

Limits limits() {
    Limits all;
    all.patience_ms = 50;
    all.idle_wait_percent = 2;
    return all;
}

}  // namespace

TEST_CASE("waiting for receivers that take nothing costs a publisher two per cent of its time at most") {
    const Limits all = limits();
    Waiting waiting(all, 0);
    int64_t now = 0, lost = 0;
    for (uint64_t receiver = 1; now < 100'000; ++receiver) {
        if (waiting.add(all, receiver, true, now)) {
            waiting.set_held(all, true, now);
            const int64_t until = std::min(now + 50, waiting.idle_until_ms());
            lost += until - now;
            now = until;
            waiting.remove(all, receiver, now);
            waiting.set_held(all, false, now);
        } else {
            now += 10;
        }
    }
    CHECK(lost >= 1'900);
    CHECK(lost <= 2'150);  // and what may be lost at once
}

TEST_CASE("waiting for receivers that make progress costs nothing of that time") {
    const Limits all = limits();
    Waiting waiting(all, 0);
    CHECK(waiting.add(all, 1, false, 0));
    waiting.set_held(all, true, 0);
    CHECK(waiting.idle_until_ms() == INT64_MAX);
    // It stops: from here on the time counts.
    CHECK(waiting.add(all, 1, true, 60'000));
    CHECK(waiting.idle_until_ms() == 60'101);
    waiting.leave_idle(all, 60'101);
    CHECK(waiting.empty());
    waiting.set_held(all, false, 60'101);
    CHECK(!waiting.add(all, 2, true, 60'101));
    CHECK(waiting.add(all, 2, false, 60'101));
    CHECK(!waiting.remove(all, 3, 60'200));
    CHECK(waiting.remove(all, 2, 60'200));
    CHECK(!waiting.remove(all, 2, 60'200));
}

TEST_CASE("a receiver that turns idle when no time is left is not waited for") {
    Limits all = limits();
    all.idle_wait_percent = 0;
    Waiting waiting(all, 0);
    CHECK(waiting.add(all, 1, false, 0));
    CHECK(waiting.add(all, 2, false, 0));
    CHECK(!waiting.add(all, 1, true, 10));
    CHECK(!waiting.waits_for(1));
    CHECK(waiting.waits_for(2));
}

TEST_CASE("pulses share what a full receiver has room for, and read a little in any case") {
    const Limits all = limits();
    Waiting waiting(all, 0);
    waiting.add(all, 1, false, 0);
    waiting.offer(100'000);
    waiting.offer(200'000);
    uint64_t sum = 0;
    for (int i = 0; i < 10; ++i) {
        waiting.begin_pulse();
        sum += waiting.pulse_left();
        CHECK(waiting.in_pulse());
        CHECK(!waiting.note_read(1));
        CHECK(waiting.note_read(1'000'000));
        CHECK(!waiting.in_pulse());
    }
    CHECK(sum >= 90'000);
    CHECK(sum <= 100'000 + 10 * Waiting::kLeastPulse);
}
