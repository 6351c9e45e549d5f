// Messages that expire while they wait: they take no room, and their age is no matter of the wall clock.

#include <doctest/doctest.h>

#include "sim/stage.hpp"
#include "support/slow_store.hpp"

using namespace comqtt::sim;
using comqtt::broker::BackpressurePolicy;
using comqtt::broker::QueuePolicy;
using support::SlowStore;

namespace {

constexpr unsigned kRoom = 200;
constexpr int64_t kHour = 3'600'000;

struct Case {
    QueuePolicy policy;
    unsigned shard_count;
    unsigned lasting;  ///< place of the message that does not expire
    bool stored;       ///< in a store, which holds most of the queue alone
};

const Case kCases[] = {
    {QueuePolicy::drop_oldest, 1, 0, false},   {QueuePolicy::drop_oldest, 2, 100, false},
    {QueuePolicy::drop_newest, 1, 199, false}, {QueuePolicy::refuse, 1, 0, false},
    {QueuePolicy::refuse, 2, 100, false},      {QueuePolicy::refuse, 2, 199, false},
    {QueuePolicy::drop_oldest, 1, 0, true},    {QueuePolicy::drop_newest, 2, 100, true},
    {QueuePolicy::refuse, 1, 199, true},       {QueuePolicy::refuse, 2, 0, true},
};

Settings settings_of(const Case& one) {
    Settings settings = shards(one.shard_count, 7);
    settings.config.queue_policy = one.policy;
    settings.config.capabilities.maximum_client_writes_pending = kRoom;
    settings.config.limits.client_queue_memory = 4096;
    return settings;
}

void fill(Stage& stage, Client& publisher, unsigned lasting) {
    for (unsigned i = 0; i < kRoom; ++i) {
        publisher.publish("t", {.qos = 1, .expiry_s = i == lasting ? 0u : 2u});
        if (i % 50 == 49) stage.rest();
    }
    stage.rest();
}

void publish_more(Stage& stage, Client& publisher) {
    for (unsigned i = 0; i < 100; ++i) publisher.publish("t", {.qos = 1});
    stage.rest();
}

}  // namespace

TEST_CASE("messages that expire while their session is away leave their room to others") {
    for (const Case& one : kCases) {
        CAPTURE(one.stored);
        CAPTURE(static_cast<int>(one.policy));
        CAPTURE(one.lasting);
        CAPTURE(one.shard_count);
        const auto store = std::make_shared<SlowStore>();
        Stage stage(settings_of(one));
        store->at_once = true;
        if (one.stored) REQUIRE(stage.sim.core->hooks.add(store));
        Client& away = stage.connected("away", 0, {}, {.clean = false, .expiry_s = 1000});
        Client& publisher = stage.connected("publisher", one.shard_count - 1);
        stage.subscribe(away, "t", {.qos = 1});
        away.hang_up();
        stage.rest();
        fill(stage, publisher, one.lasting);
        stage.pass(3500);
        CHECK(stage.sim.core->queued_messages == 1);
        CHECK(stage.sim.sum(&comqtt::Metrics::inflight_dropped) == kRoom - 1);
        publish_more(stage, publisher);
        CHECK(stage.sim.core->queued_messages == 101);
        away.connect({.clean = false, .expiry_s = 1000});
        stage.rest();
        CHECK(away.inbox.size() == 101);
        CHECK(stage.sim.sum(&comqtt::Metrics::messages_dropped) == 0);
        CHECK(stage.sim.sum(&comqtt::Metrics::publishes_refused) == 0);
        CHECK(stage.sim.core->queued_messages == 0);
        CHECK(stage.sim.core->queued_bytes == 0);
        CHECK(stage.sim.core->stored_bytes == 0);
        CHECK(store->fault == "");
        if (one.stored) CHECK(store->sessions.at(away.settings().id).queue.empty());
        stage.check();
    }
}

TEST_CASE("a message that comes the moment others have expired finds their room") {
    for (const bool stored : {false, true}) {
        const auto store = std::make_shared<SlowStore>();
        Stage stage(settings_of({QueuePolicy::refuse, 1, 0, stored}));
        store->at_once = true;
        if (stored) REQUIRE(stage.sim.core->hooks.add(store));
        Client& away = stage.connected("away", 0, {}, {.clean = false, .expiry_s = 1000});
        Client& publisher = stage.connected("publisher", 0);
        stage.subscribe(away, "t", {.qos = 1});
        away.hang_up();
        stage.rest();
        fill(stage, publisher, 0);
        stage.sim.advance(2001);  // no round in between
        publish_more(stage, publisher);
        CHECK(stage.sim.sum(&comqtt::Metrics::publishes_refused) == 0);
        CHECK(stage.sim.core->queued_messages == 101);
    }
}

