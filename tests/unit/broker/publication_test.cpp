#include "broker/publication.hpp"

#include <doctest/doctest.h>

#include "fakes.hpp"

using namespace comqtt;
using namespace comqtt::broker;
using namespace comqtt::broker::test;

namespace {

Publication sample(std::string_view payload = "payload") {
    Publication made;
    made.topic_name = std::string_view("a/b");
    made.payload = payload;
    made.properties = std::string_view("\x01\x01");
    made.origin_id = std::string_view("publisher");
    made.qos = 2;
    made.retain = true;
    made.has_expiry = true;
    made.expiry_interval = 60;
    made.created_ms = 5000;
    made.origin = {77, 88, 99};
    return made;
}

}  // namespace

TEST_CASE("a publication becomes a message once, with everything it says") {
    Publication publication = sample();
    CHECK_FALSE(publication.made);
    const mqtt::Message* message = publication.message().get();
    CHECK(publication.message().get() == message);
    CHECK(message->topic_name().text() == "a/b");
    CHECK(message->payload().text() == "payload");
    CHECK(message->properties().text() == "\x01\x01");
    CHECK(message->origin_id().text() == "publisher");
    CHECK(int(message->qos()) == 2);
    CHECK(message->retain());
    CHECK(message->expires_ms() == 65'000);
    CHECK(message->origin().publisher == 77);
    CHECK(message->origin().clock == 88);
    CHECK(message->origin().node == 99);
}

TEST_CASE("a publication of a message says what the message says and makes no other") {
    Publication source = sample();
    const mqtt::MessageRef message = source.message();
    Publication publication = Publication::of(message);
    CHECK(publication.message().get() == message.get());
    CHECK(publication.topic_name.text() == "a/b");
    CHECK(publication.payload.data == message->payload().data);
    CHECK(publication.properties.text() == "\x01\x01");
    CHECK(publication.origin_id.text() == "publisher");
    CHECK(int(publication.qos) == 2);
    CHECK(publication.retain);
    CHECK(publication.expires_ms() == 65'000);
    CHECK(publication.created_ms == 5000);
    CHECK(publication.origin.clock == 88);
}

TEST_CASE("a publication without an expiry interval never expires") {
    Publication publication = sample();
    CHECK(publication.expires_ms() == 65'000);
    publication.expiry_interval = 4'294'967'295;
    CHECK(publication.expires_ms() == 4'294'967'300'000);
    publication.has_expiry = false;
    CHECK(publication.expires_ms() == INT64_MAX);
}

TEST_CASE("the last delivery takes a small message along and leaves a large one for the outputs") {
    Publication small = sample();
    const auto first = small.take_message();
    CHECK(small.made.get() == first.get());
    small.last_use = true;
    CHECK(small.take_message().get() == first.get());
    CHECK_FALSE(small.made);

    const std::string payload(kSharedPayload, 'p');
    Publication large = sample(payload);
    large.last_use = true;
    const auto taken = large.take_message();
    CHECK(large.made.get() == taken.get());
}
