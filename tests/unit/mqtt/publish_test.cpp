#include "wire.hpp"

#include "mqtt/publish_view.hpp"

using namespace comqtt;
using namespace comqtt::mqtt;
using namespace comqtt::mqtt::test;

namespace {

constexpr auto kMalformed = Reason::malformed_packet;
constexpr auto kProtocol = Reason::protocol_error;

struct Parsed {
    Bytes bytes;  ///< what the view borrows from
    DecodeError error;
    PublishView view;
};

Parsed parse(uint8_t first, std::string_view body, Version version = Version::v5, bool from_client = true,
             bool check_topic = true) {
    Parsed result;
    result.bytes = frame(first, wire(body));
    FixedHeader header;
    REQUIRE(read_fixed_header(result.bytes, header) == FrameState::complete_header);
    result.error = parse_publish(result.bytes, header, version, from_client, {}, check_topic, result.view);
    return result;
}

}  // namespace

TEST_CASE("PUBLISH has its golden bytes in every version [MQTT-3.3.2-1]") {
    Packet packet;
    packet.type = PacketType::publish;
    packet.topic_name = "a/b";
    packet.payload = "hi";
    packet.version = Version::v311;
    check_golden(packet, true, "30 07 00 03 'a/b' 'hi'");
    packet.version = Version::v5;
    check_golden(packet, true, "30 08 00 03 'a/b' 00 'hi'");
    packet.qos = 2;
    packet.dup = packet.retain = true;
    packet.packet_id = 0x0A0B;
    packet.properties.set_number(PropertyId::topic_alias, 5);
    packet.properties.set_text(PropertyId::content_type, "t");
    check_golden(packet, true, "3D 11 00 03 'a/b' 0A 0B 07 23 00 05 03 00 01 't' 'hi'");
}

TEST_CASE("an empty payload is a message [MQTT-3.3.1-6]") {
    const Parsed parsed = parse(0x31, "00 01 't' 00");
    REQUIRE_FALSE(parsed.error);
    CHECK(parsed.view.retain);
    CHECK(parsed.view.payload.empty());
}

TEST_CASE(
    "PUBLISH flags and packet identifiers that cannot be are refused "
    "[MQTT-3.3.1-2] [MQTT-3.3.1-4] [MQTT-2.2.1-3] [MQTT-2.2.1-4]") {
    for (const Version version : {Version::v311, Version::v5}) {
        check_refusals(0x36, version, true, {{"00 01 't' 00 01 00", kMalformed, "MQTT-3.3.1-4"}});
        check_refusals(0x38, version, true, {{"00 01 't' 00", kMalformed, "MQTT-3.3.1-2"}});
        check_refusals(0x32, version, true, {{"00 01 't' 00 00 00", kProtocol, "MQTT-2.2.1-3"}});
        check_refusals(0x34, version, false, {{"00 01 't' 00 00 00", kProtocol, "MQTT-2.2.1-4"}});
        check_refusals(0x32, version, true, {{"00 01 't' 00", kMalformed, "2.1.4"}});
    }
}

TEST_CASE("topic names are checked [MQTT-3.3.2-1] [MQTT-3.3.2-2] [MQTT-4.7.3-1] [MQTT-4.7.3-2]") {
    check_refusals(0x30, Version::v5, true,
                   {{"00 03 'a/+' 00", Reason::topic_name_invalid, "MQTT-3.3.2-2"},
                    {"00 01 '#' 00", Reason::topic_name_invalid, "MQTT-3.3.2-2"},
                    {"00 09 'aaaaaaaa#' 00", Reason::topic_name_invalid, "MQTT-3.3.2-2"},
                    {"00 02 C3 28 00", kMalformed, "MQTT-3.3.2-1"},
                    {"00 03 'a' 00 'b' 00", kMalformed, "MQTT-1.5.4-2"},
                    {"00 03 ED A0 80 00", kMalformed, "MQTT-3.3.2-1"},
                    {"00 00 00", kProtocol, "3.3.2.1"},
                    {"00 05 'abc'", kMalformed, "2.1.4"},
                    {"00", kMalformed, "2.1.4"}});
    check_refusals(0x30, Version::v311, true, {{"00 00", Reason::topic_name_invalid, "MQTT-4.7.3-1"}});
}

TEST_CASE("a known topic name is not looked at again but its length is") {
    CHECK_FALSE(parse(0x30, "00 01 '#' 00", Version::v5, true, false).error);
    CHECK(parse(0x30, "00 00 00", Version::v5, true, false).error.reason == kProtocol);
}

