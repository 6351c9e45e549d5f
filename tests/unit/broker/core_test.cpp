#include "broker/core.hpp"

#include <doctest/doctest.h>

#include <set>
#include <thread>

#include "broker/snapshot.hpp"
#include "unit/hooks/stage.hpp"

using namespace comqtt;
using namespace comqtt::broker;
using hooks::test::make_client;

namespace {

struct Stage : Host {
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    Core core;
    explicit Stage(unsigned shards = 1) : core({}, {}, clock, *this, shards, 42) {}
    void wake(unsigned) override {}
};

}  // namespace

TEST_CASE("the registry knows one client per id, the one put last") {
    Registry registry;
    CHECK_FALSE(registry.find("a"));
    const auto first = make_client("a"), second = make_client("a"), other = make_client("b");
    registry.put(first);
    registry.put(other);
    CHECK(registry.find("a").get() == first.get());
    registry.put(second);
    CHECK(registry.find("a").get() == second.get());
    CHECK(registry.find("b").get() == other.get());
    CHECK(registry.count() == 2);
}

TEST_CASE("a client that was replaced does not take its successor out of the registry") {
    Registry registry;
    const auto first = make_client("a"), second = make_client("a");
    registry.put(first);
    registry.put(second);
    registry.remove(*first);
    CHECK(registry.find("a").get() == second.get());
    registry.remove(*second);
    CHECK_FALSE(registry.find("a"));
    CHECK(registry.count() == 0);
}

TEST_CASE("an entry of the registry outlives every other reference to its client") {
    Registry registry;
    for (int i = 0; i < 100; ++i) registry.put(make_client("client " + std::to_string(i)));
    for (int i = 0; i < 100; ++i) registry.put(make_client("client " + std::to_string(i)));
    std::set<std::string> ids;
    for (const auto& client : registry.all()) ids.insert(client->id);
    CHECK(ids.size() == 100);
    CHECK(registry.count() == 100);
    CHECK(registry.find("client 99")->id == "client 99");
}

TEST_CASE("a blocked id is blocked once, until it is removed") {
    BlockList blocked;
    CHECK_FALSE(blocked.contains("a"));
    CHECK(blocked.add("a", 10) == Status::ok);
    CHECK(blocked.add("a", 10) == Status::exists);
    CHECK(blocked.contains("a"));
    CHECK_FALSE(blocked.contains("b"));
    CHECK(blocked.all() == std::vector<std::string>{"a"});
    CHECK(blocked.remove("a"));
    CHECK_FALSE(blocked.remove("a"));
    CHECK_FALSE(blocked.contains("a"));
}

TEST_CASE("no more ids are blocked than the limit") {
    BlockList blocked;
    CHECK(blocked.add("a", 0) == Status::too_large);
    CHECK(blocked.add("a", 2) == Status::ok);
    CHECK(blocked.add("b", 2) == Status::ok);
    CHECK(blocked.add("c", 2) == Status::too_large);
    CHECK(blocked.add("b", 2) == Status::exists);
    CHECK_FALSE(blocked.contains("c"));
    blocked.remove("a");
    CHECK(blocked.add("c", 2) == Status::ok);
}

TEST_CASE("the hybrid clock follows the wall clock, only grows, and never repeats") {
    Stage stage;
    CHECK(stage.core.next_clock(10) == 10 << 16);
    CHECK(stage.core.next_clock(10) == (10 << 16) + 1);
    CHECK(stage.core.next_clock(5) == (10 << 16) + 2);
    CHECK(stage.core.next_clock(11) == 11 << 16);
    std::vector<uint64_t> seen[2];
    const auto draw = [&](std::vector<uint64_t>& values) {
        for (int i = 0; i < 5000; ++i) values.push_back(stage.core.next_clock(11));
    };
    std::thread other(draw, std::ref(seen[1]));
    draw(seen[0]);
    other.join();
    std::set<uint64_t> all(seen[0].begin(), seen[0].end());
    all.insert(seen[1].begin(), seen[1].end());
    CHECK(all.size() == 10'000);
}

TEST_CASE("client ids and topics spread over all shards, the same way each time") {
    const Stage one(1), four(4), again(4);
    std::vector<size_t> clients(4), topics(4);
    for (int i = 0; i < 1000; ++i) {
        const std::string text = "name " + std::to_string(i);
        REQUIRE(one.core.shard_of(text) == 0);
        REQUIRE(one.core.shard_of_topic(ByteView(text)) == 0);
        REQUIRE(four.core.shard_of(text) < 4);
        REQUIRE(four.core.shard_of(text) == again.core.shard_of(text));
        ++clients[four.core.shard_of(text)];
        ++topics[four.core.shard_of_topic(ByteView(text))];
    }
    for (const size_t count : clients) CHECK(count > 150);
    for (const size_t count : topics) CHECK(count > 150);
}

TEST_CASE("a snapshot tells sessions without a connection, what is on its way, and the time") {
    Stage stage(2);
    stage.core.sessions = 5;
    stage.core.connected = 2;
    stage.core.maximum_connected = 4;
    stage.core.queued_bytes = 1000;
    for (const auto& mailbox : stage.core.mailboxes) {
        MailBatch batch;
        batch.footprint = 30;
        mailbox->post(std::move(batch));
    }
    stage.clock->set(90'500);
    const MetricsSnapshot snapshot = take_snapshot(stage.core);
    CHECK(snapshot.clients_total == 5);
    CHECK(snapshot.clients_connected == 2);
    CHECK(snapshot.clients_disconnected == 3);
    CHECK(snapshot.clients_maximum == 4);
    CHECK(snapshot.queued_bytes == 1000);
    CHECK(snapshot.handover_bytes == 60);
    CHECK(snapshot.started_s == ManualClock::kStartWallMs / 1000);
    CHECK(snapshot.time_s == ManualClock::kStartWallMs / 1000 + 90);
    CHECK(snapshot.uptime_s == 90);
    CHECK(snapshot.memory_alloc > 0);
    // A connection may be counted before its session.
    stage.core.sessions = 1;
    CHECK(take_snapshot(stage.core).clients_disconnected == 0);
}
