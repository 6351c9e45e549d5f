#include "wire.hpp"

using namespace comqtt;
using namespace comqtt::mqtt;
using namespace comqtt::mqtt::test;

namespace {

constexpr auto kMalformed = Reason::malformed_packet;
constexpr auto kProtocol = Reason::protocol_error;

Packet connect(Version version) {
    Packet packet;
    packet.type = PacketType::connect;
    packet.version = version;
    packet.connect.protocol_name = version == Version::v31 ? "MQIsdp" : "MQTT";
    return packet;
}

/// A CONNECT of 3.1.1 whatever the connection's version argument says.
Decoded decode_connect_body(std::string_view body) { return decode(frame(0x10, wire(body))); }

}  // namespace

TEST_CASE("the smallest CONNECT of each version has its golden bytes [MQTT-3.1.2-1] [MQTT-3.1.3-1]") {
    check_golden(connect(Version::v31), true, "10 0E 00 06 'MQIsdp' 03 02 00 00 00 00");
    check_golden(connect(Version::v311), true, "10 0C 00 04 'MQTT' 04 02 00 00 00 00");
    check_golden(connect(Version::v5), true, "10 0D 00 04 'MQTT' 05 02 00 00 00 00 00");
}

TEST_CASE(
    "a CONNECT with will, user name and password has its golden bytes "
    "[MQTT-3.1.2-9] [MQTT-3.1.2-17] [MQTT-3.1.2-19] [MQTT-3.1.3-1]") {
    Packet packet = connect(Version::v5);
    packet.connect.clean_start = false;
    packet.connect.keep_alive = 10;
    packet.connect.client_id = "id";
    packet.connect.username = "u";
    packet.connect.password = "p";
    packet.connect.will = Will{"w", "bye", 1, true, {}};
    packet.connect.will->properties.set_number(PropertyId::will_delay_interval, 9);
    packet.properties.set_number(PropertyId::receive_maximum, 20);
    check_golden(packet, true,
                 "10 26 00 04 'MQTT' 05 EC 00 0A 03 21 00 14 00 02 'id' 05 18 00 00 00 09 "
                 "00 01 'w' 00 03 'bye' 00 01 'u' 00 01 'p'");
}

TEST_CASE("empty will payload, user name and password are legal and not the same as absent") {
    Packet packet = connect(Version::v311);
    packet.connect.username = "";
    packet.connect.password = "";
    packet.connect.will = Will{"w", "", 0, false, {}};
    check_golden(packet, true, "10 15 00 04 'MQTT' 04 C6 00 00 00 00 00 01 'w' 00 00 00 00 00 00");
}

TEST_CASE(
    "an unknown protocol name or level is told apart from a malformed CONNECT "
    "[MQTT-3.1.2-1] [MQTT-3.1.2-2]") {
    const struct {
        const char* body;
        Version answer;
    } cases[] = {{"00 04 'MQTX' 04 02 00 00 00 00", Version::v311},
                 {"00 04 'mqtt' 05 02 00 00 00 00 00", Version::v5},
                 {"00 06 'MQIsdp' 05 02 00 00 00 00 00", Version::v5},
                 {"00 00 05", Version::v5},
                 {"00 04 'MQTT' 03 02 00 00 00 00", Version::v311},
                 {"00 04 'MQTT' 00 02 00 00 00 00", Version::v311},
                 {"00 04 'MQTT' 84 02 00 00 00 00", Version::v311},
                 {"00 04 'MQTT' 06 02 00 00 00 00 00", Version::v5},
                 {"00 04 'MQTT' FF 02 00 00 00 00 00", Version::v5},
                 {"00 06 'MQIsdp' 04 02 00 00 00 00", Version::v311}};
    for (const auto& it : cases) {
        CAPTURE(it.body);
        const Decoded decoded = decode_connect_body(it.body);
        CHECK(decoded.error.reason == Reason::unsupported_protocol_version);
        CHECK(int(decoded.packet.version) == int(it.answer));
    }
}