TEST_CASE(
    "PUBLISH properties are checked [MQTT-3.3.2-8] [MQTT-3.3.2-13] [MQTT-3.3.2-14] "
    "[MQTT-3.3.2-19] [MQTT-3.3.4-6] [MQTT-1.5.7-1]") {
    check_refusals(0x30, Version::v5, true,
                   {{"00 01 't' 03 23 00 00", Reason::topic_alias_invalid, "MQTT-3.3.2-8"},
                    {"00 01 't' 02 01 02", kProtocol, "3.3.2.3.2"},
                    {"00 01 't' 05 08 00 02 'a+'", kProtocol, "MQTT-3.3.2-14"},
                    {"00 01 't' 04 08 00 01 FF", kMalformed, "MQTT-3.3.2-13"},
                    {"00 01 't' 03 08 00 00", kProtocol, "MQTT-4.7.3-1"},
                    {"00 01 't' 04 03 00 01 FF", kMalformed, "MQTT-3.3.2-19"},
                    {"00 01 't' 02 0B 01", kProtocol, "MQTT-3.3.4-6"},
                    {"00 01 't' 06 26 00 01 FF 00 00", kMalformed, "MQTT-1.5.7-1"},
                    {"00 01 't' 06 26 00 00 00 01 FF", kMalformed, "MQTT-1.5.7-1"},
                    {"00 01 't' 02 02 00", kMalformed, "2.1.4"},
                    {"00 01 't' 7F 01 00", kMalformed, "2.1.4"},
                    {"00 01 't' 01 00", kMalformed, "2.2.2.2"},
                    {"00 01 't' 02 FF 01", kMalformed, "2.2.2.2"}});
    check_refusals(0x30, Version::v5, false,
                   {{"00 01 't' 02 0B 00", kProtocol, "3.8.2.1.2"},
                    {"00 01 't' 03 0B 80 00", kMalformed, "MQTT-1.5.5-1"},
                    {"00 01 't' 06 0B FF FF FF FF 01", kMalformed, "1.5.5"}});
}

TEST_CASE("a topic alias stands for an empty topic name") {
    const Parsed parsed = parse(0x30, "00 00 03 23 01 02 'x'");
    REQUIRE_FALSE(parsed.error);
    CHECK(parsed.view.topic_name.empty());
    CHECK(parsed.view.topic_alias == 0x0102);
    CHECK(parsed.view.payload.text() == "x");
}

TEST_CASE("a view tells what its properties say") {
    const Parsed plain = parse(0x33, "00 01 't' 00 07 09 01 01 03 00 04 'text' 'body'");
    REQUIRE_FALSE(plain.error);
    CHECK(int(plain.view.qos) == 1);
    CHECK(plain.view.packet_id == 7);
    CHECK(plain.view.has_payload_format);
    CHECK(int(plain.view.payload_format) == 1);
    CHECK_FALSE(plain.view.has_expiry);
    CHECK_FALSE(plain.view.forward_needs_copy);
    CHECK(plain.view.properties == ByteView(wire("01 01 03 00 04 'text'")));
    CHECK(plain.view.payload.text() == "body");

    const Parsed expiring = parse(0x30, "00 01 't' 05 02 00 00 01 00");
    REQUIRE_FALSE(expiring.error);
    CHECK(expiring.view.has_expiry);
    CHECK(expiring.view.message_expiry_interval == 256);
    CHECK(expiring.view.forward_needs_copy);
}

TEST_CASE(
    "forwarded properties keep their order without alias, expiry and subscription identifiers "
    "[MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] "
    "[MQTT-3.3.2-20]") {
    const Parsed parsed = parse(0x30,
                                "00 01 't' 27 26 00 01 'b' 00 00 23 00 05 09 00 01 FF 0B 80 01 "
                                "02 00 00 00 01 26 00 01 'a' 00 00 01 00 0B 01 08 00 01 'r' "
                                "03 00 01 'c' 'p'",
                                Version::v5, false);
    REQUIRE_FALSE(parsed.error);
    CHECK(parsed.view.payload.text() == "p");
    Bytes forwarded = wire("EE");
    copy_forward_properties(parsed.view.properties, forwarded);
    CHECK(hex(forwarded) == hex(wire("EE 26 00 01 'b' 00 00 09 00 01 FF 26 00 01 'a' 00 00 "
                                     "01 00 08 00 01 'r' 03 00 01 'c'")));
}

TEST_CASE("copying the forwardable part of damaged properties stops without harm") {
    for (const char* damaged : {"26 00", "FF", "03 00 09 'a'", "0B 80", "02 00 00"}) {
        Bytes out;
        copy_forward_properties(wire(damaged), out);
        CHECK(out.empty());
    }
}

TEST_CASE("more user properties than the limit are too large a packet") {
    Packet packet;
    packet.type = PacketType::publish;
    packet.topic_name = "t";
    for (int count = 0; count < 64; ++count) packet.properties.add_user("k", "v");
    CHECK_FALSE(decode(encode(packet)).error);
    packet.properties.add_user("k", "v");
    CHECK(decode(encode(packet)).error.reason == Reason::packet_too_large);
    DecodeLimits limits;
    limits.user_properties = 0;
    CHECK(decode(encode(packet), Version::v5, true, limits).error.reason == Reason::packet_too_large);
}

TEST_CASE("errors say at which byte of the packet they are") {
    CHECK(decode(wire("30 06 00 01 't' 02 01 07")).error.offset == 7);
    CHECK(decode(wire("30 05 00 01 't' 01 7F")).error.offset == 6);
    CHECK(decode(wire("30 03 00 01 '#'")).error.offset == 2);
    CHECK(decode(wire("32 05 00 01 't' 00 00")).error.offset == 5);
}
