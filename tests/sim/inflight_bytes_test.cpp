// What is in flight counts in bytes too: towards what may wait for a session, and when it is sent again.

#include <doctest/doctest.h>

#include "sim/stage.hpp"

using namespace comqtt::sim;

namespace {

constexpr size_t kLimit = 40'000;

Settings little_room(unsigned count, uint64_t seed) {
    Settings settings = shards(count, seed);
    settings.config.limits.client_queued_bytes = kLimit;
    settings.config.limits.stuck_timeout_ms = 1000;
    return settings;
}

void send_many(Stage& stage, Client& publisher, unsigned count, size_t size, uint8_t qos = 1) {
    for (unsigned i = 0; i < count; ++i) {
        publisher.publish("t", {.qos = qos, .size = size});
        if (i % 20 == 19) stage.rest();
    }
    stage.rest();
}

}  // namespace

TEST_CASE(
    "a receiver that reads and never acknowledges holds no more than its limit in flight and in its queue") {
    for (uint64_t seed = 1; seed <= 6; ++seed) {
        Stage stage(little_room(1 + seed % 2, seed));
        Client& consumer = stage.connected("consumer", 0, {.wire_capacity = 1 << 20});
        Client& publisher = stage.connected("publisher", stage.sim.shard_count() - 1);
        stage.subscribe(consumer, "t", {.qos = static_cast<uint8_t>(1 + seed % 2)});
        consumer.deaf = true;
        for (unsigned i = 0; i < 10; ++i) {
            send_many(stage, publisher, 20, 1000, 2);
            consumer.read(SIZE_MAX);
            CHECK(stage.sim.core->inflight_bytes.load() <= static_cast<int64_t>(kLimit / 2));
            CHECK(stage.sim.core->inflight_bytes.load() +
                      static_cast<int64_t>(stage.sim.core->queued_bytes) <=
                  static_cast<int64_t>(kLimit));
        }
        CHECK(consumer.in_flight() >= 15);
        CHECK(stage.sim.sum(&comqtt::Metrics::messages_dropped) > 0);
        consumer.deaf = false;
        stage.rest();
        CHECK(consumer.inbox.size() >= 30);
        CHECK(stage.sim.core->inflight_bytes.load() == 0);
        CHECK(stage.sim.core->queued_bytes.load() == 0);
    }
}

TEST_CASE(
    "acknowledgements make room for bytes in flight: a small limit loses nothing to a receiver that goes "
    "on") {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        Settings settings = little_room(1 + seed % 3, seed);
        settings.config.limits.high_mark_bytes = 4096;
        Stage stage(settings);
        Client& consumer = stage.connected("consumer", 0, {.wire_capacity = 2000});
        Client& publisher = stage.connected("publisher", stage.sim.shard_count() - 1);
        stage.subscribe(consumer, "t", {.qos = 2});
        for (unsigned i = 0; i < 40; ++i) {
            publisher.publish("t", {.qos = static_cast<uint8_t>(1 + i % 2), .size = 3000});
            if (i % 10 == 9) stage.rest();
        }
        stage.rest();
        CHECK(consumer.inbox.size() == 40);
        CHECK(stage.sim.sum(&comqtt::Metrics::messages_dropped) == 0);
        CHECK(stage.sim.core->inflight_bytes.load() == 0);
        stage.check();
    }
}

TEST_CASE("one message may be in flight and one in the queue whatever their size") {
    for (uint64_t seed = 1; seed <= 4; ++seed) {
        Stage stage(little_room(1 + seed % 2, seed));
        Client& consumer = stage.connected("consumer", 0, {.wire_capacity = 1 << 20});
        Client& publisher = stage.connected("publisher", stage.sim.shard_count() - 1);
        stage.subscribe(consumer, "t", {.qos = 1});
        for (unsigned i = 0; i < 5; ++i) {
            publisher.publish("t", {.qos = 1, .size = 3 * kLimit});
            stage.rest();
        }
        CHECK(consumer.inbox.size() == 5);
        consumer.deaf = true;
        publisher.publish("t", {.qos = 1, .size = 3 * kLimit});
        publisher.publish("t", {.qos = 1, .size = 3 * kLimit});
        stage.rest();
        consumer.read(SIZE_MAX);
        CHECK(consumer.in_flight() == 1);
        consumer.deaf = false;
        stage.rest();
        CHECK(consumer.inbox.size() == 7);
        CHECK(stage.sim.sum(&comqtt::Metrics::messages_dropped) == 0);
        stage.check();
    }
}

TEST_CASE("a message in flight to many receivers counts once in all") {
    Stage stage(shards(2));
    std::vector<Client*> consumers;
    for (unsigned i = 0; i < 10; ++i) {
        consumers.push_back(
            &stage.connected("consumer" + std::to_string(i), i % 2, {.wire_capacity = 1 << 20}));
        stage.subscribe(*consumers.back(), "t", {.qos = 1});
    }
    Client& publisher = stage.connected("publisher", 0);
    for (Client* consumer : consumers) consumer->deaf = true;
    publisher.publish("t", {.qos = 1, .size = 10'000});
    stage.rest();
    CHECK(stage.sim.core->inflight_bytes.load() > 10'000);
    CHECK(stage.sim.core->inflight_bytes.load() < 11'000);
    for (Client* consumer : consumers) consumer->deaf = false;
    stage.rest();
    CHECK(stage.sim.core->inflight_bytes.load() == 0);
    stage.check();
}

TEST_CASE("a reconnect sends again what is in flight only as fast as the client takes it") {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        Settings settings = shards(1 + seed % 2, seed);
        settings.config.limits.high_mark_bytes = 4096;
        Stage stage(settings);
        Client& consumer =
            stage.connected("consumer", 0, {.wire_capacity = 1000}, {.clean = false, .expiry_s = 100});
        Client& publisher = stage.connected("publisher", stage.sim.shard_count() - 1);
        stage.subscribe(consumer, "t", {.qos = 2});
        consumer.deaf = true;
        for (unsigned i = 0; i < 60; ++i) {
            publisher.publish("t", {.qos = static_cast<uint8_t>(1 + i % 2), .size = 1000});
            stage.rest();
            consumer.read(SIZE_MAX);
        }
        CHECK(consumer.in_flight() >= 55);
        consumer.hang_up();
        stage.rest();
        const auto sent = stage.sim.sum(&comqtt::Metrics::messages_sent);
        consumer.connect({.clean = false, .expiry_s = 100});
        stage.sim.settle();
        CHECK(stage.sim.sum(&comqtt::Metrics::messages_sent) - sent <= 7);
        consumer.deaf = false;
        stage.rest();
        CHECK(consumer.at_rest());
        CHECK(consumer.in_flight() == 0);
        stage.check();
    }
}
