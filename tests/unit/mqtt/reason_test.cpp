#include <doctest/doctest.h>

#include <set>
#include <string>

#include "mqtt/reason.hpp"

using namespace comqtt::mqtt;

namespace {

/// All codes that may stand in a packet of this type.
std::set<int> codes_of(PacketType type, bool from_server) {
    std::set<int> codes;
    for (int code = 0; code < 256; ++code)
        if (reason_allowed(static_cast<Reason>(code), type, from_server)) codes.insert(code);
    return codes;
}

using Codes = std::set<int>;

}  // namespace

TEST_CASE("CONNACK carries connect reason codes only [MQTT-3.2.2-8]") {
    CHECK(codes_of(PacketType::connack, true) == Codes{0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86,
                                                       0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97,
                                                       0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F});
}

TEST_CASE(
    "acknowledgements carry their own reason codes only "
    "[MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1]") {
    const Codes received{0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99};
    const Codes released{0x00, 0x92};
    for (const bool from_server : {true, false}) {
        CHECK(codes_of(PacketType::puback, from_server) == received);
        CHECK(codes_of(PacketType::pubrec, from_server) == received);
        CHECK(codes_of(PacketType::pubrel, from_server) == released);
        CHECK(codes_of(PacketType::pubcomp, from_server) == released);
    }
}

TEST_CASE("SUBACK and UNSUBACK carry their own reason codes only [MQTT-3.9.3-2] [MQTT-3.11.3-2]") {
    CHECK(codes_of(PacketType::suback, true) ==
          Codes{0, 1, 2, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2});
    CHECK(codes_of(PacketType::unsuback, true) == Codes{0, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91});
}

TEST_CASE(
    "DISCONNECT and AUTH carry the reason codes of their sender only "
    "[MQTT-3.14.2-1] [MQTT-3.15.2-1]") {
    CHECK(codes_of(PacketType::disconnect, false) ==
          Codes{0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99});
    CHECK(codes_of(PacketType::disconnect, true) ==
          Codes{0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94,
                0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2});
    CHECK(codes_of(PacketType::auth, false) == Codes{0x18, 0x19});
    CHECK(codes_of(PacketType::auth, true) == Codes{0x00, 0x18});
}

TEST_CASE("no reason code stands where the packet has none") {
    for (const PacketType type : {PacketType::connect, PacketType::publish, PacketType::subscribe,
                                  PacketType::unsubscribe, PacketType::pingreq})
        CHECK(codes_of(type, false).empty());
}

TEST_CASE("every code has a text and unknown ones say so") {
    CHECK(std::string(reason_text(Reason::success)) == "Success");
    CHECK(std::string(reason_text(Reason::session_taken_over)) == "Session taken over");
    CHECK(std::string(reason_text(static_cast<Reason>(0xFF))) == "unknown reason code");
}

TEST_CASE("CONNACK reasons have a return code of 3.1.1 and back, where there is one") {
    CHECK(connack_return_code_v3(Reason::success) == 0);
    CHECK(connack_return_code_v3(Reason::unsupported_protocol_version) == 1);
    CHECK(connack_return_code_v3(Reason::client_identifier_not_valid) == 2);
    CHECK(connack_return_code_v3(Reason::server_busy) == 3);
    CHECK(connack_return_code_v3(Reason::quota_exceeded) == 3);
    CHECK(connack_return_code_v3(Reason::bad_user_name_or_password) == 4);
    CHECK(connack_return_code_v3(Reason::not_authorized) == 5);
    CHECK(connack_return_code_v3(Reason::banned) == 5);
    for (uint8_t code = 0; code <= 5; ++code)
        CHECK(connack_return_code_v3(connack_reason_of_v3(code)) == code);
    for (const Reason reason :
         {Reason::unspecified_error, Reason::malformed_packet, Reason::protocol_error,
          Reason::implementation_specific_error, Reason::packet_too_large, Reason::topic_name_invalid,
          Reason::payload_format_invalid, Reason::retain_not_supported, Reason::qos_not_supported,
          Reason::session_taken_over})
        CHECK(!connack_return_code_v3(reason));
}
