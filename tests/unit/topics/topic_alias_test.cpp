#include "topics/topic_alias.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>

using namespace comqtt::topics;

TEST_SUITE("topics/alias") {
    TEST_CASE("an inbound alias of 0 is refused [MQTT-3.3.2-8]") {
        InboundAliases aliases;
        std::string_view topic;
        CHECK(aliases.set(0, "t", 10, 100) == InboundAliases::Result::out_of_range);
        CHECK(aliases.find(0, 10, topic) == InboundAliases::Result::out_of_range);
    }

    TEST_CASE("an inbound alias above the maximum is refused [MQTT-3.3.2-9]") {
        InboundAliases aliases;
        std::string_view topic;
        CHECK(aliases.set(11, "t", 10, 100) == InboundAliases::Result::out_of_range);
        CHECK(aliases.find(11, 10, topic) == InboundAliases::Result::out_of_range);
        CHECK(aliases.set(10, "t", 10, 100) == InboundAliases::Result::ok);
        CHECK(aliases.set(1, "t", 0, 100) == InboundAliases::Result::out_of_range);
    }

    TEST_CASE("an inbound alias stands for the topic set last") {
        InboundAliases aliases;
        std::string_view topic;
        CHECK(aliases.find(3, 10, topic) == InboundAliases::Result::unknown);
        REQUIRE(aliases.set(3, "a/b", 10, 100) == InboundAliases::Result::ok);
        REQUIRE(aliases.find(3, 10, topic) == InboundAliases::Result::ok);
        CHECK(topic == "a/b");
        REQUIRE(aliases.set(3, "c", 10, 100) == InboundAliases::Result::ok);
        REQUIRE(aliases.find(3, 10, topic) == InboundAliases::Result::ok);
        CHECK(topic == "c");
    }

    TEST_CASE("the bytes of inbound topics are bounded and given back when a topic is replaced") {
        InboundAliases aliases;
        CHECK(aliases.set(1, "12345678", 10, 10) == InboundAliases::Result::ok);
        CHECK(aliases.set(2, "123", 10, 10) == InboundAliases::Result::too_many_bytes);
        CHECK(aliases.set(1, "1", 10, 10) == InboundAliases::Result::ok);
        CHECK(aliases.set(2, "123456789", 10, 10) == InboundAliases::Result::ok);
        CHECK(aliases.set(3, "1", 10, 10) == InboundAliases::Result::too_many_bytes);
        std::string_view topic;
        CHECK(aliases.find(3, 10, topic) == InboundAliases::Result::unknown);
    }

    TEST_CASE("no alias is sent to a client that takes none [MQTT-3.3.2-11]") {
        OutboundAliases aliases(0);
        for (int i = 0; i < 3; ++i) {
            auto choice = aliases.use("t");
            CHECK(choice.alias == 0);
            CHECK(choice.send_topic);
        }
    }

    TEST_CASE("a topic is sent with its alias once and then replaced by it") {
        OutboundAliases aliases(2);
        auto first = aliases.use("a");
        CHECK(first.alias == 1);
        CHECK(first.send_topic);
        auto second = aliases.use("a");
        CHECK(second.alias == 1);
        CHECK_FALSE(second.send_topic);
        CHECK(aliases.use("b").alias == 2);
    }

    TEST_CASE(
        "a receiver that follows the aliases always knows the topic, within the maximum [MQTT-3.3.2-11]") {
        std::mt19937 random(7);
        for (uint16_t maximum : {1, 2, 7, 40, 65535}) {
            OutboundAliases aliases(maximum);
            std::map<uint16_t, std::string> receiver;
            for (int i = 0; i < 20000; ++i) {
                // A hot range that moves, and cold topics.
                size_t base = static_cast<size_t>(i / 4000) * 50;
                size_t number = random() % 4 ? base + random() % 10 : random() % 300;
                std::string topic = "some/longer/topic/name/" + std::to_string(number);
                auto choice = aliases.use(topic);
                REQUIRE(choice.alias <= maximum);
                if (choice.send_topic) {
                    if (choice.alias) receiver[choice.alias] = topic;
                } else {
                    REQUIRE(receiver[choice.alias] == topic);
                }
            }
        }
    }

    TEST_CASE("topics that become hot take the aliases of topics that went cold") {
        OutboundAliases aliases(4);
        for (int round = 0; round < 200; ++round)
            for (auto topic : {"old/1", "old/2", "old/3", "old/4"}) aliases.use(topic);
        int without_topic = 0;
        for (int round = 0; round < 2000; ++round)
            for (auto topic : {"new/1", "new/2", "new/3", "new/4"})
                if (!aliases.use(topic).send_topic && round >= 1000) ++without_topic;
        CHECK(without_topic == 4000);
    }

    TEST_CASE("hot topics keep their aliases among a stream of cold ones") {
        OutboundAliases aliases(8);
        int hits = 0;
        int uses = 0;
        for (int i = 0; i < 20000; ++i) {
            auto choice = aliases.use("hot/" + std::to_string(i % 6));
            if (i > 10000) {
                ++uses;
                if (!choice.send_topic) ++hits;
            }
            aliases.use("cold/" + std::to_string(i));
        }
        CHECK(hits > uses * 99 / 100);
    }

    TEST_CASE("a rotation of more topics than aliases does not move the aliases round") {
        for (int topics : {11, 100, 5000}) {
            OutboundAliases aliases(10);
            int given = 0;
            int saved = 0;
            for (int round = 0; round < 100000 / topics; ++round)
                for (int i = 0; i < topics; ++i) {
                    auto choice = aliases.use("t/" + std::to_string(i));
                    if (choice.alias && choice.send_topic) ++given;
                    if (!choice.send_topic) ++saved;
                }
            CAPTURE(topics);
            CAPTURE(given);
            CHECK(given < 5000);
            if (topics <= 100) CHECK(saved > (100000 / topics - 1) * 5);
        }
    }
}
