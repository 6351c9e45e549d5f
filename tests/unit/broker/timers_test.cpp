#include "broker/timers.hpp"

#include <doctest/doctest.h>

using namespace comqtt::broker;

TEST_CASE("what is due comes earliest first, with what it was given") {
    Timers timers;
    CHECK(timers.next_ms() == INT64_MAX);
    CHECK_FALSE(timers.due(INT64_MAX - 1));
    timers.at(Timers::Kind::session, 7, 30);
    timers.at(Timers::Kind::connection, 8, 10);
    timers.at(Timers::Kind::load, 9, 20);
    CHECK(timers.next_ms() == 10);
    CHECK_FALSE(timers.due(9));
    CHECK(timers.due(10));
    const Timers::Due first = timers.pop();
    CHECK(first.kind == Timers::Kind::connection);
    CHECK(first.ref == 8);
    CHECK(first.at_ms == 10);
    CHECK(timers.pop().ref == 9);
    const Timers::Due last = timers.pop();
    CHECK(last.kind == Timers::Kind::session);
    CHECK(last.at_ms == 30);
    CHECK(timers.next_ms() == INT64_MAX);
}

TEST_CASE(
    "another time for the same thing leaves the earlier one, by which its owner tells that it was moved") {
    Timers timers;
    timers.at(Timers::Kind::connection, 8, 10);
    timers.at(Timers::Kind::connection, 8, 50);
    CHECK(timers.pop().at_ms == 10);
    CHECK(timers.pop().at_ms == 50);
}
