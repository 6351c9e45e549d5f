#include <doctest/doctest.h>

#include "sim/stage.hpp"

using namespace comqtt::sim;
using comqtt::mqtt::Reason;

TEST_CASE("a takeover sends DISCONNECT 0x8E to the old connection and keeps the session") {
    for (unsigned count = 1; count <= 3; ++count) {
        Stage stage(shards(count));
        Client& old = stage.connected("c", 0, {}, {.clean = true, .expiry_s = 100});
        stage.subscribe(old, "t", {.qos = 1});
        old.expects_end = true;
        // The same id from another place: a second model of the same client, without a session of its own.
        Client& taker = stage.client("c", 0);
        taker.connect({.clean = true, .expiry_s = 100});
        stage.rest();
        CHECK(old.ended_with == Reason::session_taken_over);
        CHECK(old.state() == Client::State::offline);
        CHECK(taker.up());
        CHECK(stage.sim.core->sessions == 1);
        CHECK(stage.sim.core->connections == 1);
    }
}

TEST_CASE("a takeover while the old connection's output is blocked goes through at once and loses nothing") {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        Stage stage(shards(2, seed));
        Client& slow = stage.connected("slow", 0, {.wire_capacity = 100}, {.clean = true, .expiry_s = 100});
        Client& publisher = stage.connected("publisher", 1);
        stage.subscribe(slow, "t", {.qos = 1});
        slow.deaf = true;
        for (int i = 0; i < 100; ++i) publisher.publish("t", {.qos = 1, .size = 200});
        stage.rest();
        Wire& old = *slow.wire();
        CHECK(old.readable() > 0);
        slow.walk_away();
        slow.deaf = false;
        slow.connect({.clean = false, .expiry_s = 100});
        stage.rest();
        CHECK(slow.up());
        stage.check();
        // The old connection could not take its last packet: it ends with the close timeout.
        CHECK(!old.gone());
        stage.pass(2'100);
        CHECK(old.gone());
        CHECK(stage.sim.core->connections == 2);
    }
}

TEST_CASE("a CONNECT in the round in which its session expires finds no session") {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        Stage stage(shards(2, seed));
        Client& client = stage.connected("c", 1, {}, {.clean = true, .expiry_s = 5});
        stage.subscribe(client, "t", {.qos = 1});
        client.disconnect();
        stage.rest();
        stage.sim.advance(5'000);
        client.connect({.clean = false, .expiry_s = 5});  // the model expects a new session
        stage.rest();
        CHECK(client.up());
        CHECK(stage.sim.sum(&comqtt::Metrics::subscriptions) == 0);
    }
}

TEST_CASE("a will goes out when its delay ends, before a session of the same round is resumed") {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        Stage stage(shards(2, seed));
        Client& watcher = stage.connected("watcher", 0, {.watches_wills = true});
        stage.subscribe(watcher, "w/#", {.qos = 2});
        Client& client = stage.connected(
            "c", 1, {}, {.clean = true, .expiry_s = 50, .will = true, .will_qos = 2, .will_delay_s = 5});
        client.cut();
        stage.rest();
        stage.pass(4'900);
        CHECK(watcher.inbox.empty());
        stage.sim.advance(100);
        client.connect({.clean = false, .expiry_s = 50});
        stage.rest();
        CHECK(watcher.inbox.size() == 1);
    }
}

TEST_CASE("a will whose session is resumed before its delay ends does not go out") {
    Stage stage(shards(2));
    Client& watcher = stage.connected("watcher", 0, {.watches_wills = true});
    stage.subscribe(watcher, "w/#", {.qos = 2});
    Client& client =
        stage.connected("c", 1, {}, {.clean = true, .expiry_s = 50, .will = true, .will_delay_s = 5});
    client.hang_up();
    stage.pass(4'900);
    client.connect({.clean = false, .expiry_s = 50});
    stage.pass(10'000);
    CHECK(watcher.inbox.empty());
    stage.check();
}
