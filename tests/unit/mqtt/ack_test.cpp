#include "wire.hpp"

#include "mqtt/publish_view.hpp"

using namespace comqtt;
using namespace comqtt::mqtt;
using namespace comqtt::mqtt::test;

namespace {

constexpr auto kMalformed = Reason::malformed_packet;
constexpr auto kProtocol = Reason::protocol_error;

struct Kind {
    PacketType type;
    uint8_t first;
    const char* statement;
};
constexpr Kind kKinds[] = {{PacketType::puback, 0x40, "MQTT-3.4.2-1"},
                           {PacketType::pubrec, 0x50, "MQTT-3.5.2-1"},
                           {PacketType::pubrel, 0x62, "MQTT-3.6.2-1"},
                           {PacketType::pubcomp, 0x70, "MQTT-3.7.2-1"}};

}  // namespace

TEST_CASE("acknowledgements of success are four bytes in every version") {
    for (const Kind& kind : kKinds)
        for (const Version version : {Version::v31, Version::v311, Version::v5}) {
            Packet packet;
            packet.type = kind.type;
            packet.version = version;
            packet.packet_id = 0x1234;
            Bytes golden = wire("00 02 12 34");
            golden[0] = kind.first;
            CHECK(hex(encode(packet)) == hex(golden));
            const Decoded decoded = decode(golden, version, true);
            CHECK_FALSE(decoded.error);
            CHECK(decoded.packet == packet);
        }
}

TEST_CASE("a reason without properties takes one more byte") {
    Packet packet;
    packet.type = PacketType::puback;
    packet.packet_id = 1;
    packet.reason = Reason::no_matching_subscribers;
    check_golden(packet, false, "40 03 00 01 10");
    packet.properties.set_text(PropertyId::reason_string, "r");
    check_golden(packet, false, "40 08 00 01 10 04 1F 00 01 'r'");
}

TEST_CASE("long forms that could be short are read") {
    for (const Kind& kind : kKinds)
        for (const char* body : {"00 09", "00 09 00", "00 09 00 00"}) {
            const Decoded decoded = decode(frame(kind.first, wire(body)));
            CHECK_FALSE(decoded.error);
            CHECK(decoded.packet.packet_id == 9);
            CHECK(decoded.packet.reason == Reason::success);
        }
}

TEST_CASE(
    "acknowledgements that cannot be are refused "
    "[MQTT-2.2.1-5] [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1]") {
    for (const Kind& kind : kKinds) {
        check_refusals(kind.first, Version::v5, true,
                       {{"00 00", kProtocol, "MQTT-2.2.1-5"},
                        {"00 01 01", kProtocol, kind.statement},
                        {"00 01 FF 00", kProtocol, kind.statement},
                        {"", kMalformed, "2.1.4"},
                        {"00", kMalformed, "2.1.4"},
                        {"00 01 00 01", kMalformed, "2.1.4"},
                        {"00 01 00 00 00", kMalformed, "2.1.4"},
                        {"00 01 00 02 01 00", kMalformed, "2.2.2.2"}});
        check_refusals(kind.first, Version::v311, true,
                       {{"00 01 00", kMalformed, "2.1.4"},
                        {"00 00", kProtocol, "MQTT-2.2.1-5"},
                        {"00", kMalformed, "2.1.4"}});
    }
}

TEST_CASE("the flags of acknowledgements are fixed [MQTT-2.1.3-1] [MQTT-3.6.1-1]") {
    for (const Kind& kind : kKinds)
        for (uint8_t flags = 0; flags < 16; ++flags) {
            const auto first = static_cast<uint8_t>((kind.first & 0xF0) | flags);
            if (first == kind.first) continue;
            check_refused(frame(first, wire("00 01")), Version::v5, true, kMalformed,
                          kind.type == PacketType::pubrel ? "MQTT-3.6.1-1" : "MQTT-2.1.3-1");
        }
}

TEST_CASE("MQTT 3.1 may send PUBREL, SUBSCRIBE and UNSUBSCRIBE again with DUP") {
    CHECK_FALSE(decode(wire("6A 02 00 01"), Version::v31).error);
    CHECK_FALSE(decode(wire("8A 06 00 01 00 01 'a' 01"), Version::v31).error);
    CHECK_FALSE(decode(wire("AA 05 00 01 00 01 'a'"), Version::v31).error);
    CHECK(decode(wire("6A 02 00 01"), Version::v311).error.reason == kMalformed);
    CHECK(decode(wire("68 02 00 01"), Version::v31).error.reason == kMalformed);
}

TEST_CASE("an acknowledgement view borrows its properties") {
    const Bytes bytes = wire("50 08 00 01 97 04 1F 00 01 'r'");
    FixedHeader header;
    AckView view;
    REQUIRE(read_fixed_header(bytes, header) == FrameState::complete_header);
    REQUIRE_FALSE(parse_ack(bytes, header, Version::v5, true, {}, view));
    CHECK(view.packet_id == 1);
    CHECK(view.reason == Reason::quota_exceeded);
    CHECK(view.properties == ByteView(wire("1F 00 01 'r'")));
}
