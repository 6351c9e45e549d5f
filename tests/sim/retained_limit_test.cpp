#include <doctest/doctest.h>

#include "sim/stage.hpp"

using namespace comqtt;
using namespace comqtt::sim;

namespace {

constexpr unsigned kHeld = 8;

/// A broker that holds as many retained messages as it may: `t/0` to `t/7`, on all its shards.
Settings full(unsigned count) {
    Settings settings = shards(count);
    settings.config.limits.retained_messages = kHeld;
    return settings;
}

void fill(Stage& stage) {
    Client& writer = stage.connected("writer", 0);
    for (unsigned i = 0; i < kHeld; ++i) writer.publish("t/" + std::to_string(i), {.qos = 1, .retain = true});
    stage.rest();
    REQUIRE(stage.sim.core->retained_messages == kHeld);
}

mqtt::Packet retained_packet(const std::string& topic, const std::string& payload) {
    mqtt::Packet packet;
    packet.type = mqtt::PacketType::publish;
    packet.topic_name = topic;
    packet.payload = payload;
    packet.qos = 1;
    packet.retain = true;
    return packet;
}

std::string payload_of(Sim& sim, const std::string& topic) {
    std::vector<mqtt::MessageRef> found;
    for (unsigned i = 0; i < sim.shard_count(); ++i) sim.shard(i).collect_retained(topic, found);
    return found.size() == 1 ? std::string(found[0]->payload().text()) : "";
}

/// A client of that shard connects with a retained will and is cut off.
void die(Sim& sim, unsigned shard, const std::string& topic, const std::string& payload) {
    Wire& wire = sim.dial_at(shard, 4096);
    mqtt::Packet packet;
    packet.type = mqtt::PacketType::connect;
    packet.version = mqtt::Version::v5;
    packet.connect.client_id = sim.id_on(shard, "dying");
    packet.connect.clean_start = true;
    mqtt::Will& will = packet.connect.will.emplace();
    will.topic_name = topic;
    will.payload = payload;
    will.qos = 1;
    will.retain = true;
    std::vector<uint8_t> bytes;
    REQUIRE(mqtt::encode_packet(packet, bytes));
    wire.send(bytes);
    sim.settle();
    wire.reset();
    sim.settle();
}

}  // namespace

TEST_CASE("an inline client may replace a retained message at the limit, and add none") {
    for (unsigned count = 1; count <= 4; ++count) {
        Stage stage(full(count));
        fill(stage);
        auto client = Ref<hooks::Client>::adopt(new hooks::Client);
        client->id = "inline";
        client->is_inline = true;
        broker::Shard& shard = stage.sim.shard(0);
        shard.make_inline_session(client, true);
        const int64_t refused = stage.sim.sum(&Metrics::quota_exceeded);
        for (unsigned i = 0; i < kHeld; ++i)
            shard.publish_inline(*client, retained_packet("t/" + std::to_string(i), "new"));
        shard.end_round();
        stage.rest();
        for (unsigned i = 0; i < kHeld; ++i) CHECK(payload_of(stage.sim, "t/" + std::to_string(i)) == "new");
        CHECK(stage.sim.sum(&Metrics::quota_exceeded) == refused);
        Client& reader = stage.connected("reader", count - 1);
        reader.subscribe("more/#", {.qos = 0});
        stage.rest();
        for (unsigned i = 0; i < kHeld; ++i)
            shard.publish_inline(*client, retained_packet("more/" + std::to_string(i), ""));
        for (unsigned i = 0; i < kHeld; ++i)
            shard.publish_inline(*client, retained_packet("more/" + std::to_string(i), "x"));
        shard.end_round();
        stage.sim.settle();
        CHECK(stage.sim.core->retained_messages == kHeld);
        CHECK(stage.sim.sum(&Metrics::quota_exceeded) == refused + kHeld);
        // One that goes makes room.
        shard.publish_inline(*client, retained_packet("t/0", ""));
        shard.end_round();
        stage.sim.settle();
        shard.publish_inline(*client, retained_packet("fresh", "x"));
        shard.end_round();
        stage.sim.settle();
        CHECK(payload_of(stage.sim, "fresh") == "x");
    }
}

TEST_CASE("the room of a message on its way to its shard is taken: who comes behind it is refused") {
    for (unsigned count = 2; count <= 4; ++count) {
        Settings settings = shards(count);
        settings.config.limits.retained_messages = 1;
        Stage stage(settings);
        broker::Shard& shard = stage.sim.shard(0);
        auto client = Ref<hooks::Client>::adopt(new hooks::Client);
        client->id = "inline";
        client->is_inline = true;
        shard.make_inline_session(client, true);
        const auto topic_on = [&](bool own) {
            for (unsigned i = 0;; ++i) {
                const std::string topic = "t/" + std::to_string(i);
                if ((stage.sim.core->shard_of_topic(ByteView(topic)) == 0) == own) return topic;
            }
        };
        const std::string far = topic_on(false), near = topic_on(true);
        shard.publish_inline(*client, retained_packet(far, "first"));
        shard.publish_inline(*client, retained_packet(near, "second"));
        shard.end_round();
        stage.sim.settle();
        CHECK(payload_of(stage.sim, far) == "first");
        CHECK(payload_of(stage.sim, near) == "");
        CHECK(stage.sim.sum(&Metrics::quota_exceeded) == 1);
        CHECK(stage.sim.core->retained_messages == 1);
        CHECK(stage.sim.core->retained_bytes == stage.sim.sum(&Metrics::retained_bytes));
    }
}

TEST_CASE("a will may replace a retained message at the limit, and add none") {
    for (unsigned count = 1; count <= 4; ++count) {
        for (const bool known : {true, false}) {
            Stage stage(full(count));
            fill(stage);
            const int64_t refused = stage.sim.sum(&Metrics::quota_exceeded);
            // On each shard, so that the topic is its own once and another's otherwise.
            for (unsigned i = 0; i < count; ++i) {
                const std::string will = known ? "t/1" : "will/" + std::to_string(i);
                die(stage.sim, i, will, "from " + std::to_string(i));
                CHECK(payload_of(stage.sim, will) == (known ? "from " + std::to_string(i) : ""));
            }
            CHECK(stage.sim.sum(&Metrics::quota_exceeded) - refused == (known ? 0 : count));
            CHECK(stage.sim.core->retained_messages == kHeld);
        }
    }
}

TEST_CASE("a client may replace a retained message at the limit, and is refused another") {
    for (unsigned count = 1; count <= 4; ++count) {
        Stage stage(full(count));
        fill(stage);
        Client& late = stage.connected("late", count - 1);
        for (unsigned i = 0; i < kHeld; ++i)
            late.publish("t/" + std::to_string(i), {.qos = 1, .retain = true});
        stage.rest();
        const int64_t refused = stage.sim.sum(&Metrics::quota_exceeded);
        CHECK(refused == 0);
        Client& reader = stage.connected("reader", 0);
        stage.subscribe(reader, "t/#", {.qos = 0});
        CHECK(reader.inbox.size() == kHeld);
        stage.check();
    }
}
