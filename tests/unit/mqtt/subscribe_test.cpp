#include "wire.hpp"

using namespace comqtt;
using namespace comqtt::mqtt;
using namespace comqtt::mqtt::test;

namespace {

constexpr auto kMalformed = Reason::malformed_packet;
constexpr auto kProtocol = Reason::protocol_error;

Packet packet_of(PacketType type, Version version, std::vector<TopicFilterEntry> filters) {
    Packet packet;
    packet.type = type;
    packet.version = version;
    packet.packet_id = 10;
    packet.filters = std::move(filters);
    return packet;
}

}  // namespace

TEST_CASE("SUBSCRIBE has its golden bytes [MQTT-3.8.3-1]") {
    Packet packet = packet_of(PacketType::subscribe, Version::v311,
                              {{"a/b", 1, false, false, 0}, {"#", 2, false, false, 0}});
    check_golden(packet, true, "82 0C 00 0A 00 03 'a/b' 01 00 01 '#' 02");
    packet.version = Version::v5;
    packet.filters[0] = {"a/b", 1, true, true, 2};
    packet.properties.set_number(PropertyId::subscription_identifier, 128);
    check_golden(packet, true, "82 10 00 0A 03 0B 80 01 00 03 'a/b' 2D 00 01 '#' 02");
}

TEST_CASE("UNSUBSCRIBE has its golden bytes [MQTT-3.10.3-1]") {
    const Packet v311 = packet_of(PacketType::unsubscribe, Version::v311, {{"a/b"}, {"#"}});
    check_golden(v311, true, "A2 0A 00 0A 00 03 'a/b' 00 01 '#'");
    const Packet v5 = packet_of(PacketType::unsubscribe, Version::v5, {{"a/b"}});
    check_golden(v5, true, "A2 08 00 0A 00 00 03 'a/b'");
}

TEST_CASE("the flags of SUBSCRIBE and UNSUBSCRIBE are fixed [MQTT-3.8.1-1] [MQTT-3.10.1-1]") {
    for (uint8_t flags = 0; flags < 16; ++flags) {
        if (flags == 2) continue;
        check_refused(frame(0x80 | flags, wire("00 01 00 00 01 'a' 00")), Version::v5, true, kMalformed,
                      "MQTT-3.8.1-1");
        check_refused(frame(0xA0 | flags, wire("00 01 00 00 01 'a'")), Version::v5, true, kMalformed,
                      "MQTT-3.10.1-1");
    }
}

TEST_CASE(
    "a SUBSCRIBE that cannot be is refused [MQTT-2.2.1-3] [MQTT-3.8.3-1] [MQTT-3.8.3-2] "
    "[MQTT-3.8.3-5] [MQTT-4.7.3-1] [MQTT-4.7.3-2]") {
    check_refusals(0x82, Version::v5, true,
                   {{"00 00 00 00 01 'a' 00", kProtocol, "MQTT-2.2.1-3"},
                    {"00 01 00", kProtocol, "MQTT-3.8.3-2"},
                    {"00 01 00 00 01 'a' 03", kProtocol, "3.8.3.1"},
                    {"00 01 00 00 01 'a' 30", kProtocol, "3.8.3.1"},
                    {"00 01 00 00 01 'a' 40", kMalformed, "MQTT-3.8.3-5"},
                    {"00 01 00 00 01 'a' 80", kMalformed, "MQTT-3.8.3-5"},
                    {"00 01 00 00 00 00", kProtocol, "MQTT-4.7.3-1"},
                    {"00 01 00 00 01 FF 00", kMalformed, "MQTT-3.8.3-1"},
                    {"00 01 00 00 01 00 00", kMalformed, "MQTT-1.5.4-2"},
                    {"00 01 00 00 01 'a'", kMalformed, "2.1.4"},
                    {"00 01 00 00 01 'a' 00 00", kMalformed, "2.1.4"},
                    {"00 01 02 0B 00 00 01 'a' 00", kProtocol, "3.8.2.1.2"},
                    {"00 01 04 0B 01 0B 02 00 01 'a' 00", kProtocol, "2.2.2.2"},
                    {"00 01", kMalformed, "2.1.4"}});
    check_refusals(0x82, Version::v311, true,
                   {{"00 01", kProtocol, "MQTT-3.8.3-2"},
                    {"00 01 00 01 'a' 03", kMalformed, "3.8.3.1"},
                    {"00 01 00 01 'a' 04", kMalformed, "MQTT-3.8.3-5"},
                    {"00 01 00 01 'a' 10", kMalformed, "MQTT-3.8.3-5"},
                    {"00 01 00 00 01", kProtocol, "MQTT-4.7.3-1"}});
}

