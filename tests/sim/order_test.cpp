#include <doctest/doctest.h>

#include <algorithm>

#include "sim/stage.hpp"

using namespace comqtt;
using namespace comqtt::sim;

namespace {

/// A client without the model, which knows no overlapping subscriptions: it sends what it is told and keeps numbers.
class Raw {
public:
    Raw(Sim& sim, unsigned shard, const std::string& name) : sim_(sim), wire_(sim.dial_at(shard, 1 << 20)) {
        mqtt::Packet packet;
        packet.type = mqtt::PacketType::connect;
        packet.connect.client_id = sim.id_on(shard, name);
        packet.connect.clean_start = true;
        add(packet);
        send();
        sim.settle();
    }
    void subscribe(const std::string& filter, uint8_t qos) {
        mqtt::Packet packet;
        packet.type = mqtt::PacketType::subscribe;
        packet.packet_id = 1;
        auto& entry = packet.filters.emplace_back();
        entry.filter = filter;
        entry.qos = qos;
        add(packet);
        send();
        sim_.settle();
    }
    void add_publish(const std::string& topic, uint32_t number, uint8_t qos) {
        mqtt::Packet packet;
        packet.type = mqtt::PacketType::publish;
        packet.topic_name = topic;
        packet.payload = std::to_string(number);
        packet.qos = qos;
        if (qos) packet.packet_id = static_cast<mqtt::PacketId>(number % 1000 + 1);
        add(packet);
    }
    void send() { wire_.send(std::exchange(out_, {})); }
    /// Numbers of the messages that have come.
    std::vector<uint32_t> numbers() {
        const std::vector<uint8_t> bytes = wire_.read(SIZE_MAX);
        std::vector<uint32_t> all;
        for (const uint8_t* p = bytes.data(); p < bytes.data() + bytes.size();) {
            const ByteView rest(p, static_cast<size_t>(bytes.data() + bytes.size() - p));
            mqtt::FixedHeader header;
            REQUIRE(mqtt::read_fixed_header(rest, header) == mqtt::FrameState::complete_header);
            mqtt::Packet packet;
            const ByteView frame = rest.subview(0, header.packet_size());
            REQUIRE(!mqtt::decode_packet(frame, mqtt::Version::v5, false, {}, packet));
            if (packet.type == mqtt::PacketType::publish)
                all.push_back(static_cast<uint32_t>(std::stoul(packet.payload)));
            p += header.packet_size();
        }
        return all;
    }

private:
    void add(mqtt::Packet& packet) {
        packet.version = mqtt::Version::v5;
        REQUIRE(mqtt::encode_packet(packet, out_));
    }
    Sim& sim_;
    Wire& wire_;
    std::vector<uint8_t> out_;
};

}  // namespace

TEST_CASE(
    "what one client publishes arrives in order at one that receives by ordinary and shared subscriptions") {
    for (uint64_t seed = 1; seed <= 32; ++seed) {
        const unsigned count = 1 + seed % 4;
        const auto qos = static_cast<uint8_t>(seed / 4 % 2);
        Sim sim(shards(count, seed));
        Raw publisher(sim, 0, "publisher");
        // On another shard than the publisher where there are several; alone in its groups.
        Raw receiver(sim, count - 1, "receiver");
        Raw other(sim, static_cast<unsigned>(seed % count), "other");
        receiver.subscribe("both/#", qos);
        receiver.subscribe("plain", qos);
        receiver.subscribe("$share/g/both/1", qos);
        receiver.subscribe("$share/g/shared", qos);
        other.subscribe("both/#", qos);
        receiver.numbers();
        const char* const topics[] = {"both/1", "plain", "shared", "both/2"};
        std::vector<uint32_t> expected;
        for (uint32_t number = 0; number < 300;) {
            const char* topic = topics[sim.random.below(4)];
            for (uint64_t run = 1 + sim.random.below(4); run; --run, ++number) {
                publisher.add_publish(topic, number, qos);
                expected.insert(expected.end(), topic == topics[0] ? 2 : 1, number);
            }
            if (sim.random.chance(20)) {
                publisher.send();
                sim.run_some(static_cast<unsigned>(sim.random.below(count)));
            }
        }
        publisher.send();
        sim.settle();
        CHECK_MESSAGE(receiver.numbers() == expected, "seed ", seed);
        const auto others = other.numbers();
        CHECK(std::is_sorted(others.begin(), others.end()));
    }
}
