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

namespace {

std::shared_ptr<SlowVerdicts> slow_verdicts(Stage& stage) {
    auto verdicts = std::make_shared<SlowVerdicts>(1, 0);
    verdicts->at_once = false;
    REQUIRE(stage.sim.core->hooks.add(verdicts));
    return verdicts;
}

void allow(SlowVerdicts& verdicts, size_t index) {
    comqtt::hooks::DeferralResult result;
    result.value = static_cast<int>(comqtt::hooks::Verdict::allow);
    CHECK(verdicts.take(index)->complete(result) == comqtt::Status::ok);
}

}  // namespace

TEST_CASE("what a client sent before it connects again is handled first: no will, no message lost") {
    for (unsigned count = 1; count <= 3; ++count) {
        for (uint64_t seed = 1; seed <= 20; ++seed) {
            Stage stage(shards(count, seed));
            Client& watcher = stage.connected("watcher", 0, {.watches_wills = true});
            stage.subscribe(watcher, "w/#", {.qos = 2});
            stage.subscribe(watcher, "t", {.qos = 0});
            Client& client =
                stage.connected("c", count - 1, {}, {.clean = true, .will = true, .will_qos = 2});
            for (int i = 0; i < 3; ++i) client.publish("t", {.qos = 0});
            client.disconnect();
            client.connect({.clean = true, .will = true, .will_qos = 2});
            stage.rest();
            CHECK(client.up());
            CHECK(watcher.inbox.size() == 3);
            CHECK(stage.sim.sum(&comqtt::Metrics::takeovers) == 0);
            stage.check();
        }
    }
}

TEST_CASE("a new connection finds the subscriptions that the one before had only just asked for") {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        Stage stage(shards(2, seed));
        Client& publisher = stage.connected("publisher", 0);
        Client& client = stage.connected("c", 1, {}, {.clean = true, .expiry_s = 100});
        client.subscribe("t", {.qos = 1});
        client.walk_away();
        client.connect({.clean = false, .expiry_s = 100});
        stage.rest();
        CHECK(client.up());
        CHECK(stage.sim.sum(&comqtt::Metrics::takeovers) == 1);
        publisher.publish("t", {.qos = 1});
        stage.rest();
        CHECK(client.inbox.size() == 1);
    }
}

TEST_CASE("a take-over waits for the verdict that the old connection waits for, and what is behind it") {
    for (unsigned count = 1; count <= 2; ++count) {
        Stage stage(unhooked(count));
        const auto verdicts = slow_verdicts(stage);
        Client& watcher = stage.connected("watcher", 0, {.watches_wills = true});
        stage.subscribe(watcher, "#", {.qos = 0});
        Client& client = stage.connected("c", count - 1, {}, {.clean = true, .will = true});
        verdicts->only_writes = true;
        verdicts->set_chance(100);
        client.publish("t", {.qos = 0});
        stage.rest();
        REQUIRE(verdicts->waiting() == 1);
        verdicts->set_chance(0);
        client.publish("t/2", {.qos = 0});
        client.disconnect();
        client.connect({.clean = true});
        stage.rest();
        CHECK(!client.up());
        CHECK(watcher.inbox.empty());
        allow(*verdicts, 0);
        stage.rest();
        CHECK(client.up());
        CHECK(count_of(watcher, "t") == 1);
        CHECK(count_of(watcher, "t/2") == 1);
        CHECK(watcher.inbox.size() == 2);
        CHECK(stage.sim.core->deferrals == 0);
        stage.check();
    }
}

