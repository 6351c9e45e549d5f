// What waits for a store that does not answer is bounded, whatever clients send meanwhile.

#include <doctest/doctest.h>

#include "sim/rogue.hpp"
#include "sim/stage.hpp"
#include "support/slow_store.hpp"

using namespace comqtt::sim;
using comqtt::mqtt::PacketType;
using support::SlowStore;

namespace {

class Silent {
public:
    explicit Silent(Settings settings) : stage(settings) {
        REQUIRE(stage.sim.core->hooks.add(store));
        store->at_once = true;
    }
    Rogue& client(const std::string& name, bool clean = false, uint32_t expiry_s = 1000) {
        raws.push_back(std::make_unique<Rogue>(stage.sim));
        raws.back()->connect(name, clean, expiry_s);
        stage.sim.settle();
        return *raws.back();
    }
    /// The store commits until nothing is left to do.
    void catch_up() {
        store->at_once = false;
        bool more = true;
        while (more) {
            stage.sim.settle();
            for (const auto& raw : raws) raw->read();
            more = store->work();
        }
        stage.sim.settle();
        for (const auto& raw : raws) raw->read();
    }
    int64_t held() { return stage.sim.sum(&comqtt::Metrics::acks_held); }
    uint64_t uncommitted() { return stage.sim.core->uncommitted_bytes.load(); }

    Stage stage;
    std::shared_ptr<SlowStore> store = std::make_shared<SlowStore>();
    std::vector<std::unique_ptr<Rogue>> raws;
};

}  // namespace

TEST_CASE(
    "PUBRELs for unknown ids wait for a silent store up to a limit, and all are answered when it commits") {
    for (unsigned shard_count = 1; shard_count <= 2; ++shard_count) {
        Silent silent(shards(shard_count));
        Rogue& raw = silent.client("flood");
        silent.store->at_once = false;
        raw.publish("t", 2, 1);
        for (unsigned i = 0; i < 30'000; ++i)
            raw.ack(PacketType::pubrel, static_cast<uint16_t>(2 + i % 60'000));
        silent.stage.sim.settle();
        CHECK(silent.held() <= 2048);
        CHECK(raw.wire().paused());
        silent.catch_up();
        CHECK(raw.count[PacketType::pubrec] == 1);
        CHECK(raw.count[PacketType::pubcomp] == 30'000);
        CHECK(!raw.wire().paused());
        CHECK(silent.held() == 0);
        CHECK(silent.store->fault == "");
    }
}

TEST_CASE("QoS 2 messages that are sent again and again wait for a silent store up to a limit") {
    Silent silent(shards(1));
    Rogue& raw = silent.client("again");
    silent.store->at_once = false;
    raw.publish("t", 2, 1);
    for (unsigned i = 0; i < 10'000; ++i) raw.publish("t", 2, 1, true);
    silent.stage.sim.settle();
    CHECK(silent.held() <= 2048);
    CHECK(raw.wire().paused());
    silent.catch_up();
    CHECK(raw.count[PacketType::pubrec] == 10'001);
}

TEST_CASE("acknowledgements that wait for a silent store are bounded for all clients together") {
    for (unsigned shard_count = 1; shard_count <= 2; ++shard_count) {
        Settings settings = shards(shard_count);
        settings.config.limits.held_acks = 400;
        Silent silent(settings);
        for (unsigned i = 0; i < 20; ++i) silent.client("client" + std::to_string(i));
        silent.store->at_once = false;
        for (const auto& raw : silent.raws) {
            raw->publish("t", 2, 1);
            for (uint16_t i = 0; i < 1000; ++i) raw->ack(PacketType::pubrel, static_cast<uint16_t>(2 + i));
        }
        silent.stage.sim.settle();
        CHECK(silent.held() <= 400 + 20);
        silent.catch_up();
        for (const auto& raw : silent.raws) {
            CHECK(raw->count[PacketType::pubrec] == 1);
            CHECK(raw->count[PacketType::pubcomp] == 1000);
        }
    }
}

TEST_CASE("subscriptions made and removed leave no more for a silent store than may wait for it") {
    for (unsigned shard_count = 1; shard_count <= 2; ++shard_count) {
        Settings settings = shards(shard_count);
        settings.config.limits.uncommitted_bytes = 65'536;
        Silent silent(settings);
        Rogue& raw = silent.client("fickle");
        silent.store->at_once = false;
        for (uint16_t i = 0; i < 1500; ++i) {
            const std::string name = "a/filter/" + std::to_string(i);
            raw.filter(PacketType::subscribe, name, static_cast<uint16_t>(1 + 2 * i));
            raw.filter(PacketType::unsubscribe, name, static_cast<uint16_t>(2 + 2 * i));
            raw.ack(PacketType::pingreq, 0);
        }
        silent.stage.sim.settle();
        CHECK(silent.uncommitted() <= 65'536 + 1000);
        CHECK(raw.wire().paused());
        silent.catch_up();
        CHECK(raw.count[PacketType::suback] == 1500);
        CHECK(raw.count[PacketType::unsuback] == 1500);
        CHECK(raw.count[PacketType::pingresp] == 1500);
        CHECK(silent.uncommitted() == 0);
        CHECK(silent.store->fault == "");
    }
}

TEST_CASE("a stored session that connects again and again while the store is silent is refused in the end") {
    for (unsigned shard_count = 1; shard_count <= 2; ++shard_count) {
        Settings settings = shards(shard_count);
        settings.config.limits.uncommitted_bytes = 65'536;
        Silent silent(settings);
        silent.client("restless");
        silent.store->at_once = false;
        for (unsigned i = 0; i < 1000; ++i) {
            Rogue& raw = silent.client("restless");
            silent.stage.sim.advance(20);
            raw.wire().close();
            silent.stage.sim.settle();
        }
        CHECK(silent.uncommitted() <=
              2 * 65'536 + 400'000);  // 5 s of it come before the store counts as stuck
        const uint64_t before = silent.uncommitted();
        for (unsigned i = 0; i < 100; ++i) {
            Rogue& raw = silent.client("restless");
            raw.wire().close();
            silent.stage.sim.settle();
            raw.read();
            CHECK(raw.last_reason == comqtt::mqtt::Reason::server_unavailable);
        }
        CHECK(silent.uncommitted() == before);
        silent.catch_up();
        Rogue& raw = silent.client("restless");
        silent.catch_up();
        raw.read();
        CHECK(raw.count[PacketType::connack] == 1);
        CHECK(raw.last_reason == comqtt::mqtt::Reason::success);
    }
}
