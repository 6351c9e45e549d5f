#include "broker/publication.hpp"

#include <doctest/doctest.h>

#include <type_traits>

#include "broker/inbound.hpp"
#include "broker/run.hpp"

#include "fakes.hpp"

using namespace comqtt;
using namespace comqtt::broker;
using namespace comqtt::broker::test;

// What views the bytes of one call cannot be kept: not in a queue, not in a task, not on the heap.
static_assert(!std::is_copy_constructible_v<Publication> && !std::is_move_constructible_v<Publication>);
static_assert(!std::is_copy_constructible_v<Inbound> && !std::is_move_constructible_v<Inbound>);
static_assert(!std::is_copy_constructible_v<Run> && !std::is_move_constructible_v<Run>);

namespace {

struct Sample : Publication {
    explicit Sample(std::string_view text = "payload") {
        topic_name = std::string_view("a/b");
        payload = text;
        properties = std::string_view("\x01\x01");
        origin_id = std::string_view("publisher");
        qos = 2;
        retain = true;
        has_expiry = true;
        expiry_interval = 60;
        created_ms = 5000;
        born_ms = 700;
        origin = {77, 88, 99};
    }
};

}  // namespace

TEST_CASE("a publication becomes a message once, with everything it says") {
    Sample publication;
    CHECK_FALSE(publication.made);
    const mqtt::Message* message = publication.message().get();
    CHECK(publication.message().get() == message);
    CHECK(message->topic_name().text() == "a/b");
    CHECK(message->payload().text() == "payload");
    CHECK(message->properties().text() == "\x01\x01");
    CHECK(message->origin_id().text() == "publisher");
    CHECK(int(message->qos()) == 2);
    CHECK(message->retain());
    CHECK(message->due_ms() == 60'700);
    CHECK(message->origin().publisher == 77);
    CHECK(message->origin().clock == 88);
    CHECK(message->origin().node == 99);
}

TEST_CASE("a publication of a message says what the message says and makes no other") {
    Sample source;
    const mqtt::MessageRef message = source.message();
    Publication publication = Publication::of(message);
    CHECK(publication.message().get() == message.get());
    CHECK(publication.topic_name.text() == "a/b");
    CHECK(publication.payload.data == message->payload().data);
    CHECK(publication.properties.text() == "\x01\x01");
    CHECK(publication.origin_id.text() == "publisher");
    CHECK(int(publication.qos) == 2);
    CHECK(publication.retain);
    CHECK(publication.due_ms() == 60'700);
    CHECK(publication.created_ms == 5000);
    CHECK(publication.origin.clock == 88);
}

TEST_CASE("a publication without an expiry interval never expires") {
    Sample publication;
    CHECK(publication.due_ms() == 60'700);
    publication.expiry_interval = 4'294'967'295;
    CHECK(publication.due_ms() == 4'294'967'295'700);
    publication.has_expiry = false;
    CHECK(publication.due_ms() == INT64_MAX);
}

TEST_CASE("the last delivery takes a small message along and leaves a large one for the outputs") {
    Sample small;
    const auto first = small.take_message();
    CHECK(small.made.get() == first.get());
    small.last_use = true;
    CHECK(small.take_message().get() == first.get());
    CHECK_FALSE(small.made);

    const std::string payload(kSharedPayload, 'p');
    Sample large(payload);
    large.last_use = true;
    const auto taken = large.take_message();
    CHECK(large.made.get() == taken.get());
}
