#include "wire.hpp"

using namespace comqtt;
using namespace comqtt::mqtt;
using namespace comqtt::mqtt::test;

namespace {

Packet publish() {
    Packet packet;
    packet.type = PacketType::publish;
    packet.topic_name = "t";
    return packet;
}

void check_invalid(const Packet& packet, Reason reason, std::string_view statement, bool from_client = true) {
    const DecodeError error = validate_packet(packet, from_client);
    CAPTURE(error.what);
    CHECK(int(error.reason) == int(reason));
    CHECK(std::string_view(error.statement) == statement);
}

}  // namespace

TEST_CASE(
    "a program's PUBLISH is judged by the rules of the wire "
    "[MQTT-3.3.1-4] [MQTT-3.3.2-2] [MQTT-2.2.1-3]") {
    Packet packet = publish();
    CHECK_FALSE(validate_packet(packet, true));
    packet.topic_name = "a/#";
    check_invalid(packet, Reason::topic_name_invalid, "MQTT-3.3.2-2");
    packet = publish();
    packet.qos = 3;
    check_invalid(packet, Reason::malformed_packet, "MQTT-3.3.1-4");
    packet.qos = 1;
    check_invalid(packet, Reason::protocol_error, "MQTT-2.2.1-3");
    packet.packet_id = 1;
    CHECK_FALSE(validate_packet(packet, true));
    packet.properties.add_number(PropertyId::subscription_identifier, 1);
    check_invalid(packet, Reason::protocol_error, "MQTT-3.3.4-6");
    CHECK_FALSE(validate_packet(packet, false));
}

TEST_CASE("properties given to a 3.1.1 publish are judged, for 5.0 subscribers get them") {
    Packet packet = publish();
    packet.version = Version::v311;
    packet.properties.add_user("k", "v");
    CHECK_FALSE(validate_packet(packet, true));
    packet.properties.set_text(PropertyId::content_type, "\xFF");
    check_invalid(packet, Reason::malformed_packet, "MQTT-3.3.2-19");
}

TEST_CASE("a program may set more user properties than a client") {
    Packet packet = publish();
    for (int count = 0; count < 1000; ++count) packet.properties.add_user("k", "v");
    CHECK_FALSE(validate_packet(packet, true));
}

TEST_CASE("values without a wire form are not valid and not encoded") {
    const auto refused = [](const Packet& packet) {
        Bytes bytes = wire("01");
        CHECK_FALSE(encode_packet(packet, bytes));
        CHECK(bytes.size() == 1);
        CHECK(validate_packet(packet, true));
    };
    Packet packet = publish();
    packet.topic_name = std::string(65'536, 't');
    refused(packet);

    packet = publish();
    packet.properties.set_number(PropertyId::topic_alias, 65'536);
    refused(packet);

    packet = Packet{};
    refused(packet);
    packet.type = PacketType::auth;
    packet.version = Version::v311;
    refused(packet);

    packet = Packet{};
    packet.type = PacketType::subscribe;
    packet.packet_id = 1;
    packet.filters = {{"a", 3, false, false, 0}};
    refused(packet);
    packet.filters = {{"a", 0, false, false, 3}};
    refused(packet);

    packet = Packet{};
    packet.type = PacketType::connect;
    packet.connect.will = Will{"w", "", 3, false, {}};
    refused(packet);
    packet.connect.will = Will{"w", std::string(65'536, 'p'), 0, false, {}};
    refused(packet);
    packet.connect.will.reset();
    packet.version = static_cast<Version>(6);
    refused(packet);
}

TEST_CASE("a PUBLISH over the protocol's maximum is not encoded") {
    Packet packet = publish();
    packet.payload.assign(kMaxRemainingLength - 3, 'x');
    Bytes bytes;
    CHECK_FALSE(encode_packet(packet, bytes));
    check_invalid(packet, Reason::packet_too_large, "2.1.4");
    packet.payload.pop_back();
    CHECK_FALSE(validate_packet(packet, true));
}
