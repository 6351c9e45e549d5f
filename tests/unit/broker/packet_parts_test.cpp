#include "broker/packet_parts.hpp"

#include <doctest/doctest.h>

#include "unit/mqtt/wire.hpp"

using namespace comqtt;
using namespace comqtt::broker;
using mqtt::Properties;
using mqtt::PropertyId;
using mqtt::test::hex;
using mqtt::test::wire;

namespace {

std::vector<uint8_t> forwarded(const Properties& properties) {
    std::vector<uint8_t> raw = wire("EE EE");  // what was in the buffer before
    forward_properties(properties, raw);
    return raw;
}

}  // namespace

TEST_CASE("forwarded properties come without alias, expiry, identifiers and delay, the rest in order") {
    Properties properties;
    properties.set_number(PropertyId::topic_alias, 5);
    properties.add_user("b", "1");
    properties.set_number(PropertyId::message_expiry_interval, 60);
    properties.set_text(PropertyId::content_type, "t");
    properties.add_number(PropertyId::subscription_identifier, 9);
    properties.set_number(PropertyId::will_delay_interval, 3);
    properties.add_user("a", "2");
    CHECK(hex(forwarded(properties)) ==
          hex(wire("26 00 01 'b' 00 01 '1' 03 00 01 't' 26 00 01 'a' 00 01 '2'")));
}

TEST_CASE("nothing to forward is no bytes") {
    CHECK(forwarded({}).empty());
    Properties properties;
    properties.set_number(PropertyId::topic_alias, 5);
    CHECK(forwarded(properties).empty());
}

TEST_CASE("properties survive being kept as raw bytes, whatever their length") {
    CHECK(properties_of({}).empty());
    for (const size_t size : {0, 1, 100, 120, 121, 122, 123, 130, 16'375, 16'380, 16'381, 40'000}) {
        Properties properties;
        properties.set_number(PropertyId::payload_format_indicator, 1);
        properties.set_text(PropertyId::correlation_data, std::string(size, '\xFF'));
        properties.add_user("k", "v");
        properties.add_user("k", "v");
        CAPTURE(size);
        CHECK(properties_of(forwarded(properties)) == properties);
    }
}

TEST_CASE("more user properties than one packet may have are kept all the same") {
    Properties properties;
    for (int i = 0; i < 1000; ++i) properties.add_user("k", std::to_string(i));
    CHECK(properties_of(forwarded(properties)) == properties);
}
