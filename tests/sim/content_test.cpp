// Every byte that is delivered is the publisher's, whatever else is read in the same round: the model compares payloads
// in which each place follows from the message's number.

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "sim/stage.hpp"

using namespace comqtt;
using namespace comqtt::sim;

namespace {

/// Around what the code tells apart: lengths of one to four bytes, runs written without a copy, payloads that are
/// shared, chunks, the read buffer.
constexpr std::array<size_t, 21> kSizes = {1,      126,    127,    128,     200,     8'191,   8'192,
                                           16'370, 16'383, 16'384, 16'385,  20'000,  60'000,  65'535,
                                           65'536, 65'537, 70'000, 262'143, 262'144, 262'145, 300'000};

struct Roles {
    unsigned receivers = 1;
    uint8_t qos = 1;
    mqtt::Version version = mqtt::Version::v5;
};

void publish_at_once(unsigned shard_count, size_t size, Roles roles) {
    CAPTURE(shard_count);
    CAPTURE(size);
    CAPTURE(unsigned{roles.qos});
    Stage stage(shards(shard_count, size));
    ClientSettings settings;
    settings.version = roles.version;
    settings.wire_capacity = 8u << 20;
    for (unsigned i = 0; i < roles.receivers; ++i) {
        Client& receiver = stage.connected("receiver" + std::to_string(i), i % shard_count, settings);
        stage.subscribe(receiver, i % 2 ? "t/#" : "t/+", {.qos = 2});
    }
    std::vector<Client*> publishers;
    for (unsigned i = 0; i < 4; ++i)
        publishers.push_back(&stage.connected("publisher" + std::to_string(i), i % shard_count, settings));
    for (unsigned turn = 0; turn < 3; ++turn) {
        for (size_t i = 0; i < publishers.size(); ++i)
            publishers[i]->publish("t/" + std::to_string(i), {.qos = roles.qos, .size = size + i});
        stage.rest();
    }
    stage.check();
}

}  // namespace

TEST_CASE("messages that several clients publish in one round arrive with their own bytes") {
    for (const size_t size : kSizes)
        for (unsigned shard_count = 1; shard_count <= 4; shard_count *= 2)
            for (uint8_t qos = 0; qos <= 2; ++qos) {
                publish_at_once(shard_count, size, {.receivers = 1, .qos = qos});
                publish_at_once(shard_count, size,
                                {.receivers = 3, .qos = qos, .version = mqtt::Version::v311});
            }
}

TEST_CASE("a receiver that does not read is sent its own message later, not what was read after it") {
    for (unsigned shard_count = 1; shard_count <= 2; ++shard_count) {
        Stage stage(shards(shard_count));
        ClientSettings narrow;
        narrow.wire_capacity = 100;
        Client& receiver = stage.connected("receiver", 0, narrow);
        stage.subscribe(receiver, "mine", {.qos = 1});
        Client& publisher = stage.connected("publisher", 0);
        std::vector<Client*> others;
        for (unsigned i = 0; i < 3; ++i)
            others.push_back(&stage.connected("other" + std::to_string(i), i % shard_count));
        receiver.deaf = true;
        publisher.publish("mine", {.qos = 1, .size = 60'000});
        stage.rest();
        for (Client* other : others) other->publish("elsewhere", {.qos = 1, .size = 48'000});
        stage.rest();
        receiver.deaf = false;
        stage.rest();
        REQUIRE(receiver.inbox.size() == 1);
        stage.check();
    }
}

TEST_CASE("wills of every size, of several connections that end in one round, arrive with their own bytes") {
    for (const size_t size : kSizes) {
        if (size > 65'535) continue;  // all that CONNECT can carry
        for (uint8_t qos = 0; qos <= 2; ++qos) {
            CAPTURE(size);
            Settings set = shards(2, size);
            set.config.limits.connect_packet_size = 1u << 20;
            Stage stage(set);
            ClientSettings settings;
            settings.wire_capacity = 8u << 20;
            settings.watches_wills = true;
            Client& watcher = stage.connected("watcher", 0, settings);
            stage.subscribe(watcher, "w/#", {.qos = 2});
            settings.watches_wills = false;
            std::vector<Client*> dying;
            for (unsigned i = 0; i < 4; ++i)
                dying.push_back(&stage.connected(
                    "dying" + std::to_string(i), i % 2, settings,
                    {.will = true, .will_qos = qos, .will_size = size - (size > i ? i : 0)}));
            for (Client* client : dying) client->hang_up();
            stage.rest();
            CHECK(watcher.inbox.size() == dying.size());
            stage.check();
        }
    }
}

TEST_CASE("retained messages of every size arrive with their own bytes") {
    for (const size_t size : kSizes) {
        CAPTURE(size);
        Stage stage(shards(2, size));
        ClientSettings settings;
        settings.wire_capacity = 8u << 20;
        Client& publisher = stage.connected("publisher", 0, settings);
        for (unsigned i = 0; i < 4; ++i)
            publisher.publish("r/" + std::to_string(i), {.qos = 1, .retain = true, .size = size + i});
        stage.rest();
        for (unsigned shard = 0; shard < 2; ++shard) {
            Client& receiver = stage.connected("receiver" + std::to_string(shard), shard, settings);
            stage.subscribe(receiver, "r/#", {.qos = 1});
            CHECK(receiver.inbox.size() == 4);
        }
        stage.check();
    }
}
