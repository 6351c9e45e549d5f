// What waits for a store that is slow: order, and expiry meanwhile.

#include <doctest/doctest.h>

#include "sim/stage.hpp"
#include "support/slow_store.hpp"

using namespace comqtt::sim;
using support::SlowStore;

namespace {

struct Slow {
    explicit Slow(unsigned shard_count) : stage(shards(shard_count, 3)) {
        store->at_once = true;
        REQUIRE(stage.sim.core->hooks.add(store));
        subscriber = &stage.connected("subscriber", 0, {}, {.clean = false, .expiry_s = 1000});
        stage.subscribe(*subscriber, "t", {.qos = 2});
        publisher = &stage.connected("publisher", shard_count - 1, {}, {.clean = false, .expiry_s = 1000});
        store->at_once = false;
    }
    /// The store commits until nothing is left to do.
    void catch_up() {
        do stage.rest();
        while (store->work());
    }

    Stage stage;
    std::shared_ptr<SlowStore> store = std::make_shared<SlowStore>();
    Client* subscriber = nullptr;
    Client* publisher = nullptr;
};

}  // namespace

TEST_CASE("QoS 1 messages do not overtake QoS 2 messages that wait for the store") {
    for (unsigned shard_count = 1; shard_count <= 2; ++shard_count) {
        Slow slow(shard_count);
        for (const int qos : {1, 2, 1, 1, 2, 2, 1})
            slow.publisher->publish("t", {.qos = static_cast<uint8_t>(qos)});
        slow.catch_up();
        REQUIRE(slow.subscriber->inbox.size() == 7);
        for (size_t i = 1; i < 7; ++i)
            CHECK(slow.subscriber->inbox[i].number > slow.subscriber->inbox[i - 1].number);
        slow.stage.check();
    }
}

TEST_CASE("a QoS 2 message that expires while it waits for the store is not sent") {
    Slow slow(1);
    slow.publisher->publish("t", {.qos = 2, .expiry_s = 1});
    slow.publisher->publish("t", {.qos = 2});
    slow.stage.rest();
    slow.stage.sim.advance(2000);
    slow.catch_up();
    CHECK(slow.subscriber->inbox.size() == 1);
    CHECK(slow.stage.sim.sum(&comqtt::Metrics::inflight) == 0);
    CHECK(slow.stage.sim.sum(&comqtt::Metrics::inflight_dropped) == 1);
}

TEST_CASE("what another thread takes in several rounds is acknowledged when all of it is stored") {
    Stage stage(shards(2, 1));
    REQUIRE(stage.sim.little_at_a_time);  // one receiver in a round
    auto store = std::make_shared<SlowStore>();
    store->at_once = true;
    REQUIRE(stage.sim.core->hooks.add(store));
    Client& kept = stage.connected("kept", 0, {}, {.clean = false, .expiry_s = 1000});
    Client& kept_too = stage.connected("kept-too", 0, {}, {.clean = false, .expiry_s = 1000});
    Client& seen = stage.connected("seen", 0);
    stage.subscribe(kept, "a", {.qos = 1});
    stage.subscribe(kept_too, "a", {.qos = 1});
    stage.subscribe(seen, "b", {.qos = 1});
    Client& publisher = stage.connected("publisher", 1);
    kept.disconnect();
    kept_too.disconnect();
    stage.rest();
    store->at_once = false;
    publisher.publish("a", {.qos = 1});
    publisher.publish("b", {.qos = 1});  // leaves nothing to be stored
    stage.rest();
    CHECK(store->waiting() > 0);
    CHECK_MESSAGE(publisher.quota_used() == 2, "nothing of it is stored");
    do stage.rest();
    while (store->work());
    CHECK(publisher.quota_used() == 0);
    CHECK(store->sessions.at(kept.settings().id).queue.size() == 1);
    CHECK(store->sessions.at(kept_too.settings().id).queue.size() == 1);
    store->at_once = true;
    kept.connect({.clean = false, .expiry_s = 1000});
    kept_too.connect({.clean = false, .expiry_s = 1000});
    stage.rest();
    stage.check();
}
