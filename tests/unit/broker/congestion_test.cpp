#include "broker/congestion.hpp"

#include <doctest/doctest.h>

using namespace comqtt::broker;
using State = Congestion::State;

TEST_CASE("a receiver that takes nothing runs out of patience once it has been waited for briefly") {
    const Limits limits;
    Congestion full;
    CHECK(!full.full());
    full.begin(limits, 1000, 5000);
    CHECK(full.state() == State::idle);
    CHECK(!full.out_of_patience(limits, 1000 + limits.patience_ms - 1));
    CHECK(full.out_of_patience(limits, 1000 + limits.patience_ms));
    CHECK(full.check_ms() <= 1000 + limits.patience_ms);
}

TEST_CASE("a receiver is waited for as long as it keeps the pace it has shown") {
    const Limits limits;
    Congestion full;
    full.begin(limits, 0, 5000);
    int64_t now = 0;
    for (int i = 0; i < 10; ++i) {
        now += 300;
        full.note_progress(limits, now);
    }
    CHECK(full.state() == State::earning);
    CHECK(!full.overdue(limits, now + 500));
    CHECK(full.overdue(limits, now + 600));
    full.turn_idle(now + 600);
    CHECK(!full.out_of_patience(limits, now + 600 + limits.patience_ms - 1));
    CHECK(full.out_of_patience(limits, now + 600 + limits.patience_ms));
    // What it has earned outlives the moment.
    full.end();
    full.begin(limits, now + 1000, 0);
    CHECK(full.state() == State::earning);
}

TEST_CASE("what a receiver has earned does not exceed what it has shown, nor the stuck timeout") {
    Limits limits;
    limits.stuck_timeout_ms = 1000;
    Congestion brief, rare;
    brief.begin(limits, 0, 0);
    brief.note_progress(limits, 40);
    CHECK(brief.overdue(limits, 40 + 40));
    rare.begin(limits, 0, 0);
    for (int64_t now = 900; now <= 9000; now += 900) rare.note_progress(limits, now);
    CHECK(!rare.overdue(limits, 9000 + 999));
    CHECK(rare.overdue(limits, 9000 + 1000));
    // Slower than the timeout: it begins anew.
    rare.note_progress(limits, 20'000);
    CHECK(rare.overdue(limits, 20'050));
}

TEST_CASE("progress shows in what the transport holds before it accepts more") {
    const Limits limits;
    Congestion full;
    full.begin(limits, 0, 5000);
    CHECK(!full.look(5000));
    CHECK(full.look(4000));
    CHECK(!full.look(4000));
    full.note_taken(1000, 10);
    CHECK(!full.look(5000));
    CHECK(full.look(4999));
}

TEST_CASE("a receiver that was given up is looked at ever more rarely until it makes progress") {
    const Limits limits;
    Congestion full;
    full.begin(limits, 0, 5000);
    full.give_up();
    int64_t now = 0, before = 0;
    unsigned looks = 0;
    for (; now < 30'000; ++looks) {
        full.plan_check(limits, now, 0);
        before = now;
        now = full.check_ms();
    }
    CHECK(now - before == 1000);
    CHECK(looks < 50);
    CHECK(full.note_progress(limits, now) == State::given_up);
    CHECK(full.check_ms() < now + 50);
    CHECK(full.state() == State::earning);
}

TEST_CASE("a receiver whose name is known is given a moment only") {
    const Limits limits;
    Congestion full;
    full.begin(limits, 0, 5000, true);
    CHECK(full.state() == State::idle);
    CHECK(!full.out_of_patience(limits, limits.patience_ms / 4 - 1));
    CHECK(full.out_of_patience(limits, limits.patience_ms / 4));
}