TEST_CASE("after an error in a CONNECT its version is known") {
    for (const Version version : {Version::v311, Version::v5}) {
        Bytes body = wire("00 04 'MQTT'");
        body.push_back(static_cast<uint8_t>(version));
        body.push_back(0x03);
        const Decoded decoded = decode(frame(0x10, body), Version::v31);
        CHECK(decoded.error.reason == kMalformed);
        CHECK(int(decoded.packet.version) == int(version));
    }
    const Decoded v31 = decode_connect_body("00 06 'MQIsdp' 03 02 00");
    CHECK(v31.error.reason == kMalformed);
    CHECK(v31.packet.version == Version::v31);
}

TEST_CASE(
    "connect flags that contradict each other are malformed "
    "[MQTT-3.1.2-3] [MQTT-3.1.2-11] [MQTT-3.1.2-12] [MQTT-3.1.2-13]") {
    for (const char* level : {"04", "05"}) {
        const bool v5 = level[1] == '5';
        const auto refused = [&](const char* flags, const char* statement) {
            const std::string body =
                std::string("00 04 'MQTT' ") + level + " " + flags + " 00 00 " + (v5 ? "00 " : "") + "00 00";
            check_refused(frame(0x10, wire(body)), Version::v5, true, kMalformed, statement);
        };
        refused("03", "MQTT-3.1.2-3");
        refused("0A", "MQTT-3.1.2-11");
        refused("12", "MQTT-3.1.2-11");
        refused("22", "MQTT-3.1.2-13");
        refused("1E", "MQTT-3.1.2-12");
    }
}

TEST_CASE("a password without user name is legal in 5.0 only") {
    Packet packet = connect(Version::v5);
    packet.connect.password = "p";
    check_golden(packet, true, "10 10 00 04 'MQTT' 05 42 00 00 00 00 00 00 01 'p'");
    check_refusals(0x10, Version::v311, true,
                   {{"00 04 'MQTT' 04 42 00 00 00 00 00 01 'p'", kMalformed, "3.1.2.9"}});
}

TEST_CASE(
    "fields that the flags promise must be there "
    "[MQTT-3.1.2-9] [MQTT-3.1.2-17] [MQTT-3.1.2-19] [MQTT-3.1.3-3] [MQTT-3.1.4-1]") {
    check_refusals(0x10, Version::v311, true,
                   {{"00 04 'MQTT' 04 02 00 00", kMalformed, "MQTT-3.1.3-3"},
                    {"00 04 'MQTT' 04 06 00 00 00 00", kMalformed, "MQTT-3.1.2-9"},
                    {"00 04 'MQTT' 04 06 00 00 00 00 00 01 'w'", kMalformed, "MQTT-3.1.2-9"},
                    {"00 04 'MQTT' 04 82 00 00 00 00", kMalformed, "MQTT-3.1.2-17"},
                    {"00 04 'MQTT' 04 C2 00 00 00 00 00 01 'u'", kMalformed, "MQTT-3.1.2-19"},
                    {"00 04 'MQTT' 04 82 00 00 00 00 00", kMalformed, "MQTT-3.1.4-1"},
                    {"00 04 'MQTT' 04 82 00 00 00 00 00 02 'u'", kMalformed, "MQTT-3.1.4-1"},
                    {"00 04 'MQTT' 04 02", kMalformed, "MQTT-3.1.4-1"},
                    {"00 04 'MQT'", kMalformed, "MQTT-3.1.4-1"}});
}

TEST_CASE(
    "fields that no flag promises must not be there "
    "[MQTT-3.1.2-16] [MQTT-3.1.2-18] [MQTT-3.1.4-1]") {
    check_refusals(0x10, Version::v311, true,
                   {{"00 04 'MQTT' 04 02 00 00 00 00 00 01 'u'", kMalformed, "MQTT-3.1.4-1"},
                    {"00 04 'MQTT' 04 82 00 00 00 00 00 01 'u' 00 01 'p'", kMalformed, "MQTT-3.1.4-1"}});
}