TEST_CASE("a take-over waits no longer than its time for a verdict that does not come") {
    Stage stage(unhooked(2));
    stage.sim.verdicts_are_slow = true;
    const auto verdicts = slow_verdicts(stage);
    Client& client = stage.connected("c", 1, {}, {.clean = true, .will = true});
    verdicts->only_writes = true;
    verdicts->set_chance(100);
    client.publish("t", {.qos = 0});
    stage.rest();
    const auto deferral = verdicts->take(0);
    verdicts->set_chance(0);
    client.walk_away();
    client.connect({.clean = true});
    stage.pass(1'900);
    CHECK(!client.up());
    stage.pass(200);
    CHECK(client.up());
    CHECK(deferral->state() == comqtt::hooks::Deferral::State::cancelled);
    CHECK(stage.sim.sum(&comqtt::Metrics::takeovers) == 1);
    CHECK(stage.sim.core->connected == 1);
    CHECK(stage.sim.core->sessions == 1);
}

TEST_CASE("several CONNECTs that wait for one connection take over one after the other") {
    Stage stage(unhooked(1));
    const auto verdicts = slow_verdicts(stage);
    Client& old = stage.connected("c", 0, {}, {.clean = true, .expiry_s = 100});
    verdicts->only_writes = true;
    verdicts->set_chance(100);
    old.publish("t", {.qos = 0});
    stage.rest();
    REQUIRE(verdicts->waiting() == 1);
    verdicts->set_chance(0);
    Client& second = stage.client("c", 0);
    Client& third = stage.client("c", 0);
    old.expects_end = second.expects_end = true;
    second.connect({.clean = true, .expiry_s = 100});
    stage.rest();
    third.connect({.clean = true, .expiry_s = 100});
    stage.rest();
    CHECK(!second.up());
    CHECK(!third.up());
    allow(*verdicts, 0);
    stage.rest();
    CHECK(old.ended_with == Reason::session_taken_over);
    CHECK(second.ended_with == Reason::session_taken_over);
    CHECK(third.up());
    CHECK(stage.sim.core->sessions == 1);
    CHECK(stage.sim.core->connected == 1);
}

TEST_CASE("a CONNECT whose verdict comes late does not take over from one that came after it") {
    Stage stage(unhooked(1));
    const auto verdicts = slow_verdicts(stage);
    verdicts->set_chance(100);
    Client& first = stage.client("c", 0);
    Client& second = stage.client("c", 0);
    Client& third = stage.client("c", 0);
    first.expects_end = second.expects_end = true;
    for (Client* client : {&first, &second, &third}) {
        client->connect({});
        stage.rest();
    }
    REQUIRE(verdicts->waiting() == 3);
    verdicts->set_chance(0);
    const auto late = verdicts->take(0);
    allow(*verdicts, 0);  // the second
    stage.rest();
    CHECK(second.up());
    CHECK(first.ended_with == Reason::server_unavailable);
    CHECK(late->complete({}) == comqtt::Status::cancelled);
    allow(*verdicts, 0);
    stage.rest();
    CHECK(second.ended_with == Reason::session_taken_over);
    CHECK(third.up());
    CHECK(stage.sim.core->connected == 1);
}

TEST_CASE("a publisher that is not read because of a full receiver is heard before it is taken over") {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        Settings settings = shards(2, seed);
        settings.config.limits.high_mark_bytes = 4096;
        Stage stage(settings);
        Client& consumer = stage.connected("consumer", 0, {.wire_capacity = 1000, .watches_wills = true});
        stage.subscribe(consumer, "#", {.qos = 0});
        Client& publisher = stage.connected("publisher", 1, {}, {.clean = true, .will = true});
        consumer.deaf = true;
        for (int i = 0; i < 10; ++i) {
            for (int k = 0; k < 50; ++k) publisher.publish("t", {.qos = 0, .size = 100});
            stage.rest();
        }
        REQUIRE(publisher.wire()->paused());
        REQUIRE(publisher.wire()->unread_by_broker() > 10'000);
        publisher.disconnect();
        publisher.connect({.clean = true});
        stage.rest();
        CHECK(publisher.up());
        consumer.deaf = false;
        stage.rest();
        CHECK(consumer.inbox.size() == 500);
        stage.check();
    }
}

TEST_CASE("of an old connection no more is read than the limit allows") {
    Settings settings = shards(1);
    settings.config.limits.takeover_bytes = 2000;
    Stage stage(settings);
    Client& watcher = stage.connected("watcher", 0);
    stage.subscribe(watcher, "t", {.qos = 0});
    Client& client = stage.connected("c", 0);
    // Nothing of the flood is read before the CONNECT is: the wire of the old connection is paused.
    const uint64_t before = static_cast<uint64_t>(stage.sim.sum(&comqtt::Metrics::bytes_received));
    Wire& old = *client.wire();
    old.pause_reading();
    for (int i = 0; i < 200; ++i) client.publish("t", {.qos = 0, .size = 100});
    client.walk_away();
    client.connect({.clean = true});
    stage.rest();
    CHECK(client.up());
    CHECK(stage.sim.sum(&comqtt::Metrics::bytes_received) - static_cast<int64_t>(before) < 2'200);
    CHECK(watcher.inbox.size() < 20);
    CHECK(!watcher.inbox.empty());
}
