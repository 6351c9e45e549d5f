#include <doctest/doctest.h>

#include <map>

#include "sim/stage.hpp"

using namespace comqtt::sim;

TEST_CASE("a retained replay under concurrent changes gives every topic, and later ones the state as it is") {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        const unsigned count = 1 + seed % 3;
        Settings settings = shards(count, seed);
        settings.config.limits.high_mark_bytes = 2000;
        Stage stage(settings);
        Client& writer = stage.connected("writer", 0);
        Client& reader = stage.connected("reader", count - 1, {.wire_capacity = 500});
        for (int i = 0; i < 600; ++i) {
            writer.publish("r/" + std::to_string(i), {.qos = 1, .retain = true, .size = 60});
            if (i % 100 == 99) stage.rest();
        }
        stage.rest();
        reader.subscribe("r/#", {.qos = 1});
        // While the replay runs, some topics change and some go.
        std::map<std::string, bool> cleared;
        for (int i = 0; i < 300; ++i) {
            const std::string name = "r/" + std::to_string(stage.sim.random.below(600));
            const bool clear = stage.sim.random.chance(30);
            if (writer.publish(name, {.qos = 1, .retain = true, .size = clear ? 0u : 60u}))
                cleared[name] = clear;
            stage.sim.run_some(static_cast<unsigned>(stage.sim.random.below(count)));
            if (stage.sim.random.chance(50)) writer.read_all();
            if (stage.sim.random.chance(30)) reader.read_all();
        }
        stage.rest();
        std::map<std::string, size_t> seen;
        for (const Received& received : reader.inbox) ++seen[received.topic];
        for (int i = 0; i < 600; ++i) {
            const std::string name = "r/" + std::to_string(i);
            if (!cleared[name]) CHECK_MESSAGE(seen[name] >= 1, name);
        }
        stage.check();
        // Who comes later sees the state as it is now.
        Client& late = stage.connected("late", 0);
        stage.subscribe(late, "r/#", {.qos = 0});
        size_t expected = 0;
        for (int i = 0; i < 600; ++i) expected += !cleared["r/" + std::to_string(i)];
        CHECK(late.inbox.size() == expected);
    }
}

TEST_CASE(
    "a subscription is sent the retained message that another thread has acknowledged, not the one before") {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        Stage stage(shards(2, seed));
        std::string topic = "r";
        while (stage.sim.core->shard_of_topic(comqtt::ByteView(topic)) != 1) topic += "r";
        Client& writer = stage.connected("writer", 0);
        Client& reader = stage.connected("reader", 1);
        writer.publish(topic, {.qos = 1, .retain = true});
        stage.rest();
        writer.publish(topic, {.qos = 1, .retain = true});
        stage.sim.run_all(0);
        writer.read_all();  // acknowledged, and on its way to the thread that keeps it
        stage.subscribe(reader, topic, {.qos = 1});
        Client& late = stage.connected("late", 0);
        stage.subscribe(late, topic, {.qos = 1});
        REQUIRE(reader.inbox.size() == 1);
        REQUIRE(late.inbox.size() == 1);
        CHECK(reader.inbox[0].number == late.inbox[0].number);
    }
}

TEST_CASE("a replay to a client that reads slowly goes on whenever it has read, without another event") {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        const unsigned count = 1 + seed % 3;
        Settings settings = shards(count, seed);
        settings.config.limits.high_mark_bytes = 1000;
        Stage stage(settings);
        Client& writer = stage.connected("writer", 0);
        for (int i = 0; i < 2000; ++i) {
            writer.publish("r/" + std::to_string(i), {.qos = 0, .retain = true, .size = 50});
            if (i % 100 == 99) stage.rest();
        }
        for (const size_t capacity : {size_t{200}, size_t{1} << 20}) {
            Client& reader = stage.connected("reader" + std::to_string(capacity), count - 1,
                                             {.receive_maximum = 10, .wire_capacity = capacity});
            stage.subscribe(reader, "r/#", {.qos = 0});
            CHECK(reader.inbox.size() == 2000);
        }
    }
}

TEST_CASE("UNSUBSCRIBE ends the replay that its subscription began") {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        Settings settings = shards(1 + seed % 3, seed);
        settings.config.limits.high_mark_bytes = 1000;
        Stage stage(settings);
        Client& writer = stage.connected("writer", 0);
        for (int i = 0; i < 1000; ++i) {
            writer.publish("r/" + std::to_string(i), {.qos = 0, .retain = true, .size = 50});
            if (i % 100 == 99) stage.rest();
        }
        Client& reader = stage.connected("reader", stage.sim.shard_count() - 1, {.wire_capacity = 200});
        reader.deaf = true;
        reader.subscribe("r/#", {.qos = 0});
        stage.rest();
        reader.unsubscribe("r/#");
        stage.rest();
        reader.deaf = false;
        stage.rest();
        CHECK(reader.inbox.size() < 1000);
        CHECK(!stage.sim.shard(0).busy());
        stage.check();
    }
}

TEST_CASE("a retained message expires in the store and its remaining time is told") {
    Stage stage(shards(2));
    Client& writer = stage.connected("writer", 0);
    writer.publish("r/soon", {.qos = 1, .retain = true, .expiry_s = 5});
    writer.publish("r/later", {.qos = 1, .retain = true, .expiry_s = 50});
    stage.rest();
    stage.pass(3'000);
    Client& early = stage.connected("early", 1);
    stage.subscribe(early, "r/#", {.qos = 1});
    REQUIRE(early.inbox.size() == 2);
    for (const Received& received : early.inbox)
        CHECK(received.expiry_s == (received.topic == "r/soon" ? 2u : 47u));
    stage.pass(2'000);
    CHECK(stage.sim.core->retained_messages == 1);
    Client& late = stage.connected("late", 1);
    stage.subscribe(late, "r/#", {.qos = 1});
    CHECK(late.inbox.size() == 1);
}

TEST_CASE("RETAIN of one's own message follows the subscriptions without No Local only") {
    Stage stage(shards(1));
    Client& client = stage.connected("c", 0);
    client.subscribe("r/#", {.qos = 1, .no_local = true, .retain_as_published = true, .retain_handling = 2});
    client.subscribe("r/x", {.qos = 1, .retain_handling = 2});
    stage.rest();
    client.publish("r/x", {.qos = 1, .retain = true});
    stage.rest();
    REQUIRE(client.inbox.size() == 1);
    CHECK(!client.inbox[0].retain);
}
