#include <doctest/doctest.h>

#include "sim/stage.hpp"

using namespace comqtt;
using namespace comqtt::sim;

namespace {

constexpr int kMany = 5000;

std::string name(int i) { return "f/" + std::to_string(i); }

/// SUBSCRIBE or UNSUBSCRIBE with all of them in one packet, beside what the client knows.
void send_many(Client& client, mqtt::PacketType type) {
    mqtt::Packet packet;
    packet.type = type;
    packet.version = mqtt::Version::v5;
    packet.packet_id = 1;
    for (int i = 0; i < kMany; ++i) {
        auto& entry = packet.filters.emplace_back();
        entry.filter = name(i);
    }
    std::vector<uint8_t> bytes;
    REQUIRE(mqtt::encode_packet(packet, bytes));
    client.wire()->send(bytes);
}

/// Answers to `send_many` are not for the model: this reads the wire itself.
size_t answers(Wire& wire) {
    const std::vector<uint8_t> bytes = wire.read(SIZE_MAX);
    return bytes.size();
}

}  // namespace

TEST_CASE(
    "one packet with very many filters is handled in pieces, and another client's round trip fits in "
    "between") {
    for (unsigned count = 1; count <= 4; ++count) {
        Stage stage(shards(count));
        Client& many = stage.connected("many", 0, {.wire_capacity = 1 << 20});
        Client& a = stage.connected("a", 0);
        stage.subscribe(a, "pair", {.qos = 0});
        for (const auto type : {mqtt::PacketType::subscribe, mqtt::PacketType::unsubscribe}) {
            const size_t before = stage.sim.core->index.subscription_count();
            send_many(many, type);
            // Of a SUBSCRIBE each filter is judged first, then added.
            for (int round = 0; round < (type == mqtt::PacketType::subscribe ? 7 : 2); ++round)
                stage.sim.run_all(0);
            const size_t after = stage.sim.core->index.subscription_count();
            const size_t done = after > before ? after - before : before - after;
            CHECK(done > 0);
            CHECK(done < kMany);
            CHECK(answers(*many.wire()) == 0);
            const size_t seen = a.inbox.size();
            a.publish("pair", {.qos = 0});
            stage.sim.run_all(0);
            a.read_all();
            CHECK(a.inbox.size() == seen + 1);
            stage.sim.settle();
            CHECK(answers(*many.wire()) > kMany);
            CHECK(stage.sim.core->index.subscription_count() ==
                  (type == mqtt::PacketType::subscribe ? kMany + 1 : 1));
        }
    }
}

TEST_CASE("the subscriptions of a session that has ended go in pieces, and nothing is sent to it meanwhile") {
    for (unsigned count = 1; count <= 4; ++count) {
        Stage stage(shards(count));
        Client& many = stage.connected("many", 0, {.wire_capacity = 1 << 20});
        Client& publisher = stage.connected("publisher", count - 1);
        send_many(many, mqtt::PacketType::subscribe);
        stage.sim.settle();
        answers(*many.wire());
        CHECK(stage.sim.sum(&Metrics::subscriptions) == kMany);
        // Its routes are cached.
        for (int i = 0; i < 100; ++i) publisher.publish(name(i), {.qos = 1});
        stage.sim.settle();
        CHECK(answers(*many.wire()) > 0);
        many.cut();
        stage.sim.run_all(0);
        CHECK(stage.sim.core->index.subscription_count() > kMany / 2);
        for (int i = 0; i < kMany; i += 10) {
            publisher.publish(name(i), {.qos = 1});
            if (i % 100 == 0) stage.sim.run_all(count - 1);
        }
        publisher.read_all();
        // The same client again, before all is gone: its new session is another one.
        many.connect({});
        stage.rest();
        stage.subscribe(many, name(7), {.qos = 1});
        publisher.publish(name(7), {.qos = 1});
        publisher.publish(name(8), {.qos = 1});
        stage.rest();
        CHECK(many.inbox.size() == 1);
        CHECK(stage.sim.core->index.subscription_count() == 1);
        CHECK(stage.sim.sum(&Metrics::subscriptions) == 1);
        CHECK(stage.sim.sum(&Metrics::queued_messages) == 0);
        CHECK(stage.sim.core->queued_bytes == 0);
    }
}
