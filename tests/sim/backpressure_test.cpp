#include <doctest/doctest.h>

#include "sim/stage.hpp"
#include "support/slow_store.hpp"

using namespace comqtt::sim;

namespace {

Settings small_marks(unsigned count, uint64_t seed) {
    Settings settings = shards(count, seed);
    settings.config.limits.high_mark_bytes = 4096;
    return settings;
}

/// Messages of one publisher arrive in the order sent: the model checks; here only how many.
void flood(Client& publisher, const std::string& topic, unsigned count, uint8_t qos = 0) {
    for (unsigned i = 0; i < count; ++i) publisher.publish(topic, {.qos = qos, .size = 100});
}

}  // namespace

TEST_CASE("a slow consumer pauses its publishers on all shards, resumes them, and loses nothing") {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        Stage stage(small_marks(3, seed));
        Client& consumer = stage.connected("consumer", 0, {.wire_capacity = 1000});
        stage.subscribe(consumer, "t/+", {.qos = 0});
        Client& near = stage.connected("near", 0);
        Client& far = stage.connected("far", 1);
        Client& farther = stage.connected("farther", 2);
        consumer.deaf = true;
        // Many reads, so that the pause comes between them.
        for (unsigned i = 0; i < 40; ++i) {
            flood(near, "t/near", 50);
            flood(far, "t/far", 50);
            flood(farther, "t/farther", 50);
            stage.rest();
        }
        CHECK(near.wire()->paused());
        CHECK(far.wire()->paused());
        CHECK(farther.wire()->paused());
        CHECK(near.wire()->unread_by_broker() + far.wire()->unread_by_broker() +
                  farther.wire()->unread_by_broker() >
              400'000);
        consumer.deaf = false;
        stage.rest();
        CHECK(consumer.inbox.size() == 6000);
        CHECK(!near.wire()->paused());
        CHECK(!far.wire()->paused());
        CHECK(!farther.wire()->paused());
        CHECK(stage.sim.sum(&comqtt::Metrics::messages_dropped) == 0);
        stage.check();
    }
}

TEST_CASE("publishers wait for a consumer of whose queue most is on disk, and nothing is lost") {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        for (const bool by_number : {false, true}) {
            Settings settings = small_marks(2, seed);
            settings.config.limits.client_queue_memory = 4096;
            if (by_number) {
                settings.config.capabilities.maximum_client_writes_pending = 100;
            } else {
                settings.config.limits.high_mark_bytes = 1'000'000;
                settings.config.limits.client_queued_bytes = 300'000;
            }
            Stage stage(settings);
            const auto store = std::make_shared<support::SlowStore>();
            REQUIRE(stage.sim.core->hooks.add(store));
            store->at_once = true;
            Client& consumer = stage.connected("consumer", 0, {.receive_maximum = 3}, {.expiry_s = 1000});
            stage.subscribe(consumer, "t", {.qos = 1});
            Client& near = stage.connected("near", 0);
            Client& far = stage.connected("far", 1);
            consumer.deaf = true;
            size_t sent = 0;  // a client that waits for 200 acknowledgements sends no more
            for (unsigned i = 0; i < 4000; ++i) {
                sent += (i % 2 ? near : far).publish("t", {.qos = 1, .size = 100});
                if (i % 100 == 0) stage.rest();
            }
            CHECK(sent < 2000);
            CHECK(near.wire()->paused());
            CHECK(far.wire()->paused());
            CHECK(stage.sim.core->stored_bytes > 0);
            CHECK(stage.sim.core->queued_bytes < 300'000);
            consumer.deaf = false;
            do {
                stage.rest();
            } while (store->work());  // answers what is asked for of the queue
            CHECK(consumer.inbox.size() == sent);
            CHECK(stage.sim.sum(&comqtt::Metrics::messages_dropped) == 0);
            stage.check();
        }
    }
}

