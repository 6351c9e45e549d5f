#include "wire.hpp"

using namespace comqtt;
using namespace comqtt::mqtt;
using namespace comqtt::mqtt::test;

namespace {

constexpr auto kMalformed = Reason::malformed_packet;
constexpr auto kProtocol = Reason::protocol_error;

Packet packet_of(PacketType type, Version version = Version::v5) {
    Packet packet;
    packet.type = type;
    packet.version = version;
    return packet;
}

}  // namespace

TEST_CASE("the pings are two bytes in every version") {
    for (const Version version : {Version::v31, Version::v311, Version::v5}) {
        check_golden(packet_of(PacketType::pingreq, version), true, "C0 00");
        check_golden(packet_of(PacketType::pingresp, version), false, "D0 00");
        check_refused(wire("C0 01 00"), version, true, kMalformed, "2.1.4");
        check_refused(wire("C1 00"), version, true, kMalformed, "MQTT-2.1.3-1");
        check_refused(wire("D8 00"), version, false, kMalformed, "MQTT-2.1.3-1");
    }
}

TEST_CASE("DISCONNECT has its golden bytes in all its lengths") {
    Packet packet = packet_of(PacketType::disconnect);
    check_golden(packet, true, "E0 00");
    packet.reason = Reason::disconnect_with_will;
    check_golden(packet, true, "E0 01 04");
    packet.properties.set_number(PropertyId::session_expiry_interval, 1);
    check_golden(packet, true, "E0 07 04 05 11 00 00 00 01");
    packet.reason = Reason::normal_disconnection;
    check_golden(packet, true, "E0 07 00 05 11 00 00 00 01");
    check_golden(packet_of(PacketType::disconnect, Version::v311), true, "E0 00");
    CHECK_FALSE(decode(wire("E0 01 00")).error);
    CHECK_FALSE(decode(wire("E0 02 00 00")).error);
}

TEST_CASE("a DISCONNECT that cannot be is refused [MQTT-3.14.1-1] [MQTT-3.14.2-1] [MQTT-3.14.2-2]") {
    check_refusals(0xE0, Version::v5, true,
                   {{"8E", kProtocol, "MQTT-3.14.2-1"},
                    {"01", kProtocol, "MQTT-3.14.2-1"},
                    {"00 05 11 00 00 00", kMalformed, "2.1.4"},
                    {"00 00 00", kMalformed, "2.1.4"},
                    {"00 03 21 00 01", kMalformed, "2.2.2.2"}});
    check_refusals(0xE0, Version::v5, false,
                   {{"04", kProtocol, "MQTT-3.14.2-1"},
                    {"", kProtocol, "MQTT-3.14.2-1"},
                    {"8B 05 11 00 00 00 00", kProtocol, "MQTT-3.14.2-2"}});
    check_refusals(0xE1, Version::v5, true, {{"", kMalformed, "MQTT-3.14.1-1"}});
    check_refusals(0xE0, Version::v311, true, {{"00", kMalformed, "2.1.4"}});
    check_refusals(0xE0, Version::v311, false, {{"", kProtocol, "2.1.2"}});
}

TEST_CASE("AUTH has its golden bytes") {
    Packet packet = packet_of(PacketType::auth);
    check_golden(packet, false, "F0 00");
    packet.reason = Reason::continue_authentication;
    packet.properties.set_text(PropertyId::authentication_method, "M");
    packet.properties.set_text(PropertyId::authentication_data, "d");
    check_golden(packet, true, "F0 0A 18 08 15 00 01 'M' 16 00 01 'd'");
}

TEST_CASE("an AUTH that cannot be is refused [MQTT-3.15.1-1] [MQTT-3.15.2-1]") {
    check_refusals(0xF0, Version::v5, true,
                   {{"", kProtocol, "MQTT-3.15.2-1"},
                    {"00 04 15 00 01 'M'", kProtocol, "MQTT-3.15.2-1"},
                    {"80 04 15 00 01 'M'", kProtocol, "MQTT-3.15.2-1"},
                    {"18", kMalformed, "2.1.4"},
                    {"18 00", kProtocol, "3.15.2.2.2"},
                    {"18 04 16 00 01 'd'", kProtocol, "3.1.2.11.10"},
                    {"18 04 15 00 01 'M' 00", kMalformed, "2.1.4"}});
    check_refusals(0xF0, Version::v5, false,
                   {{"19 04 15 00 01 'M'", kProtocol, "MQTT-3.15.2-1"},
                    {"00 04 1F 00 01 'r'", kProtocol, "3.15.2.2.2"}});
    for (uint8_t flags = 1; flags < 16; ++flags)
        check_refused(frame(0xF0 | flags, {}), Version::v5, false, kMalformed, "MQTT-3.15.1-1");
}

TEST_CASE("packet types that a version does not have are malformed [MQTT-2.1.3-1]") {
    for (const bool from_client : {true, false}) {
        check_refused(wire("F0 00"), Version::v311, from_client, kMalformed, "2.1.2");
        check_refused(wire("F0 00"), Version::v31, from_client, kMalformed, "2.1.2");
        check_refused(wire("00 00"), Version::v5, from_client, kMalformed, "2.1.2");
    }
}

TEST_CASE("a side that sends packets of the other commits a protocol error") {
    for (const char* of_server : {"20 03 00 00 00", "90 04 00 01 00 00", "B0 04 00 01 00 00", "D0 00"})
        check_refused(wire(of_server), Version::v5, true, kProtocol, "2.1.2");
    for (const char* of_client : {"10 0D 00 04 'MQTT' 05 02 00 00 00 00 00", "C0 00",
                                  "82 07 00 01 00 00 01 'a' 00", "A2 06 00 01 00 00 01 'a'"})
        check_refused(wire(of_client), Version::v5, false, kProtocol, "2.1.2");
}

TEST_CASE("bytes that are not one whole packet are malformed") {
    check_refused({}, Version::v5, true, kMalformed, "2.1.4");
    check_refused(wire("C0"), Version::v5, true, kMalformed, "2.1.4");
    check_refused(wire("C0 00 00"), Version::v5, true, kMalformed, "2.1.4");
    check_refused(wire("C0 80 00"), Version::v5, true, kMalformed, "MQTT-1.5.5-1");
    check_refused(wire("C0 FF FF FF FF 7F"), Version::v5, true, kMalformed, "MQTT-1.5.5-1");
}
