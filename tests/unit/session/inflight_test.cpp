#include "session/inflight.hpp"

#include <doctest/doctest.h>

#include <string>

#include "deliveries.hpp"

using namespace comqtt;
using namespace comqtt::session;
using namespace comqtt::session::test;

TEST_CASE("packet identifiers run from 1 to 65535 in a circle and are never 0 [MQTT-2.2.1-3]") {
    Inflight inflight;
    const Delivery one = delivery();
    for (uint32_t i = 0; i < 3 * 65535; ++i) {
        const mqtt::PacketId id = inflight.push(Delivery(one));
        REQUIRE(id == i % 65535 + 1);
        inflight.finish(id);
    }
    CHECK(inflight.empty());
}

TEST_CASE("a message in flight is found under its identifier and nothing under any other") {
    Inflight inflight;
    CHECK(inflight.find(1) == nullptr);
    const mqtt::PacketId first = inflight.push(delivery("first"));
    const mqtt::PacketId second = inflight.push(delivery("second"));
    CHECK(payload_of(inflight, first) == "first");
    CHECK(payload_of(inflight, second) == "second");
    CHECK(inflight.find(first)->state == Inflight::State::published);
    for (const mqtt::PacketId other : {0, 3, 4, 65535}) CHECK(inflight.find(other) == nullptr);
    CHECK(inflight.count() == 2);
}

TEST_CASE("messages may be finished in any order and the others stay in the order sent") {
    Inflight inflight;
    for (int i = 1; i <= 8; ++i) inflight.push(delivery(std::to_string(i)));
    for (const mqtt::PacketId id : {5, 3, 8, 1}) inflight.finish(id);
    CHECK(listed(inflight) == "2 4 6 7");
    CHECK(inflight.push(delivery("9")) == 9);
    CHECK(listed(inflight) == "2 4 6 7 9");
    for (const mqtt::PacketId id : {2, 4, 6, 7, 9}) CHECK(payload_of(inflight, id) == std::to_string(id));
}

TEST_CASE("an acknowledgement that comes twice finishes once") {
    Inflight inflight;
    for (int i = 0; i < 3; ++i) inflight.push(delivery());
    for (int i = 0; i < 2; ++i) {
        inflight.finish(2);
        CHECK(inflight.count() == 2);
        CHECK(inflight.find(2) == nullptr);
    }
    inflight.finish(0);
    inflight.finish(100);
    CHECK(listed(inflight) == "1 3");
}

TEST_CASE("every message keeps its identifier while the ring grows, also from the middle") {
    Inflight inflight;
    for (int i = 1; i <= 5; ++i) inflight.push(delivery());
    for (mqtt::PacketId id = 1; id <= 5; ++id) inflight.finish(id);
    for (int i = 6; i <= 1000; ++i) REQUIRE(inflight.push(delivery(std::to_string(i))) == i);
    for (mqtt::PacketId id = 6; id <= 500; ++id) inflight.finish(id);
    for (int i = 1001; i <= 3000; ++i) REQUIRE(inflight.push(delivery(std::to_string(i))) == i);
    CHECK(inflight.count() == 2500);
    CHECK(inflight.find(500) == nullptr);
    for (mqtt::PacketId id = 501; id <= 3000; ++id) REQUIRE(payload_of(inflight, id) == std::to_string(id));
}

TEST_CASE("with every identifier in use the next one given is the one that becomes free") {
    Inflight inflight;
    const Delivery one = delivery();
    for (uint32_t i = 1; i <= 65535; ++i) {
        REQUIRE_FALSE(inflight.exhausted());
        REQUIRE(inflight.push(Delivery(one)) == i);
    }
    CHECK(inflight.exhausted());
    inflight.finish(777);
    CHECK_FALSE(inflight.exhausted());
    CHECK(inflight.push(delivery("again")) == 777);
    CHECK(inflight.exhausted());
    CHECK(payload_of(inflight, 777) == "again");
    for (mqtt::PacketId id = 1; id != 0; ++id) REQUIRE(inflight.find(id) != nullptr);
    CHECK(listed(inflight).substr(0, 6) == "1 2 3 ");
    CHECK(listed(inflight).ends_with(" 65535 777"));
    CHECK(listed(inflight).find(" 776 778 ") != std::string::npos);
}

TEST_CASE("an identifier still in use when the circle comes round is passed over [MQTT-2.2.1-3]") {
    Inflight inflight;
    inflight.push(delivery("slow"));
    for (int circle = 0; circle < 3; ++circle) {
        pass_until(inflight, 1);
        CHECK(inflight.push(delivery("fresh")) == 2);
        CHECK(payload_of(inflight, 1) == "slow");
        CHECK(listed(inflight) == "1 2");
        CHECK(inflight.count() == 2);
        inflight.finish(2);
    }
    inflight.finish(1);
    CHECK(inflight.find(1) == nullptr);
    CHECK(inflight.empty());
    pass_until(inflight, 1);
    CHECK(inflight.push(delivery()) == 1);
}