TEST_CASE("a stuck consumer is given up, then disconnected, and the others go on") {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        Stage stage(small_marks(2, seed));
        Client& stuck = stage.connected("stuck", 0, {.wire_capacity = 500});
        Client& healthy = stage.connected("healthy", 1);
        stage.subscribe(stuck, "t", {.qos = 0});
        stage.subscribe(healthy, "t", {.qos = 0});
        Client& publisher = stage.connected("publisher", 1);
        stuck.deaf = true;
        for (unsigned i = 0; i < 20; ++i) {
            flood(publisher, "t", 50);
            stage.rest();
        }
        CHECK(publisher.wire()->paused());
        CHECK(healthy.inbox.size() < 1000);
        stage.pass(5'000);
        CHECK(!publisher.wire()->paused());
        CHECK(healthy.inbox.size() == 1000);
        CHECK(stage.sim.sum(&comqtt::Metrics::stuck_consumers) == 1);
        CHECK(stage.sim.sum(&comqtt::Metrics::messages_dropped) > 0);
        CHECK(!stuck.wire()->aborted());
        stage.pass(26'000);
        CHECK(stuck.wire()->aborted());
        CHECK(stage.sim.core->connections == 2);
        flood(publisher, "t", 10);
        stage.rest();
        CHECK(healthy.inbox.size() == 1010);
    }
}

TEST_CASE("what is on its way to a shard that does not run is bounded, and arrives when it runs") {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        Settings settings = shards(2, seed);
        settings.config.limits.handover_bytes = 10'000;
        Stage stage(settings);
        Client& consumer = stage.connected("consumer", 0, {.wire_capacity = 1 << 20});
        stage.subscribe(consumer, "t", {.qos = 1});
        Client& publisher = stage.connected("publisher", 1);
        for (unsigned i = 0; i < 100; ++i) {
            flood(publisher, "t", 20, i % 2 ? 1 : 0);
            for (unsigned rounds = 0; rounds < 5; ++rounds) stage.sim.run_all(1);
            publisher.read_all();
        }
        CHECK(publisher.wire()->paused());
        // The limit and what one read brought on top of it.
        CHECK(stage.sim.core->mailboxes[0]->pending_bytes() < 10'000 + 20'000);
        stage.rest();
        CHECK(!publisher.wire()->paused());
        CHECK(stage.sim.core->mailboxes[0]->pending_bytes() == 0);
        CHECK(consumer.inbox.size() >= 1000);
        stage.check();
    }
}

TEST_CASE("two clients whose queues are full because of each other do not wait for each other") {
    for (uint64_t seed = 1; seed <= 30; ++seed) {
        Settings settings = small_marks(1 + seed % 3, seed);
        settings.config.limits.high_mark_bytes = 600;
        settings.config.limits.stuck_timeout_ms = settings.config.limits.stuck_disconnect_ms = 1'000'000'000;
        Stage stage(settings);
        const unsigned other = stage.sim.shard_count() - 1;
        Client& one = stage.connected("one", 0, {.receive_maximum = 2, .wire_capacity = 300});
        Client& two = stage.connected("two", other, {.receive_maximum = 2, .wire_capacity = 300});
        stage.subscribe(one, "t/#", {.qos = 1});
        stage.subscribe(two, "t/#", {.qos = 1});
        for (unsigned i = 0; i < 10; ++i) {
            flood(one, "t/one", 15, 1);
            flood(two, "t/two", 15, 1);
            flood(one, "t/one", 5, 0);
            flood(two, "t/two", 5, 0);
        }
        stage.rest();
        CHECK(one.at_rest());
        CHECK(two.at_rest());
        CHECK(one.inbox.size() == 400);
        CHECK(two.inbox.size() == 400);
        stage.check();
    }
}

TEST_CASE("messages queued behind an output that one write empties go out without another event") {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        Settings settings = small_marks(1, seed);
        settings.config.limits.high_mark_bytes = 500;
        Stage stage(settings);
        Client& consumer = stage.connected("consumer", 0, {.wire_capacity = 1 << 20});
        Client& publisher = stage.connected("publisher", 0);
        stage.subscribe(consumer, "t", {.qos = 2});
        // One read with QoS 0 above the mark, then QoS 1: all of it must leave in that round.
        flood(publisher, "t", 10, 0);
        flood(publisher, "t", 5, 1);
        consumer.deaf = true;
        stage.rest();
        consumer.read(SIZE_MAX);
        CHECK(consumer.inbox.size() == 15);
        consumer.deaf = false;
        stage.rest();
        stage.check();
    }
}

TEST_CASE("QoS 1 and 2 stay within the receive maximum and all arrive") {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        Stage stage(shards(2, seed));
        Client& consumer = stage.connected("consumer", 0, {.receive_maximum = 3});
        Client& publisher = stage.connected("publisher", 1);
        stage.subscribe(consumer, "t", {.qos = 2});
        consumer.deaf = true;
        flood(publisher, "t", 50, 1);
        flood(publisher, "t", 50, 2);
        stage.rest();
        consumer.read(SIZE_MAX);
        CHECK(consumer.in_flight() == 3);
        consumer.deaf = false;
        stage.rest();
        CHECK(consumer.inbox.size() == 100);
        stage.check();
    }
}
