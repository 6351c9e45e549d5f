#include <doctest/doctest.h>

#include "sim/stage.hpp"

using namespace comqtt::sim;

TEST_CASE("a shared message on its way to a member whose session ends goes to another member") {
    for (uint64_t seed = 1; seed <= 40; ++seed) {
        Stage stage(shards(2, seed));
        Client& leaving = stage.connected("leaving", 0);
        Client& staying = stage.connected("staying", seed % 2 ? 0 : 1);
        Client& publisher = stage.connected("publisher", 1);
        stage.subscribe(leaving, "$share/g/s/1", {.qos = 1});
        stage.subscribe(staying, "$share/g/s/1", {.qos = 1});
        leaving.deaf = true;
        for (int i = 0; i < 10; ++i) publisher.publish("s/1", {.qos = 1});
        stage.sim.run_all(1);  // routed, the members' shard has not run
        publisher.read_all();
        leaving.disconnect();
        stage.rest();
        CHECK(staying.inbox.size() == 10);
        CHECK(stage.sim.sum(&comqtt::Metrics::inflight) == 0);
        CHECK(stage.sim.sum(&comqtt::Metrics::queued_messages) == 0);
    }
}

TEST_CASE("a shared message on its way to a member that goes offline goes to one that is online") {
    for (uint64_t seed = 1; seed <= 40; ++seed) {
        Stage stage(shards(3, seed));
        Client& leaving = stage.connected("leaving", 0, {}, {.clean = true, .expiry_s = 1000});
        Client& staying = stage.connected("staying", static_cast<unsigned>(seed % 3));
        Client& publisher = stage.connected("publisher", 1);
        stage.subscribe(leaving, "$share/g/s/1", {.qos = 2});
        stage.subscribe(staying, "$share/g/s/1", {.qos = 2});
        leaving.deaf = true;
        for (int i = 0; i < 10; ++i) publisher.publish("s/1", {.qos = static_cast<uint8_t>(i % 2)});
        stage.sim.run_all(1);
        publisher.read_all();
        leaving.disconnect();
        stage.rest();
        size_t acknowledged = 0;
        for (const Received& received : staying.inbox) acknowledged += received.qos > 0;
        CHECK(acknowledged == 5);
    }
}

TEST_CASE("a shared message that is passed on pauses nobody but its own publisher") {
    for (uint64_t seed = 1; seed <= 60; ++seed) {
        Settings settings = shards(3, seed);
        settings.config.limits.handover_bytes = 300;
        Stage stage(settings);
        // The first of its shard, like the publisher: their handles may be equal.
        Client& bystander = stage.connected("bystander", 0);
        Client& publisher = stage.connected("publisher", 1);
        Client& leaving = stage.connected("leaving", 0);
        Client& staying = stage.connected("staying", 2);
        stage.subscribe(leaving, "$share/g/s/1", {.qos = 1});
        stage.subscribe(staying, "$share/g/s/1", {.qos = 1});
        leaving.deaf = true;
        for (int i = 0; i < 10; ++i) publisher.publish("s/1", {.qos = 1, .size = 200});
        stage.sim.run_all(1);
        leaving.disconnect();
        stage.rest();
        CHECK(!bystander.wire()->paused());
        CHECK(!publisher.wire()->paused());
        CHECK(staying.inbox.size() == 10);
    }
}

TEST_CASE("unacknowledged shared messages of QoS 1 move to another member, those of QoS 2 stay") {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        Stage stage(shards(1 + seed % 3, seed));
        const unsigned last = stage.sim.shard_count() - 1;
        Client& leaving = stage.connected("leaving", 0, {}, {.clean = true, .expiry_s = 1000});
        Client& publisher = stage.connected("publisher", last);
        stage.subscribe(leaving, "$share/g/s/1", {.qos = 2});
        leaving.deaf = true;
        for (int i = 0; i < 5; ++i) {
            publisher.publish("s/1", {.qos = 1});
            publisher.publish("s/1", {.qos = 2});
        }
        stage.rest();
        Client& staying = stage.connected("staying", last);
        stage.subscribe(staying, "$share/g/s/1", {.qos = 2});
        CHECK(staying.inbox.empty());
        leaving.deaf = false;
        leaving.cut();
        stage.rest();
        CHECK(staying.inbox.size() == 5);
        leaving.connect({.clean = false, .expiry_s = 1000});
        stage.rest();
        size_t kept = 0;
        for (const Received& received : leaving.inbox) kept += received.qos == 2;
        CHECK(kept == 5);
        stage.check();
    }
}

TEST_CASE("a shared message that expired is not handed to another member") {
    Stage stage(shards(1));
    Client& leaving =
        stage.connected("leaving", 0, {.receive_maximum = 1}, {.clean = true, .expiry_s = 1000});
    Client& publisher = stage.connected("publisher", 0);
    stage.subscribe(leaving, "$share/g/s/1", {.qos = 1});
    leaving.deaf = true;
    for (int i = 0; i < 5; ++i) publisher.publish("s/1", {.qos = 1, .expiry_s = 2});
    stage.pass(3'000);
    Client& staying = stage.connected("staying", 0);
    stage.subscribe(staying, "$share/g/s/1", {.qos = 1});
    leaving.cut();
    stage.rest();
    CHECK(staying.inbox.empty());
}