TEST_CASE("No Local on a shared subscription is a protocol error [MQTT-3.8.3-4]") {
    check_refusals(0x82, Version::v5, true, {{"00 01 00 00 0A '$share/g/a' 04", kProtocol, "MQTT-3.8.3-4"}});
    CHECK_FALSE(decode(frame(0x82, wire("00 01 00 00 07 '$share2' 04"))).error);
}

TEST_CASE("filters whose form is wrong are left to be answered one by one") {
    for (const char* filter : {"'a#b'", "'++++'", "'#/a/'"}) {
        const Bytes text = wire(filter);
        Bytes body = wire("00 01 00 00");
        body.push_back(static_cast<uint8_t>(text.size()));
        body.insert(body.end(), text.begin(), text.end());
        body.push_back(0);
        CHECK_FALSE(decode(frame(0x82, body)).error);
    }
}

TEST_CASE(
    "an UNSUBSCRIBE that cannot be is refused "
    "[MQTT-2.2.1-3] [MQTT-3.10.3-1] [MQTT-3.10.3-2] [MQTT-4.7.3-1]") {
    check_refusals(0xA2, Version::v5, true,
                   {{"00 00 00 00 01 'a'", kProtocol, "MQTT-2.2.1-3"},
                    {"00 01 00", kProtocol, "MQTT-3.10.3-2"},
                    {"00 01 00 00 00", kProtocol, "MQTT-4.7.3-1"},
                    {"00 01 00 00 01 FF", kMalformed, "MQTT-3.10.3-1"},
                    {"00 01 02 0B 01 00 01 'a'", kMalformed, "2.2.2.2"},
                    {"00 01 00 00 05 'a'", kMalformed, "2.1.4"}});
}

TEST_CASE("more filters than the limit are too large a packet") {
    DecodeLimits limits;
    limits.filters = 2;
    for (const PacketType type : {PacketType::subscribe, PacketType::unsubscribe}) {
        Packet packet = packet_of(type, Version::v5, {{"a"}, {"b"}});
        CHECK_FALSE(decode(encode(packet), Version::v5, true, limits).error);
        packet.filters.push_back({"c"});
        CHECK(decode(encode(packet), Version::v5, true, limits).error.reason == Reason::packet_too_large);
    }
}

TEST_CASE("SUBACK has its golden bytes and maps refusals for 3.1.1 [MQTT-3.9.3-2]") {
    Packet packet = packet_of(PacketType::suback, Version::v5, {});
    packet.reason_codes = {0, 1, 2, 0x8F};
    check_golden(packet, false, "90 07 00 0A 00 00 01 02 8F");
    packet.version = Version::v311;
    CHECK(hex(encode(packet)) == hex(wire("90 06 00 0A 00 01 02 80")));
}

TEST_CASE("UNSUBACK has its golden bytes and no codes before 5.0 [MQTT-3.11.3-2]") {
    Packet packet = packet_of(PacketType::unsuback, Version::v5, {});
    packet.reason_codes = {0, 0x11};
    check_golden(packet, false, "B0 05 00 0A 00 00 11");
    packet.version = Version::v311;
    CHECK(hex(encode(packet)) == hex(wire("B0 02 00 0A")));
}

TEST_CASE("a SUBACK or UNSUBACK that cannot be is refused [MQTT-2.2.1-6]") {
    check_refusals(0x90, Version::v5, false,
                   {{"00 00 00 00", kProtocol, "MQTT-2.2.1-6"},
                    {"00 01 00", kProtocol, "MQTT-3.9.3-2"},
                    {"00 01 00 03", kProtocol, "MQTT-3.9.3-2"},
                    {"00 01 00 00 11", kProtocol, "MQTT-3.9.3-2"}});
    check_refusals(0x90, Version::v311, false, {{"00 01 83", kProtocol, "MQTT-3.9.3-2"}});
    check_refusals(0xB0, Version::v5, false,
                   {{"00 01 00", kProtocol, "MQTT-3.11.3-2"}, {"00 01 00 01", kProtocol, "MQTT-3.11.3-2"}});
    check_refusals(0xB0, Version::v311, false, {{"00 01 00", kMalformed, "2.1.4"}});
}
