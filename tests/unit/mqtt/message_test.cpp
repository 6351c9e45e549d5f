#include "mqtt/message.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace comqtt;
using namespace comqtt::mqtt;

TEST_SUITE("topics/message") {
    TEST_CASE("a message keeps copies of all its parts") {
        MessageRef message;
        {
            std::string topic = "a/b", payload(1000, 'x'), properties("\x01\x01"), origin = "client";
            MessageFields fields;
            fields.topic_name = ByteView(topic);
            fields.payload = ByteView(payload);
            fields.properties = ByteView(properties);
            fields.origin_id = ByteView(origin);
            fields.qos = 2;
            fields.retain = true;
            fields.has_expiry = true;
            fields.expiry_interval = 10;
            fields.created_ms = 5000;
            fields.born_ms = 700;
            fields.origin = {1, 2, 3};
            message = Message::make(fields);
        }
        CHECK(message->topic_name().text() == "a/b");
        CHECK(message->payload().text() == std::string(1000, 'x'));
        CHECK(message->properties().text() == "\x01\x01");
        CHECK(message->origin_id().text() == "client");
        CHECK(message->qos() == 2);
        CHECK(message->retain());
        CHECK(message->due_ms() == 10'700);
        CHECK(message->expires_unix_ms() == 15'000);
        CHECK(message->origin().publisher == 1);
        CHECK(message->origin().clock == 2);
        CHECK(message->origin().node == 3);
        CHECK(message->footprint() == sizeof(Message) + 2 + 3 + 1000 + 2 + 6);
    }

    TEST_CASE("topic and payload of a message are one run, as a 3.x body has them") {
        MessageFields fields;
        fields.topic_name = ByteView(std::string_view("a/b"));
        fields.payload = ByteView(std::string_view("hi"));
        auto message = Message::make(fields);
        CHECK(message->body_v3().text() == std::string_view("\0\3a/bhi", 7));
        CHECK(message->topic_wire().text() == std::string_view("\0\3a/b", 5));
    }

    TEST_CASE("a message without expiry interval never expires") {
        auto message = Message::make({});
        CHECK(message->due_ms() == INT64_MAX);
        CHECK(message->expires_unix_ms() == INT64_MAX);
        CHECK(message->topic_name().empty());
        CHECK(message->payload().empty());
    }
}
