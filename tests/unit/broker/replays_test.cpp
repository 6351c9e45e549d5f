#include "broker/replays.hpp"

#include <doctest/doctest.h>

#include "broker/retained_counts.hpp"

using namespace comqtt::broker;

namespace {

Replay replay(std::string filter, uint64_t number, uint64_t stores, unsigned store) {
    Replay made;
    made.topic_filter = std::move(filter);
    made.number = number;
    made.stores = stores;
    made.store = store;
    return made;
}

}  // namespace

TEST_SUITE("broker/replays") {
    TEST_CASE("a replay goes from store to store and is gone when the last was read") {
        Replays replays(3);
        Replays::Holder of;
        replays.add(7, of, replay("a/#", replays.take_number(), 0b111, 0));
        REQUIRE(of);
        CHECK(replays.count() == 1);
        CHECK(replays.busy());
        uint64_t session = 0;
        for (const unsigned store : {0u, 1u, 2u}) {
            REQUIRE(replays.next_session(store, session));
            CHECK(session == 7);
            Replays::leave_queue(*of, store);
            CHECK(!replays.busy());
            ReplayAsk ask = Replays::ask_front(7, *of, store);
            CHECK(ask.topic_filter == "a/#");
            CHECK(Replays::front(*of, store) == nullptr);
            REQUIRE(Replays::find(*of, ask));
            ask.answered = true;
            ask.cursor.done = true;
            replays.answered(7, of, ask);
        }
        CHECK(!of);
        CHECK(replays.count() == 0);
        CHECK(!replays.busy());
    }

    TEST_CASE("an answer for a replay that was stopped, or began anew, is for nobody") {
        Replays replays(2);
        Replays::Holder of;
        replays.add(7, of, replay("a", replays.take_number(), 0b10, 1));
        replays.add(7, of, replay("b", replays.take_number(), 0b10, 1));
        ReplayAsk ask = Replays::ask_front(7, *of, 1);
        CHECK(replays.stop(of, "a"));
        CHECK(!replays.stop(of, "a"));
        CHECK(Replays::find(*of, ask) == nullptr);
        replays.add(7, of, replay("a", replays.take_number(), 0b10, 1));
        CHECK(Replays::find(*of, ask) == nullptr);
        ask.answered = true;
        replays.answered(7, of, ask);
        CHECK(replays.count() == 2);
        CHECK(Replays::front(*of, 1)->topic_filter == "b");
    }

    TEST_CASE("what there was no time for is first the next time") {
        Replays replays(2);
        Replays::Holder of;
        for (const char* filter : {"a", "b", "c"})
            replays.add(7, of, replay(filter, replays.take_number(), 0b10, 1));
        ReplayAsk a = Replays::ask_front(7, *of, 1);
        ReplayAsk b = Replays::ask_front(7, *of, 1);
        replays.answered(7, of, b);
        replays.answered(7, of, a);
        CHECK(Replays::front(*of, 1)->topic_filter == "a");
    }

    TEST_CASE("a session stands in a queue once, and not while it is held back") {
        Replays replays(2);
        Replays::Holder of;
        replays.add(7, of, replay("a", replays.take_number(), 0b01, 0));
        replays.add(7, of, replay("b", replays.take_number(), 0b01, 0));
        replays.wake(7, *of);
        CHECK(replays.queued(0) == 1);
        uint64_t session = 0;
        REQUIRE(replays.next_session(0, session));
        Replays::leave_queue(*of, 0);
        CHECK(!replays.busy());  // until it is woken
        replays.wake(7, *of);
        CHECK(replays.queued(0) == 1);
        CHECK(replays.queued(1) == 0);
    }

    TEST_CASE("all replays of a session end at once and their memory goes by and by") {
        Replays replays(2);
        Replays::Holder of;
        Replays::Holder other;
        for (int i = 0; i < 5000; ++i)
            replays.add(7, of, replay("f/" + std::to_string(i), replays.take_number(), 0b01, 0));
        replays.add(8, other, replay("a", replays.take_number(), 0b01, 0));
        replays.stop_all(of);
        CHECK(!of);
        CHECK(replays.count() == 1);
        size_t rounds = 0;
        uint64_t session = 0;
        while (replays.next_session(0, session)) {
        }
        while (replays.busy()) {
            replays.free_some();
            ++rounds;
        }
        CHECK(rounds > 5);
        CHECK(rounds < 20);
    }

    TEST_CASE("a live message overtakes the replays that had begun, not those that begin later") {
        SessionReplays of(1);
        of.note_live(99, 5);
        CHECK(of.overtaken(99, 4));
        CHECK(!of.overtaken(99, 5));
        CHECK(!of.overtaken(98, 4));
    }
}

TEST_SUITE("broker/retained_counts") {
    TEST_CASE("holders of a filter are those that hold something under its first level") {
        RetainedCounts counts(3, 42);
        CHECK(counts.holders("#") == 0);
        counts.add(1, "a/b");
        counts.add(2, "$SYS/x");
        CHECK(counts.holders("#") == 0b010);
        CHECK(counts.holders("+/b") == 0b010);
        CHECK(counts.holders("a/#") == 0b010);
        CHECK(counts.holders("a/+") == 0b010);
        CHECK(counts.holders("$SYS/#") == 0b100);
        CHECK(counts.holders("c/#") == 0);
        CHECK(counts.may_hold("a/b"));
        CHECK(!counts.may_hold("a"));
        counts.remove(1, "a/b");
        counts.remove(2, "$SYS/x");
        CHECK(counts.holders("#") == 0);
        CHECK(counts.holders("$SYS/#") == 0);
        CHECK(!counts.may_hold("a/b"));
    }

    TEST_CASE("a topic counted twice, stored and on its way, is held until both are taken off") {
        RetainedCounts counts(2, 1);
        counts.add(0, "t");
        counts.add(0, "t");
        counts.remove(0, "t");
        CHECK(counts.may_hold("t"));
        CHECK(counts.holders("t/#") == 1);
        counts.remove(0, "t");
        CHECK(!counts.may_hold("t"));
    }
}
