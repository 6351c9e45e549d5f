#include "broker/retained_shelf.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "broker/retained_room.hpp"
#include "broker_stage.hpp"
#include "fakes.hpp"

using namespace comqtt;
using namespace comqtt::broker;
using namespace comqtt::broker::test;

namespace {

struct Stage : CoreStage {
    explicit Stage(Config config = {})
        : CoreStage(2, std::move(config)), here(core, 1), shelf(here, timers) {}
    /// A message that is due in so many seconds; 0 = never.
    mqtt::MessageRef message(std::string_view topic, std::string_view payload, uint32_t expiry_s = 0) {
        mqtt::MessageFields fields;
        fields.topic_name = topic;
        fields.payload = payload;
        fields.has_expiry = expiry_s != 0;
        fields.expiry_interval = expiry_s;
        fields.born_ms = here.now_ms();
        fields.created_ms = here.wall_ms();
        fields.origin.clock = core.next_clock(here.wall_ms());
        return mqtt::Message::make(fields);
    }
    void pass(int64_t ms) {
        clock->set(here.now_ms() + ms);
        here.read_clock();
    }
    std::vector<std::string> expired(size_t left = 100) {
        std::vector<std::string> topics;
        for (std::string topic; shelf.next_expired(topic, left);) {
            shelf.remove(topic);
            topics.push_back(topic);
        }
        shelf.plan();
        return topics;
    }

    Here here;
    Timers timers;
    RetainedShelf shelf;
};

}  // namespace

TEST_CASE("a message is kept until another of its topic or one without payload comes") {
    Stage stage;
    CHECK_FALSE(stage.shelf.has("a"));
    stage.shelf.put(stage.message("a", "first"));
    stage.shelf.put(stage.message("a", "second"));
    REQUIRE(stage.shelf.find("a"));
    CHECK(stage.shelf.find("a")->payload().text() == "second");
    CHECK(stage.core.retained_messages.load() == 1);
    stage.shelf.put(stage.message("a", ""));
    CHECK_FALSE(stage.shelf.has("a"));
    CHECK_FALSE(stage.shelf.remove("a"));
    CHECK(stage.core.retained_messages.load() == 0);
    CHECK(stage.core.retained_bytes.load() == 0);
}

TEST_CASE("all shards see what is kept, but for the server's own topics, which take no room") {
    Stage stage;
    stage.shelf.put(stage.message("a/b", "x"));
    stage.shelf.put(stage.message("$SYS/load", "y"));
    CHECK(stage.core.retained_messages.load() == 1);
    CHECK(stage.core.retained_bytes.load() == stage.shelf.find("a/b")->footprint());
    CHECK(stage.here.metrics().retained.get() == 2);
    CHECK(stage.core.retained_counts.may_hold("a/b"));
    CHECK(stage.shelf.remove("a/b"));
    CHECK_FALSE(stage.core.retained_counts.may_hold("a/b"));
}

TEST_CASE("room that was taken for a message on its way is given back when its shard has it") {
    Stage stage(with([](Limits& limits) { limits.retained_messages = 1; }));
    const auto message = stage.message("a", "x");
    CHECK_FALSE(retained_full(stage.core));
    CHECK(take_retained_room(stage.core, *message));
    CHECK(retained_full(stage.core));
    CHECK_FALSE(take_retained_room(stage.core, *stage.message("b", "y")));
    stage.shelf.put(message);
    return_retained_room(stage.core, *message);
    CHECK(stage.core.retained_messages.load() == 1);
    CHECK(stage.core.retained_bytes.load() == message->footprint());
}

TEST_CASE("messages expire when they are due, the earliest first, in shares") {
    Stage stage;
    stage.shelf.put(stage.message("late", "x", 30));
    stage.shelf.put(stage.message("soon", "x", 10));
    stage.shelf.put(stage.message("never", "x"));
    stage.shelf.put(stage.message("sooner", "x", 5));
    CHECK(stage.timers.next_ms() == 5'000);
    stage.pass(10'000);
    CHECK(stage.expired(1) == std::vector<std::string>{"sooner"});
    CHECK(stage.shelf.is_due(10'000));
    CHECK(stage.expired() == std::vector<std::string>{"soon"});
    CHECK(stage.shelf.is_due(30'000));
    stage.pass(20'000);
    CHECK(stage.expired() == std::vector<std::string>{"late"});
    CHECK(stage.shelf.is_due(INT64_MAX));
    CHECK(stage.shelf.has("never"));
}

TEST_CASE("a message that was replaced does not take its successor with it when it would have expired") {
    Stage stage;
    stage.shelf.put(stage.message("a", "short", 5));
    stage.shelf.put(stage.message("a", "long", 50));
    stage.shelf.put(stage.message("b", "short", 5));
    stage.shelf.put(stage.message("b", "for ever"));
    stage.pass(6'000);
    CHECK(stage.expired().empty());
    CHECK(stage.shelf.find("a")->payload().text() == "long");
    stage.pass(50'000);
    CHECK(stage.expired() == std::vector<std::string>{"a"});
    CHECK(stage.shelf.has("b"));
}

TEST_CASE("a topic that is published to again and again is due once") {
    Stage stage;
    for (int i = 0; i < 10'000; ++i) stage.shelf.put(stage.message("a", std::to_string(i), 5));
    stage.pass(5'000);
    size_t left = 1'000;
    std::string topic;
    CHECK(stage.shelf.next_expired(topic, left));
    stage.shelf.remove(topic);
    CHECK_FALSE(stage.shelf.next_expired(topic, left));
    CHECK(left > 800);  // what is left behind is bounded by twice the number of messages, or a few
}

TEST_CASE("a round that ends in the middle of what has expired does not end expiry") {
    Stage stage;
    stage.shelf.put(stage.message("a", "x", 5));
    stage.shelf.put(stage.message("b", "x", 5));
    stage.pass(5'000);
    std::string topic;
    size_t left = 10;
    CHECK(stage.shelf.next_expired(topic, left));  // and plan() is not reached
    while (stage.timers.next_ms() != INT64_MAX) stage.timers.pop();
    stage.shelf.put(stage.message("c", "x", 10));
    CHECK(stage.timers.next_ms() == 15'000);
}

TEST_CASE("messages that were removed leave no times behind") {
    Stage stage;
    for (int i = 0; i < 1'000; ++i) stage.shelf.put(stage.message("t/" + std::to_string(i), "x", 5));
    for (int i = 0; i < 1'000; ++i) stage.shelf.put(stage.message("t/" + std::to_string(i), ""));
    stage.pass(5'000);
    std::string topic;
    size_t left = 1'000;
    CHECK_FALSE(stage.shelf.next_expired(topic, left));
    CHECK(left > 900);
}