TEST_CASE("texts of a CONNECT are UTF-8 [MQTT-3.1.3-4] [MQTT-3.1.3-11] [MQTT-3.1.3-12]") {
    check_refusals(0x10, Version::v5, true,
                   {{"00 04 'MQTT' 05 02 00 00 00 00 01 FF", kMalformed, "MQTT-3.1.3-4"},
                    {"00 04 'MQTT' 05 02 00 00 00 00 01 00", kMalformed, "MQTT-1.5.4-2"},
                    {"00 04 'MQTT' 05 06 00 00 00 00 00 00 00 02 C3 28 00 00", kMalformed, "MQTT-3.1.3-11"},
                    {"00 04 'MQTT' 05 82 00 00 00 00 00 00 01 80", kMalformed, "MQTT-3.1.3-12"}});
}

TEST_CASE("a will topic is a topic name [MQTT-4.7.0-1] [MQTT-4.7.3-1]") {
    check_refusals(
        0x10, Version::v5, true,
        {{"00 04 'MQTT' 05 06 00 00 00 00 00 00 00 03 'a/#' 00 00", Reason::topic_name_invalid,
          "MQTT-4.7.0-1"},
         {"00 04 'MQTT' 05 06 00 00 00 00 00 00 00 00 00 00", Reason::topic_name_invalid, "MQTT-4.7.3-1"}});
}

TEST_CASE("an empty client identifier needs a clean session before 5.0 [MQTT-3.1.3-8]") {
    check_refusals(0x10, Version::v311, true,
                   {{"00 04 'MQTT' 04 00 00 00 00 00", Reason::client_identifier_not_valid, "MQTT-3.1.3-8"}});
    CHECK_FALSE(decode_connect_body("00 04 'MQTT' 05 00 00 00 00 00 00").error);
}

