#include "broker/clients.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace comqtt::broker;

namespace {
constexpr unsigned kShard = 3;
}

TEST_CASE("connections and sessions are found by the number they were given") {
    Clients clients(kShard);
    Connection& c = clients.add(std::make_unique<Connection>());
    Session& s = clients.add(std::make_unique<Session>());
    CHECK(clients.connection(c.handle) == &c);
    CHECK(clients.session(s.id.value) == &s);
    CHECK(s.id.shard() == kShard);
    CHECK(c.handle != 0);
    CHECK(clients.connection_count() == 1);
    CHECK_FALSE(clients.connection(c.handle + 1));
    CHECK_FALSE(clients.session(0));
}

TEST_CASE("what is buried is found no more, and can be looked at until the end of the round") {
    Clients clients(kShard);
    Connection& c = clients.add(std::make_unique<Connection>());
    Session& s = clients.add(std::make_unique<Session>());
    const uint64_t connection = c.handle, session = s.id.value;
    clients.bury(c);
    clients.bury(clients.take_out(s));
    CHECK_FALSE(clients.connection(connection));
    CHECK_FALSE(clients.session(session));
    CHECK(clients.connection_count() == 0);
    CHECK(c.handle == connection);  // with ASan: the memory is still there
    CHECK(s.id.value == session);
    clients.free_buried();
}

TEST_CASE("a number that is used again does not find the one that had it before") {
    Clients clients(kShard);
    Connection& old = clients.add(std::make_unique<Connection>());
    const uint64_t before = old.handle;
    clients.bury(old);
    Connection& c = clients.add(std::make_unique<Connection>());
    CHECK(c.handle != before);
    CHECK_FALSE(clients.connection(before));
    CHECK(clients.connection(c.handle) == &c);
}

TEST_CASE("connections may be buried while they are gone through") {
    Clients clients(kShard);
    for (int i = 0; i < 5; ++i) clients.add(std::make_unique<Connection>());
    size_t seen = 0;
    clients.each_connection([&](Connection& c) {
        ++seen;
        clients.bury(c);
    });
    CHECK(seen == 5);
    CHECK(clients.connection_count() == 0);
}
