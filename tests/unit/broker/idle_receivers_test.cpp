#include "broker/idle_receivers.hpp"

#include <doctest/doctest.h>

using namespace comqtt;
using broker::IdleReceivers;

namespace {

Ref<hooks::Client> client(const char* id, const char* user, const char* remote) {
    auto made = Ref<hooks::Client>::adopt(new hooks::Client);
    made->id = id;
    made->username = user;
    made->remote = remote;
    return made;
}

}  // namespace

TEST_CASE("one that took nothing is known by its client id, its user and its address, for a while") {
    IdleReceivers known(7);
    known.note(*client("a", "anna", "10.0.0.1:5000"), 1000, 60'000, 100);
    CHECK(known.knows(*client("a", "", "10.0.0.2:1"), 2000));
    CHECK(known.knows(*client("b", "anna", "10.0.0.2:1"), 2000));
    CHECK(known.knows(*client("b", "", "10.0.0.1:6000"), 2000));
    CHECK(!known.knows(*client("b", "berta", "10.0.0.2:5000"), 2000));
    CHECK(!known.knows(*client("anna", "a", "10.0.0.2:5000"), 2000));
    CHECK(!known.knows(*client("a", "anna", "10.0.0.1:5000"), 61'000));
}

TEST_CASE("what all share says nothing: no user, a Unix socket, a pipe") {
    IdleReceivers known(7);
    for (const char* remote : {"unix", "unix:/tmp/x", "pipe"})
        known.note(*client("a", "", remote), 0, 1000, 100);
    for (const char* remote : {"unix", "unix:/tmp/x", "pipe"})
        CHECK(!known.knows(*client("b", "", remote), 1));
    CHECK(IdleReceivers::address_of("[::1]:1883") == "[::1]");
}

TEST_CASE("as many names are remembered as may be, the oldest give way, and what is over is forgotten") {
    IdleReceivers known(7);
    for (int i = 0; i < 1000; ++i) known.note(*client(std::to_string(i).c_str(), "", "pipe"), 0, 1000, 100);
    CHECK(known.count() == 100);
    CHECK(known.knows(*client("999", "", ""), 1));
    CHECK(!known.knows(*client("899", "", ""), 1));
    known.note(*client("a", "", "pipe"), 5000, 1000, 100);
    CHECK(known.count() == 1);
    known.note(*client("b", "", "pipe"), 5000, 1000, 0);
    CHECK(known.count() == 0);
}