TEST_CASE("messages that expire in the queue of a connected slow client leave their room to others") {
    for (unsigned shard_count = 1; shard_count <= 2; ++shard_count) {
        Settings settings = settings_of({QueuePolicy::drop_oldest, shard_count, 0, false});
        settings.config.backpressure = BackpressurePolicy::drop;
        Stage stage(settings);
        Client& slow = stage.connected("slow", 0, {.receive_maximum = 1});
        Client& publisher = stage.connected("publisher", shard_count - 1);
        stage.subscribe(slow, "t", {.qos = 1});
        slow.deaf = true;
        publisher.publish("t", {.qos = 1});  // in flight
        stage.rest();
        fill(stage, publisher, 100);
        stage.pass(3500);
        publish_more(stage, publisher);
        slow.deaf = false;
        stage.rest();
        CHECK(slow.inbox.size() == 102);
        CHECK(stage.sim.sum(&comqtt::Metrics::messages_dropped) == 0);
        stage.check();
    }
}

TEST_CASE("a message expires by the time that has passed, not by a wall clock that was put forward or back") {
    for (const int64_t correction : {kHour, -kHour, 50 * kHour}) {
        for (const bool stored : {false, true}) {
            CAPTURE(correction);
            CAPTURE(stored);
            const auto store = std::make_shared<SlowStore>();
            Settings settings = shards(1, 3);
            settings.config.limits.client_queue_memory = 4096;
            Stage stage(settings);
            store->at_once = true;
            if (stored) REQUIRE(stage.sim.core->hooks.add(store));
            Client& away = stage.connected("away", 0, {}, {.clean = false, .expiry_s = 10'000});
            Client& publisher = stage.connected("publisher", 0);
            stage.subscribe(away, "t", {.qos = 1});
            away.hang_up();
            stage.rest();
            const auto publish_some = [&] {
                for (unsigned i = 0; i < 60; ++i)
                    publisher.publish("t", {.qos = 1, .expiry_s = i % 3 == 2 ? 0u : i % 3 ? 600u : 100u});
                stage.rest();
            };
            publish_some();
            stage.pass(50'000, 1000);
            stage.sim.clock->correct_wall(correction);
            stage.pass(1000);
            publish_some();
            stage.pass(60'000, 1000);  // those of 100 s from before are over
            away.connect({.clean = false, .expiry_s = 10'000});
            stage.rest();
            CHECK(away.inbox.size() == 100);
            for (size_t i = 0; i < 40; ++i)
                if (away.inbox[i].expiry_s) CHECK(*away.inbox[i].expiry_s == 600 - 111);
            for (size_t i = 40; i < 100; ++i)
                if (away.inbox[i].expiry_s)
                    CHECK((*away.inbox[i].expiry_s == 540 || *away.inbox[i].expiry_s == 40));
            CHECK(store->fault == "");
        }
    }
}

TEST_CASE("a retained message expires by the time that has passed, whatever the wall clock shows") {
    Stage stage(shards(1));
    Client& publisher = stage.connected("publisher", 0);
    publisher.publish("t", {.qos = 1, .retain = true, .expiry_s = 600});
    stage.rest();
    stage.sim.clock->correct_wall(2 * kHour);
    stage.pass(300'000, 10'000);
    CHECK(stage.sim.sum(&comqtt::Metrics::retained) == 1);
    stage.pass(301'000, 10'000);
    CHECK(stage.sim.sum(&comqtt::Metrics::retained) == 0);
}

TEST_CASE("a message without an expiry interval waits as long as its session does") {
    Stage stage(shards(1));
    Client& away = stage.connected("away", 0, {}, {.clean = false, .expiry_s = 1'000'000});
    Client& publisher = stage.connected("publisher", 0);
    stage.subscribe(away, "t", {.qos = 1});
    away.hang_up();
    stage.rest();
    publisher.publish("t", {.qos = 1});
    stage.rest();
    stage.pass(9 * 24 * kHour, kHour);
    away.connect({.clean = false, .expiry_s = 1'000'000});
    stage.rest();
    CHECK(away.inbox.size() == 1);
    stage.check();
}