TEST_CASE("client identifiers may be long in every version [MQTT-3.1.3-5]") {
    for (const Version version : {Version::v31, Version::v311, Version::v5}) {
        Packet packet = connect(version);
        packet.connect.client_id = std::string(65'535, 'c');
        const Decoded decoded = decode(encode(packet));
        CHECK_FALSE(decoded.error);
        CHECK(decoded.packet == packet);
    }
}

TEST_CASE("MQTT 3.1 lets user name and password be missing though flagged") {
    const Decoded none = decode_connect_body("00 06 'MQIsdp' 03 C2 00 00 00 01 'c'");
    REQUIRE_FALSE(none.error);
    CHECK_FALSE(none.packet.connect.username);
    const Decoded one = decode_connect_body("00 06 'MQIsdp' 03 C2 00 00 00 01 'c' 00 01 'u'");
    REQUIRE_FALSE(one.error);
    CHECK(one.packet.connect.username == "u");
    CHECK_FALSE(one.packet.connect.password);
}

TEST_CASE("CONNECT properties out of range are protocol errors") {
    check_refusals(0x10, Version::v5, true,
                   {{"00 04 'MQTT' 05 02 00 00 03 21 00 00 00 00", kProtocol, "3.1.2.11.3"},
                    {"00 04 'MQTT' 05 02 00 00 05 27 00 00 00 00 00 00", kProtocol, "3.1.2.11.4"},
                    {"00 04 'MQTT' 05 02 00 00 02 19 02 00 00", kProtocol, "3.1.2.11.6"},
                    {"00 04 'MQTT' 05 02 00 00 02 17 02 00 00", kProtocol, "3.1.2.11.7"},
                    {"00 04 'MQTT' 05 02 00 00 04 16 00 01 'd' 00 00", kProtocol, "3.1.2.11.10"},
                    {"00 04 'MQTT' 05 02 00 00 03 23 00 01 00 00", kMalformed, "2.2.2.2"},
                    {"00 04 'MQTT' 05 02 00 00 02 18 00 00 00", kMalformed, "2.2.2.2"},
                    {"00 04 'MQTT' 05 02 00 00 80 00 00 00", kMalformed, "MQTT-1.5.5-1"},
                    {"00 04 'MQTT' 05 02 00 00 09 21 00 01 00 00", kMalformed, "MQTT-3.1.4-1"},
                    {"00 04 'MQTT' 05 02 00 00 02 21 00 01 00 00", kMalformed, "MQTT-3.1.4-1"}});
}

TEST_CASE("will properties are checked like those of a PUBLISH") {
    const auto will = [](std::string_view properties) {
        return decode_connect_body("00 04 'MQTT' 05 06 00 00 00 00 00 " + std::string(properties) +
                                   " 00 01 'w' 00 00")
            .error;
    };
    CHECK_FALSE(will("07 18 00 00 00 00 01 01"));
    CHECK(will("02 01 02").reason == kProtocol);
    CHECK(will("05 08 00 02 'a#'").reason == kProtocol);
    CHECK(will("03 23 00 01").reason == kMalformed);
    CHECK(will("05 11 00 00 00 00").reason == kMalformed);
    CHECK(will("04 01 00 01 00").reason == kProtocol);
}

TEST_CASE("user properties of CONNECT and will count against one limit") {
    Packet packet = connect(Version::v5);
    packet.connect.will = Will{"w", "", 0, false, {}};
    for (int count = 0; count < 3; ++count) packet.properties.add_user("a", "b");
    for (int count = 0; count < 2; ++count) packet.connect.will->properties.add_user("a", "b");
    DecodeLimits limits;
    limits.user_properties = 5;
    CHECK_FALSE(decode(encode(packet), Version::v5, true, limits).error);
    limits.user_properties = 4;
    CHECK(decode(encode(packet), Version::v5, true, limits).error.reason == Reason::packet_too_large);
}

TEST_CASE("the fixed header flags of CONNECT are reserved [MQTT-2.1.3-1]") {
    for (uint8_t flags = 1; flags < 16; ++flags)
        check_refused(frame(0x10 | flags, wire("00 04 'MQTT' 04 02 00 00 00 00")), Version::v5, true,
                      kMalformed, "MQTT-2.1.3-1");
}

TEST_CASE("CONNACK has its golden bytes in every version [MQTT-3.2.2-1]") {
    Packet packet;
    packet.type = PacketType::connack;
    packet.version = Version::v5;
    packet.session_present = true;
    packet.properties.set_number(PropertyId::topic_alias_maximum, 16);
    check_golden(packet, false, "20 06 01 00 03 22 00 10");
    packet.properties = {};
    packet.version = Version::v311;
    check_golden(packet, false, "20 02 01 00");
    packet.session_present = false;
    packet.reason = Reason::bad_user_name_or_password;
    check_golden(packet, false, "20 02 00 04");
    packet.version = Version::v31;
    check_golden(packet, false, "20 02 00 04");
}

TEST_CASE(
    "a CONNACK that contradicts itself is refused "
    "[MQTT-3.2.2-1] [MQTT-3.2.2-6] [MQTT-3.2.2-8]") {
    check_refusals(0x20, Version::v5, false,
                   {{"02 00 00", kMalformed, "MQTT-3.2.2-1"},
                    {"01 80 00", kProtocol, "MQTT-3.2.2-6"},
                    {"00 8D 00", kProtocol, "MQTT-3.2.2-8"},
                    {"00 00 02 24 02", kProtocol, "3.2.2.3.4"},
                    {"00 00 02 25 02", kProtocol, "3.2.2.3.5"},
                    {"00 00 02 28 02", kProtocol, "3.2.2.3.11"},
                    {"00 00 02 29 02", kProtocol, "3.2.2.3.12"},
                    {"00 00 02 2A 02", kProtocol, "3.2.2.3.13"},
                    {"00 00", kMalformed, "2.1.4"},
                    {"00 00 00 00", kMalformed, "2.1.4"}});
    check_refusals(0x20, Version::v311, false,
                   {{"00 06", kMalformed, "MQTT-3.2.2-8"},
                    {"01 05", kProtocol, "MQTT-3.2.2-6"},
                    {"00 00 00", kMalformed, "2.1.4"}});
    check_refusals(0x20, Version::v31, false, {{"01 00", kMalformed, "MQTT-3.2.2-1"}});
}
