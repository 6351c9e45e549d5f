#include <doctest/doctest.h>

#include <map>
#include <set>

#include "sim/stage.hpp"

using namespace comqtt::sim;

namespace {

/// Topics that nobody has are asked for nowhere; `mail` counts what one shard's thread is given.
int64_t pending(Sim& sim) { return sim.sum(&comqtt::Metrics::retained_replays); }

}  // namespace

TEST_CASE("a subscription for whose filter no shard holds anything asks nobody") {
    for (unsigned count = 2; count <= 4; ++count) {
        Stage stage(shards(count, count));
        Client& writer = stage.connected("writer", 0);
        writer.publish("held/1", {.qos = 1, .retain = true});
        stage.rest();
        Client& reader = stage.connected("reader", count - 1);
        for (const char* filter : {"other/#", "other/+", "nothing", "other/x/y", "$SYS/#"}) {
            reader.subscribe(filter, {.qos = 1});
            stage.sim.run_all(count - 1);
            CHECK_MESSAGE(pending(stage.sim) == 0, filter);
        }
        stage.rest();
        reader.subscribe("held/#", {.qos = 1});
        stage.rest();
        CHECK(count_of(reader, "held/1") == 1);
        // What is removed is not asked for any more.
        writer.publish("held/1", {.qos = 1, .retain = true, .size = 0});
        stage.rest();
        reader.subscribe("held/+", {.qos = 1});
        stage.sim.run_all(count - 1);
        CHECK(pending(stage.sim) == 0);
        stage.rest();
        stage.check();
    }
}

TEST_CASE("many filters of one session are each sent their retained messages, whoever keeps them") {
    for (uint64_t seed = 1; seed <= 8; ++seed) {
        const unsigned count = 1 + seed % 4;
        Stage stage(shards(count, seed));
        Client& writer = stage.connected("writer", 0);
        for (int i = 0; i < 700; ++i) {
            writer.publish("r/" + std::to_string(i) + "/x", {.qos = 0, .retain = true});
            if (i % 100 == 99) stage.rest();
        }
        Client& reader = stage.connected("reader", count - 1);
        for (int i = 0; i < 700; ++i)
            reader.subscribe("r/" + std::to_string(i) + (i % 3 ? "/x" : "/#"), {.qos = 0});
        stage.rest();
        CHECK(reader.inbox.size() == 700);
        std::set<std::string> topics;
        for (const Received& received : reader.inbox) topics.insert(received.topic);
        CHECK(topics.size() == 700);
        CHECK(pending(stage.sim) == 0);
        stage.check();
    }
}

TEST_CASE("replays of many sessions go on side by side: one with little does not wait for one with much") {
    for (unsigned count = 1; count <= 4; ++count) {
        Stage stage(shards(count, count));
        Client& writer = stage.connected("writer", 0);
        for (int i = 0; i < 6000; ++i) {
            writer.publish("much/" + std::to_string(i), {.qos = 0, .retain = true, .size = 20});
            if (i % 200 == 199) stage.rest();
        }
        writer.publish("little", {.qos = 0, .retain = true});
        stage.rest();
        const unsigned last = count - 1;
        Client& much = stage.connected("much", last, {.wire_capacity = 1 << 20});
        Client& little = stage.connected("little", last);
        much.subscribe("much/#", {.qos = 0});
        stage.sim.run_all(last);
        little.subscribe("little", {.qos = 0});
        // A few rounds of everybody serve the small one.
        for (int i = 0; i < 3; ++i)
            for (unsigned shard = 0; shard < count; ++shard) stage.sim.run_all(shard);
        little.read_all();
        CHECK(little.inbox.size() == 1);
        much.read_all();
        CHECK(much.inbox.size() < 6000);
        stage.rest();
        CHECK(much.inbox.size() == 6000);
    }
}

TEST_CASE("a second SUBSCRIBE with the same filter begins the replay anew, and there is one") {
    for (uint64_t seed = 1; seed <= 8; ++seed) {
        const unsigned count = 1 + seed % 4;
        Settings settings = shards(count, seed);
        settings.config.limits.high_mark_bytes = 1000;
        Stage stage(settings);
        Client& writer = stage.connected("writer", 0);
        for (int i = 0; i < 500; ++i) {
            writer.publish("r/" + std::to_string(i), {.qos = 0, .retain = true, .size = 50});
            if (i % 100 == 99) stage.rest();
        }
        Client& reader = stage.connected("reader", count - 1, {.wire_capacity = 200});
        reader.deaf = true;
        for (int i = 0; i < 20; ++i) {
            reader.subscribe("r/#", {.qos = 0});
            stage.sim.run_all(count - 1);
        }
        stage.rest();
        CHECK(pending(stage.sim) == 1);
        reader.deaf = false;
        stage.rest();
        std::map<std::string, size_t> seen;
        for (const Received& received : reader.inbox) ++seen[received.topic];
        CHECK(seen.size() == 500);
        CHECK(pending(stage.sim) == 0);
    }
}

TEST_CASE("the end of a connection ends its replays") {
    for (uint64_t seed = 1; seed <= 8; ++seed) {
        const unsigned count = 1 + seed % 4;
        Settings settings = shards(count, seed);
        settings.config.limits.high_mark_bytes = 1000;
        Stage stage(settings);
        Client& writer = stage.connected("writer", 0);
        for (int i = 0; i < 500; ++i) {
            writer.publish("r/" + std::to_string(i), {.qos = 0, .retain = true, .size = 50});
            if (i % 100 == 99) stage.rest();
        }
        Client& reader =
            stage.connected("reader", count - 1, {.wire_capacity = 200}, {.clean = true, .expiry_s = 1000});
        reader.deaf = true;
        for (int i = 0; i < 20; ++i) reader.subscribe("r/" + std::to_string(i) + "/#", {.qos = 0});
        reader.subscribe("r/#", {.qos = 0});
        stage.sim.run_all(count - 1);
        CHECK(pending(stage.sim) >= 1);
        reader.cut();
        stage.rest();
        CHECK(pending(stage.sim) == 0);
        for (unsigned i = 0; i < count; ++i) CHECK(!stage.sim.shard(i).busy());
        reader.deaf = false;
        reader.connect({.clean = false, .expiry_s = 1000});
        stage.rest();
        stage.check();
    }
}
