#include "broker/run.hpp"

#include <doctest/doctest.h>

#include <string>

#include "mqtt/codec.hpp"
#include "mqtt/packet.hpp"

using namespace comqtt;
using namespace comqtt::broker;

namespace {

std::vector<uint8_t> publishes(mqtt::Version version, std::initializer_list<std::string> payloads) {
    std::vector<uint8_t> bytes;
    for (const std::string& payload : payloads) {
        mqtt::Packet packet;
        packet.type = mqtt::PacketType::publish;
        packet.version = version;
        packet.topic_name = "a/b";
        packet.payload = payload;
        REQUIRE(mqtt::encode_packet(packet, bytes));
    }
    return bytes;
}

struct Sample : Run {
    Sample(const std::vector<uint8_t>& bytes, mqtt::Version form) {
        packets = ByteView(bytes);
        version = form;
    }
};

std::string payloads_of(const Run& run) {
    std::string all;
    run.each([&](ByteView packet, ByteView topic, ByteView payload) {
        CHECK(packet[0] == 0x30);
        CHECK(topic.text() == "a/b");
        all += std::to_string(payload.size) + ":" + std::string(payload.text().substr(0, 3)) + " ";
    });
    return all;
}

}  // namespace

TEST_CASE("a run gives back its packets one by one, in either form") {
    const std::string large(300, 'x');
    for (const auto version : {mqtt::Version::v311, mqtt::Version::v5}) {
        const auto bytes = publishes(version, {"one", "", large});
        const Sample run(bytes, version);
        CHECK(payloads_of(run) == "3:one 0: 300:xxx ");
        CHECK(run.topic().text() == "a/b");
    }
}

TEST_CASE("a run in the other form is what an encoder of that form writes") {
    const std::string edge(120, 'y');  // near the length that takes a second byte
    for (const std::string& text : {std::string("x"), edge, edge + "zz", std::string(20'000, 'l')}) {
        const auto v3 = publishes(mqtt::Version::v311, {text, "tail"});
        const auto v5 = publishes(mqtt::Version::v5, {text, "tail"});
        std::vector<uint8_t> converted;
        Sample(v3, mqtt::Version::v311).convert(converted);
        CHECK(converted == v5);
        converted.clear();
        Sample(v5, mqtt::Version::v5).convert(converted);
        CHECK(converted == v3);
    }
}

TEST_CASE("a part of a run keeps who published it") {
    const auto bytes = publishes(mqtt::Version::v311, {"one", "two"});
    Sample run(bytes, mqtt::Version::v311);
    run.publisher = 7;
    run.origin_id = ByteView(std::string_view("me"));
    const Run part = run.part(run.packets.subview(0, bytes.size() / 2), 1);
    CHECK(payloads_of(part) == "3:one ");
    CHECK(part.count == 1);
    CHECK(part.publisher == 7);
    CHECK(part.origin_id.text() == "me");
}

TEST_CASE("a run to several topics is read topic by topic, from any packet on") {
    for (const size_t most : {size_t{2}, size_t{100}, SIZE_MAX}) {
        RunLimits limits(1);
        limits.messages = most;
        const auto version = most == 2 ? mqtt::Version::v311 : mqtt::Version::v5;
        std::vector<uint8_t> bytes;
        const std::vector<std::string> topics = {"a", "a", "b", "a/b", "a/b", "a/b", "a"};
        for (size_t i = 0; i < topics.size(); ++i) {
            mqtt::Packet packet;
            packet.type = mqtt::PacketType::publish;
            packet.version = version;
            packet.topic_name = topics[i];
            packet.payload = std::to_string(i);
            REQUIRE(mqtt::encode_packet(packet, bytes));
        }
        const Sample run(bytes, version);
        std::vector<std::string> found;
        for (size_t done = 0; done < bytes.size();) {
            const Run part = run.from(done).of_one_topic(limits);
            std::string text(part.topic().text());
            uint32_t count = 0;
            part.each([&](ByteView, ByteView topic, ByteView payload) {
                CHECK(topic == part.topic());
                text += " " + std::string(payload.text());
                ++count;
            });
            CHECK(part.count == count);
            found.push_back(text);
            done += part.packets.size;
        }
        if (most == 2) {
            CHECK(found == std::vector<std::string>{"a 0 1", "b 2", "a/b 3 4", "a/b 5", "a 6"});
        } else {
            CHECK(found == std::vector<std::string>{"a 0 1", "b 2", "a/b 3 4 5", "a 6"});
        }
        limits.bytes = 1;
        CHECK(run.of_one_topic(limits).count == 1);
    }
}

TEST_CASE("a run to one receiver has no limits, one to very many is a message") {
    CHECK_FALSE(RunLimits(1).reached(1'000'000, 1'000'000'000));
    CHECK_FALSE(RunLimits(100).reached(1000, 100'000));
    CHECK(RunLimits(100).reached(1500, 1));
    CHECK(RunLimits(100).reached(1, 200'000));
    CHECK(RunLimits(1'000'000).reached(1, 1));
}
