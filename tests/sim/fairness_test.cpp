// What others lose to a receiver that takes nothing, in virtual time: rates, gaps, and who is waited for how long.

#include <doctest/doctest.h>

#include <algorithm>

#include "sim/stage.hpp"

using namespace comqtt::sim;

namespace {

constexpr size_t kPayload = 1000;

Settings marks(unsigned count, uint64_t seed) {
    Settings settings = shards(count, seed);
    settings.config.limits.high_mark_bytes = 65'536;
    return settings;
}

/// A pair that is to get a message through each millisecond, whatever else goes on.
struct Pair {
    Pair(Stage& on, unsigned publishing_shard, unsigned receiving_shard, uint8_t with_qos = 0,
         comqtt::mqtt::Version version = comqtt::mqtt::Version::v5)
        : stage(on),
          qos(with_qos),
          publisher(on.connected("pair-publisher", publishing_shard, {.version = version})),
          receiver(on.connected("pair-receiver", receiving_shard,
                                {.version = version, .wire_capacity = 1 << 20})) {
        stage.subscribe(receiver, "pair", {.qos = qos});
        last_ms = stage.sim.now_ms();
    }
    void run(int64_t ms) {
        for (; ms > 0; --ms) {
            stage.sim.advance(1);
            publisher.publish("pair", {.qos = qos, .size = kPayload});
            stage.rest();
            if (receiver.inbox.size() == seen) continue;
            seen = receiver.inbox.size();
            longest_gap_ms = std::max(longest_gap_ms, stage.sim.now_ms() - last_ms);
            last_ms = stage.sim.now_ms();
        }
    }

    Stage& stage;
    const uint8_t qos;
    Client& publisher;
    Client& receiver;
    int64_t last_ms = 0;
    int64_t longest_gap_ms = 0;
    size_t seen = 0;
};

/// One that has only just come and takes nothing.
Client& sloth_on(Stage& stage, const std::string& name, unsigned shard, uint8_t qos = 0) {
    Client& sloth = stage.connected(name, shard, {.wire_capacity = 2000});
    stage.subscribe(sloth, "#", {.qos = qos});
    sloth.deaf = true;
    return sloth;
}

}  // namespace

