#include <doctest/doctest.h>

#include "sim/stage.hpp"

using namespace comqtt;
using namespace comqtt::sim;
using hooks::Deferral;
using hooks::Verdict;

namespace {

std::shared_ptr<SlowVerdicts> add_verdicts(Stage& stage) {
    auto verdicts = std::make_shared<SlowVerdicts>(1, 0);
    verdicts->at_once = false;
    REQUIRE(stage.sim.core->hooks.add(verdicts));
    return verdicts;
}

void answer(SlowVerdicts& verdicts, Verdict verdict) {
    hooks::DeferralResult result;
    result.value = static_cast<int>(verdict);
    CHECK(verdicts.take(0)->complete(result) == Status::ok);
}

}  // namespace

TEST_CASE("a CONNECT waits for its verdict while others go on") {
    for (unsigned count = 1; count <= 3; ++count) {
        Stage stage(unhooked(count));
        const auto verdicts = add_verdicts(stage);
        Client& other = stage.connected("other", 0);
        verdicts->set_chance(100);
        Client& waiting = stage.client("waiting", 0);
        waiting.connect({});
        stage.rest();
        CHECK(!waiting.up());
        CHECK(verdicts->waiting() == 1);
        other.ping();
        stage.pass(9'000);
        CHECK(other.at_rest());
        answer(*verdicts, Verdict::allow);
        stage.rest();
        CHECK(waiting.up());
        CHECK(stage.sim.core->deferrals == 0);
    }
}

TEST_CASE("a CONNECT whose verdict is DENY, or never comes, is refused") {
    for (const bool late : {false, true}) {
        Stage stage(unhooked(2));
        const auto verdicts = add_verdicts(stage);
        verdicts->set_chance(100);
        Client& client = stage.client("c", 1);
        client.expects_end = true;
        client.connect({});
        stage.rest();
        const auto deferral = verdicts->take(0);
        if (late) {
            stage.pass(10'100);
            CHECK(deferral->state() == Deferral::State::expired);
            CHECK(stage.sim.sum(&Metrics::deferrals_expired) == 1);
            CHECK(client.ended_with == mqtt::Reason::server_unavailable);
            hooks::DeferralResult result;
            result.value = static_cast<int>(Verdict::allow);
            CHECK(deferral->complete(result) == Status::timeout);
        } else {
            hooks::DeferralResult result;
            result.value = static_cast<int>(Verdict::deny);
            deferral->complete(result);
            stage.rest();
            CHECK(client.ended_with == mqtt::Reason::bad_user_name_or_password);
        }
        stage.pass(3'000);
        CHECK(stage.sim.core->connections == 0);
        CHECK(stage.sim.core->sessions == 0);
        CHECK(stage.sim.core->deferrals == 0);
    }
}

TEST_CASE("a client that goes away cancels the verdict it waits for") {
    Stage stage(unhooked(2));
    const auto verdicts = add_verdicts(stage);
    verdicts->set_chance(100);
    Client& client = stage.client("c", 1);
    client.connect({});
    stage.rest();
    const auto deferral = verdicts->take(0);
    client.cut();
    stage.rest();
    CHECK(deferral->state() == Deferral::State::cancelled);
    CHECK(deferral->complete({}) == Status::cancelled);
    stage.rest();
    CHECK(stage.sim.core->connections == 0);
    CHECK(stage.sim.core->deferrals == 0);
}

TEST_CASE("the input behind a PUBLISH that waits for its verdict waits, in order, and nobody else does") {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        Stage stage(unhooked(2, seed));
        const auto verdicts = add_verdicts(stage);
        Client& consumer = stage.connected("consumer", 0);
        Client& held = stage.connected("held", 1);
        Client& free = stage.connected("free", 1);
        stage.subscribe(consumer, "t/#", {.qos = 2});
        verdicts->only_writes = true;
        verdicts->set_chance(100);
        held.publish("t/held", {.qos = 1});
        stage.rest();
        REQUIRE(verdicts->waiting() == 1);
        verdicts->set_chance(0);
        for (int i = 0; i < 10; ++i) held.publish("t/held", {.qos = static_cast<uint8_t>(i % 3)});
        for (int i = 0; i < 10; ++i) free.publish("t/free", {.qos = static_cast<uint8_t>(i % 3)});
        stage.rest();
        CHECK(count_of(consumer, "t/free") == 10);
        CHECK(count_of(consumer, "t/held") == 0);
        CHECK(held.wire()->paused());
        answer(*verdicts, Verdict::allow);
        stage.rest();
        CHECK(count_of(consumer, "t/held") == 11);
        CHECK(!held.wire()->paused());
        stage.check();
    }
}

TEST_CASE("a publisher that goes away while its PUBLISH waits publishes nothing") {
    Stage stage(unhooked(2));
    const auto verdicts = add_verdicts(stage);
    Client& consumer = stage.connected("consumer", 0);
    Client& held = stage.connected("held", 1);
    stage.subscribe(consumer, "t", {.qos = 1});
    verdicts->only_writes = true;
    verdicts->set_chance(100);
    held.publish("t", {.qos = 1});
    stage.rest();
    held.cut();
    stage.rest();
    CHECK(verdicts->take(0)->state() == Deferral::State::cancelled);
    stage.pass(20'000);
    CHECK(consumer.inbox.empty());
    CHECK(stage.sim.core->deferrals == 0);
}

TEST_CASE("deliveries that wait for a read verdict keep their order and are bounded by back-pressure") {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        Settings settings = unhooked(1 + seed % 3, seed);
        settings.config.limits.high_mark_bytes = 2000;
        settings.config.limits.client_queued_bytes = 100'000;
        Stage stage(settings);
        const auto verdicts = add_verdicts(stage);
        Client& consumer = stage.connected("consumer", 0, {.wire_capacity = 700});
        Client& publisher = stage.connected("publisher", stage.sim.shard_count() - 1);
        stage.subscribe(consumer, "t/#", {.qos = 1});
        publisher.publish("t/a", {.qos = 1});  // its write verdicts are known from here on
        publisher.publish("t/b", {.qos = 1});
        stage.rest();
        stage.sim.core->acl_epoch.fetch_add(1);
        verdicts->set_chance(0);
        verdicts->only_reads = true;
        verdicts->set_chance(100);
        for (int i = 0; i < 60; ++i) {
            for (int k = 0; k < 20; ++k)
                publisher.publish(k % 5 ? "t/a" : "t/b", {.qos = static_cast<uint8_t>(k % 2), .size = 150});
            stage.rest();
        }
        CHECK(count_of(consumer, "t/a") == 1);
        CHECK(publisher.wire()->paused());
        verdicts->set_chance(50);
        while (verdicts->waiting() || stage.sim.core->deferrals) {
            if (verdicts->waiting()) answer(*verdicts, Verdict::allow);
            stage.rest();
        }
        CHECK(stage.sim.sum(&Metrics::messages_dropped) == 0);
        CHECK(!publisher.wire()->paused());
        CHECK(count_of(consumer, "t/a") + count_of(consumer, "t/b") >= 600);
        stage.check();
    }
}

TEST_CASE("a read verdict that does not come in time drops what waited for it and nothing else") {
    Stage stage(unhooked(2));
    const auto verdicts = add_verdicts(stage);
    Client& consumer = stage.connected("consumer", 0);
    Client& publisher = stage.connected("publisher", 1);
    stage.subscribe(consumer, "t/#", {.qos = 1});
    verdicts->only_reads = true;
    verdicts->set_chance(100);
    publisher.publish("t/lost", {.qos = 1});
    stage.rest();
    REQUIRE(verdicts->waiting() == 1);
    verdicts->set_chance(0);
    publisher.publish("t/kept", {.qos = 1});
    stage.rest();
    CHECK(consumer.inbox.empty());
    stage.pass(10'100);
    CHECK(count_of(consumer, "t/lost") == 0);
    CHECK(count_of(consumer, "t/kept") == 1);
    CHECK(stage.sim.sum(&Metrics::queued_messages) == 0);
    CHECK(stage.sim.core->queued_bytes == 0);
}