TEST_CASE("a run of slow messages is passed over as a whole") {
    Inflight inflight;
    for (int i = 1; i <= 9; ++i) inflight.push(delivery(std::to_string(i)));
    for (const mqtt::PacketId id : {3, 4}) inflight.finish(id);
    pass_until(inflight, 1);
    CHECK(inflight.push(delivery("new 3")) == 3);
    CHECK(inflight.push(delivery("new 4")) == 4);
    CHECK(inflight.push(delivery("new 10")) == 10);
    CHECK(listed(inflight) == "1 2 5 6 7 8 9 3 4 10");
    for (const mqtt::PacketId id : {1, 2, 5, 6, 7, 8, 9})
        CHECK(payload_of(inflight, id) == std::to_string(id));
    CHECK(payload_of(inflight, 3) == "new 3");
}

TEST_CASE("after clear nothing is in flight and identifiers go on where they were") {
    Inflight inflight;
    inflight.push(delivery("slow"));
    pass_until(inflight, 1);
    for (int i = 2; i <= 20; ++i) inflight.push(delivery());
    inflight.finish(7);
    inflight.clear();
    CHECK(inflight.empty());
    CHECK(listed(inflight).empty());
    for (mqtt::PacketId id = 1; id <= 21; ++id) CHECK(inflight.find(id) == nullptr);
    CHECK(inflight.push(delivery("next")) == 21);
    CHECK(payload_of(inflight, 21) == "next");
}

TEST_CASE("restored flows stand under their identifiers with their states, and gaps stay free") {
    Inflight inflight;
    CHECK(inflight.restore(40, delivery("forty"), false));
    CHECK(inflight.restore(43, delivery("released"), true));
    CHECK(inflight.restore(60, delivery("sixty"), false));
    CHECK(inflight.count() == 3);
    CHECK(listed(inflight) == "40 43 60");
    CHECK(payload_of(inflight, 40) == "forty");
    CHECK(inflight.find(40)->state == Inflight::State::published);
    CHECK(inflight.find(43)->state == Inflight::State::released);
    for (const mqtt::PacketId id : {1, 39, 41, 42, 44, 59, 61}) CHECK(inflight.find(id) == nullptr);
}

TEST_CASE("packet identifiers go on after the last restored one") {
    Inflight inflight;
    REQUIRE(inflight.restore(40, delivery(), false));
    REQUIRE(inflight.restore(60, delivery(), false));
    CHECK(inflight.push(delivery()) == 61);
    inflight.finish(40);
    inflight.finish(60);
    inflight.finish(61);
    CHECK(inflight.empty());
    CHECK(inflight.push(delivery()) == 62);
}

TEST_CASE("flows that were sent across the end of the circle are restored in that order") {
    Inflight inflight;
    for (const mqtt::PacketId id : {65530, 65535, 1, 4}) REQUIRE(inflight.restore(id, delivery(), false));
    CHECK(listed(inflight) == "65530 65535 1 4");
    CHECK(inflight.push(delivery()) == 5);
    inflight.finish(65530);
    CHECK(listed(inflight) == "65535 1 4 5");
}

TEST_CASE("identifier 0 and an identifier that is there already are not restored") {
    Inflight inflight;
    CHECK_FALSE(inflight.restore(0, delivery(), false));
    CHECK(inflight.empty());
    CHECK(inflight.restore(9, delivery("first"), false));
    CHECK_FALSE(inflight.restore(9, delivery("second"), true));
    CHECK(inflight.count() == 1);
    CHECK(payload_of(inflight, 9) == "first");
}

TEST_CASE("a session restored with one identifier goes through the whole circle after it") {
    Inflight inflight;
    REQUIRE(inflight.restore(65535, delivery("stored"), false));
    const Delivery one = delivery();
    for (uint32_t i = 1; i < 65535; ++i) {
        REQUIRE(inflight.push(Delivery(one)) == i);
        inflight.finish(static_cast<mqtt::PacketId>(i));
    }
    CHECK(inflight.push(delivery()) == 1);
    CHECK(payload_of(inflight, 65535) == "stored");
    CHECK(listed(inflight) == "65535 1");
}

TEST_CASE("slow messages from both sides of the circle's end are listed in the order sent [MQTT-4.6.0-1]") {
    Inflight inflight;
    pass_until(inflight, 60'000);
    inflight.push(delivery());
    pass_until(inflight, 5);
    inflight.push(delivery());
    CHECK(listed(inflight) == "60000 5");
    pass_until(inflight, 59'000);  // a circle after neither of them
    CHECK(listed(inflight) == "60000 5");
    pass_until(inflight, 59'000);  // a circle after both of them
    CHECK(listed(inflight) == "60000 5");
}

TEST_CASE("what was listed in the order sent can be restored in it, slow messages included") {
    Inflight inflight;
    pass_until(inflight, 7);
    inflight.push(delivery());  // 7, which stays
    pass_until(inflight, 65'534);
    inflight.push(delivery());  // 65534
    pass_until(inflight, 9);
    inflight.push(delivery());  // 9
    REQUIRE(listed(inflight) == "7 65534 9");
    Inflight restored;
    for (const mqtt::PacketId id : {7, 65534, 9}) CHECK(restored.restore(id, delivery(), false));
    CHECK(listed(restored) == "7 65534 9");
    CHECK_FALSE(restored.restore(65534, delivery(), false));
    CHECK(restored.push(delivery()) == 10);
}