TEST_CASE("a subscriber that never reads and comes back every three seconds costs a pair next to nothing") {
    for (unsigned count = 1; count <= 3; ++count) {
        for (const uint8_t qos : {uint8_t{0}, uint8_t{1}}) {
            CAPTURE(count);
            CAPTURE(unsigned{qos});
            Stage stage(marks(count, count));
            Pair pair(stage, 0, count - 1, qos,
                      qos ? comqtt::mqtt::Version::v311 : comqtt::mqtt::Version::v5);
            for (int visit = 0; visit < 4; ++visit) {
                Client& sloth = sloth_on(stage, "sloth" + std::to_string(visit), (visit + 1) % count, qos);
                pair.run(3000);
                sloth.cut();
            }
            CHECK(pair.longest_gap_ms < 200);
            CHECK(pair.receiver.inbox.size() >= 12'000 * 95 / 100);
        }
    }
}

TEST_CASE("the pair goes on likewise when the one that never reads cannot be told from newcomers") {
    for (unsigned count = 1; count <= 3; ++count) {
        CAPTURE(count);
        Settings settings = marks(count, count);
        settings.config.limits.idle_receivers =
            0;  // nobody is remembered: what the publisher may lose is bounded
        Stage stage(settings);
        Pair pair(stage, 0, count - 1);
        for (int visit = 0; visit < 20; ++visit) {
            Client& sloth = sloth_on(stage, "sloth" + std::to_string(visit), (visit + 1) % count);
            pair.run(500);
            sloth.cut();
        }
        CHECK(stage.sim.sum(&comqtt::Metrics::waits_refused) > 0);
        CHECK(pair.longest_gap_ms < 200);
        CHECK(pair.receiver.inbox.size() >= 10'000 * 97 / 100);
    }
}

TEST_CASE("what a receiver that is not waited for does not take is dropped at QoS 0 and queued at QoS 1") {
    for (const uint8_t qos : {uint8_t{0}, uint8_t{1}}) {
        CAPTURE(unsigned{qos});
        Settings settings = marks(2, 5);
        settings.config.limits.high_mark_bytes = 4096;
        settings.config.limits.client_queued_bytes = 65'536;
        Stage stage(settings);
        Pair pair(stage, 0, 1, qos);
        sloth_on(stage, "sloth", 1, qos);
        pair.run(300);
        CHECK(stage.sim.sum(&comqtt::Metrics::stuck_consumers) == 1);
        CHECK(stage.sim.sum(&comqtt::Metrics::messages_dropped) > 150);
        CHECK(stage.sim.core->queued_bytes <= 65'536);
        CHECK((stage.sim.core->queued_bytes > 0) == (qos > 0));
        pair.publisher.read_all();
        CHECK(pair.receiver.inbox.size() == 300);
    }
}

TEST_CASE("a receiver that reads slowly loses nothing under a flood, whoever else does not read") {
    struct Reader {
        size_t bytes;
        int64_t every_ms;
    };
    // Its transport holds 2000 bytes: the last two are seen to take something more rarely than others are waited for.
    for (const Reader reader : {Reader{40, 1}, Reader{500, 10}, Reader{2000, 60}, Reader{2000, 300}}) {
        for (unsigned count = 1; count <= 3; ++count) {
            for (const uint8_t qos : {uint8_t{0}, uint8_t{1}}) {
                CAPTURE(reader.every_ms);
                CAPTURE(count);
                CAPTURE(unsigned{qos});
                Stage stage(marks(count, count));
                const auto version = count % 2 ? comqtt::mqtt::Version::v311 : comqtt::mqtt::Version::v5;
                Client& sloth = sloth_on(stage, "sloth", 0);
                Client& slow =
                    stage.connected("slow", count - 1, {.version = version, .wire_capacity = 2000});
                stage.subscribe(slow, "flood", {.qos = qos});
                slow.deaf = true;
                Client& publisher = stage.connected("publisher", 0, {.version = version});
                unsigned sent = 0;
                for (int64_t ms = 1; ms <= 2000; ++ms) {
                    stage.sim.advance(1);
                    for (int i = 0; i < 5; ++i) sent += publisher.publish("flood", {.qos = qos, .size = 100});
                    if (ms % reader.every_ms == 0) {
                        slow.read(reader.bytes);
                        slow.acknowledge(SIZE_MAX);
                    }
                    stage.rest();
                }
                CHECK(publisher.wire()->pauses() > 0);
                CHECK(publisher.wire()->unread_by_broker() > 10'000);
                sloth.cut();
                slow.deaf = false;
                stage.rest();
                // At QoS 1 the acknowledgements that are not read hold it back as well.
                CHECK(sent >= (qos ? 1'000 : 10'000));
                CHECK(slow.inbox.size() == sent);
                CHECK(!publisher.wire()->paused());
            }
        }
    }
}

TEST_CASE("a publisher that waits for a slow reader is answered within its keep alive, and kept") {
    for (unsigned count = 1; count <= 3; ++count) {
        for (const uint16_t keep_alive_s : {uint16_t{1}, uint16_t{4}, uint16_t{60}}) {
            CAPTURE(count);
            CAPTURE(keep_alive_s);
            Stage stage(marks(count, count));
            Client& slow = stage.connected("slow", count - 1, {.wire_capacity = 2000});
            stage.subscribe(slow, "flood", {.qos = 0});
            slow.deaf = true;
            Client& publisher = stage.connected("publisher", 0, {}, {.keep_alive_s = keep_alive_s});
            // Far more than the reader takes in a keep alive, in several reads, and more behind it each time.
            int64_t held_ms = 0;
            for (int ping = 0; ping < 5; ++ping) {
                for (int i = 0; i < (ping ? 200 : 2000); ++i)
                    publisher.publish("flood", {.qos = 0, .size = 100});
                publisher.ping();
                for (int64_t ms = 0; ms < keep_alive_s * 1000 && !publisher.at_rest(); ms += 10) {
                    stage.sim.advance(10);
                    slow.read(30);
                    stage.rest();
                    held_ms += publisher.wire()->paused() ? 10 : 0;
                }
                CHECK(publisher.at_rest());
                // Then it is silent until the next PINGREQ is due.
                for (int64_t ms = 0; ms < keep_alive_s * 1000; ms += 10) {
                    stage.sim.advance(10);
                    slow.read(30);
                    stage.rest();
                }
            }
            CHECK(held_ms > 0);
            CHECK(publisher.up());
            slow.deaf = false;
            stage.rest();
            CHECK(slow.inbox.size() == 2800);
            CHECK(stage.sim.sum(&comqtt::Metrics::keep_alive_timeouts) == 0);
        }
    }
}

TEST_CASE("a publisher that was held up and then falls silent is disconnected after its keep alive") {
    Stage stage(marks(1, 1));
    Client& slow = stage.connected("slow", 0, {.wire_capacity = 2000});
    stage.subscribe(slow, "flood", {.qos = 0});
    slow.deaf = true;
    Client& publisher = stage.connected("publisher", 0, {}, {.keep_alive_s = 10});
    for (int i = 0; i < 2000; ++i) publisher.publish("flood", {.qos = 0, .size = 100});
    stage.rest();
    slow.deaf = false;
    stage.rest();
    publisher.expects_end = true;
    stage.pass(14'000);
    CHECK(stage.sim.sum(&comqtt::Metrics::keep_alive_timeouts) == 0);
    stage.pass(2'000);
    CHECK(stage.sim.sum(&comqtt::Metrics::keep_alive_timeouts) == 1);
}

TEST_CASE("backpressure drop holds nobody up, and drops above the high mark") {
    Settings settings = marks(2, 7);
    settings.config.backpressure = comqtt::broker::BackpressurePolicy::drop;
    Stage stage(settings);
    Pair pair(stage, 0, 1);
    Client& sloth = sloth_on(stage, "sloth", 1);
    pair.run(2000);
    CHECK(pair.receiver.inbox.size() == 2000);
    CHECK(pair.longest_gap_ms == 1);
    CHECK(pair.publisher.wire()->pauses() == 0);
    CHECK(stage.sim.sum(&comqtt::Metrics::messages_dropped) > 1800);
    sloth.deaf = false;
    stage.rest();
    CHECK(sloth.inbox.size() < 100);
}

TEST_CASE("nobody is held up at rest, whatever receivers and publishers do meanwhile") {
    for (uint64_t seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        Settings settings = marks(1 + seed % 3, seed);
        settings.config.limits.high_mark_bytes = 2000;
        settings.config.limits.handover_bytes = seed % 2 ? 4000 : 1 << 20;
        settings.config.limits.patience_ms = seed % 5 ? 50 : 1;
        settings.config.limits.stuck_disconnect_ms = seed % 3 ? 30'000 : 900;
        settings.config.limits.stuck_timeout_ms = seed % 4 ? 5'000 : 200;
        settings.config.limits.idle_memory_ms = seed % 2 ? 60'000 : 300;
        Stage stage(settings);
        auto& random = stage.sim.random;
        std::vector<Client*> clients;
        for (unsigned i = 0; i < 6; ++i) {
            Client& made =
                stage.connected("c" + std::to_string(i), i % stage.sim.shard_count(),
                                {.receive_maximum = static_cast<uint16_t>(random.between(1, 20)),
                                 .wire_capacity = random.between(200, 3000)},
                                {.expiry_s = 1000, .keep_alive_s = static_cast<uint16_t>(random.below(3))});
            made.expects_end = true;
            stage.subscribe(made, "t/" + std::to_string(i % 3),
                            {.qos = static_cast<uint8_t>(random.below(3))});
            clients.push_back(&made);
        }
        for (unsigned act = 0; act < 1500; ++act) {
            Client& client = *random.pick(clients);
            const size_t dice = random.below(100);
            if (dice < 30 && client.up()) {
                const std::string topic = "t/" + std::to_string(random.below(3));
                const PublishSettings message{.qos = static_cast<uint8_t>(random.below(3)), .size = 200};
                for (size_t i = random.below(10); i; --i) client.publish(topic, message);
            } else if (dice < 45) {
                client.read(random.between(1, 600));
                client.acknowledge(random.below(5));
            } else if (dice < 60) {
                stage.sim.advance(static_cast<int64_t>(random.between(1, 40)));
            } else if (dice < 61) {
                stage.sim.advance(400);
            } else if (dice < 62 && client.up()) {
                random.chance(50) ? client.cut() : client.disconnect();
            } else if (dice < 65 && client.state() == Client::State::offline && client.may_connect()) {
                client.connect({.clean = false,
                                .expiry_s = 1000,
                                .keep_alive_s = static_cast<uint16_t>(random.below(3))});
            } else {
                stage.sim.run_some(static_cast<unsigned>(random.below(stage.sim.shard_count())));
            }
        }
        // All who are there read; of the others the broker hears, or does not, and gives them up in time.
        stage.pass(100, 10);
        stage.pass(12'000, 100);  // one that went away while it was not read may have earned some seconds
        for (Client* client : clients) {
            if (!client->up() || client->wire()->gone() || client->wire()->finished()) continue;
            CHECK(!client->wire()->paused());
            CHECK(client->wire()->unread_by_broker() == 0);
        }
        stage.pass(40'000, 200);
        for (const auto& wire : stage.sim.wires())
            CHECK((wire->gone() || wire->finished() || !wire->paused() || wire->closed_by_client()));
        CHECK(stage.sim.core->congested == 0);
    }
}
