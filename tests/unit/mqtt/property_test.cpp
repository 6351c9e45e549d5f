#include "wire.hpp"

#include <string>

#include "mqtt/property.hpp"

using namespace comqtt;
using namespace comqtt::mqtt;
using namespace comqtt::mqtt::test;

using Id = PropertyId;

TEST_CASE("the property table has the 27 properties of the specification") {
    int rows = 0;
    for (int id = 0; id < 256; ++id)
        if (const PropertyInfo* info = find_property(static_cast<uint8_t>(id))) {
            ++rows;
            CHECK(int(info->id) == id);
            CHECK(info->scopes != 0);
            CHECK(std::string(info->name) != "");
        }
    CHECK(rows == 27);
    CHECK(find_property(0x00) == nullptr);
    CHECK(find_property(0x2B) == nullptr);
}

TEST_CASE("properties stand where table 2-4 puts them") {
    const auto scopes = [](Id id) { return int(find_property(static_cast<uint8_t>(id))->scopes); };
    const int connect = scope_of(PacketType::connect), connack = scope_of(PacketType::connack);
    const int publish = scope_of(PacketType::publish), disconnect = scope_of(PacketType::disconnect);
    const int auth = scope_of(PacketType::auth);
    CHECK(scopes(Id::content_type) == (publish | kWillScope));
    CHECK(scopes(Id::subscription_identifier) == (publish | scope_of(PacketType::subscribe)));
    CHECK(scopes(Id::session_expiry_interval) == (connect | connack | disconnect));
    CHECK(scopes(Id::authentication_method) == (connect | connack | auth));
    CHECK(scopes(Id::will_delay_interval) == kWillScope);
    CHECK(scopes(Id::server_reference) == (connack | disconnect));
    CHECK(scopes(Id::topic_alias) == publish);
    CHECK(scopes(Id::reason_string) == 0xCAF4);  // all answers
    CHECK(scopes(Id::user_property) == 0xCFFF);  // all but the pings
}

TEST_CASE("setting a property replaces it and adding repeats it") {
    Properties properties;
    properties.set_number(Id::receive_maximum, 1);
    properties.set_number(Id::receive_maximum, 2);
    properties.set_text(Id::reason_string, "old");
    properties.set_text(Id::reason_string, "new");
    properties.add_user("a", "1");
    properties.add_user("a", "2");
    properties.add_number(Id::subscription_identifier, 5);
    properties.add_number(Id::subscription_identifier, 6);
    CHECK(properties.number(Id::receive_maximum) == 2);
    CHECK(properties.text(Id::reason_string) == "new");
    CHECK(properties.count(Id::user_property) == 2);
    CHECK(properties.count(Id::subscription_identifier) == 2);
    CHECK_FALSE(properties.number(Id::topic_alias));
    CHECK_FALSE(properties.text(Id::content_type));
    properties.remove(Id::user_property);
    CHECK_FALSE(properties.has(Id::user_property));
    CHECK(properties.items().size() == 4);
}

TEST_CASE("the encoded size is the size that is encoded") {
    Properties properties;
    properties.set_number(Id::payload_format_indicator, 1);
    properties.set_number(Id::topic_alias, 0x0102);
    properties.set_number(Id::message_expiry_interval, 0x01020304);
    properties.add_number(Id::subscription_identifier, 128);
    properties.set_text(Id::correlation_data, "cd");
    properties.add_user("k", "v");
    Bytes bytes;
    ByteWriter writer(bytes);
    encode_properties(writer, properties);
    CHECK(hex(bytes) == hex(wire("19 01 01 23 01 02 02 01 02 03 04 0B 80 01 09 00 02 'cd' "
                                 "26 00 01 'k' 00 01 'v'")));
    CHECK(encoded_size(properties) == bytes.size() - 1);
    CHECK(encoded_size(Properties{}) == 0);
}

TEST_CASE("values that have no wire form are known") {
    Properties properties;
    CHECK(encodable(properties));
    properties.set_number(Id::receive_maximum, 65'535);
    properties.add_number(Id::subscription_identifier, kMaxRemainingLength);
    CHECK(encodable(properties));
    properties.set_number(Id::receive_maximum, 65'536);
    CHECK_FALSE(encodable(properties));
    properties.set_number(Id::receive_maximum, 1);
    properties.set_number(Id::maximum_qos, 256);
    CHECK_FALSE(encodable(properties));
    properties.remove(Id::maximum_qos);
    properties.add_number(Id::subscription_identifier, kMaxRemainingLength + 1);
    CHECK_FALSE(encodable(properties));
    properties.remove(Id::subscription_identifier);
    properties.add_user(std::string(65'536, 'n'), "");
    CHECK_FALSE(encodable(properties));
    properties.remove(Id::user_property);
    properties.set_number(static_cast<Id>(0x7F), 1);
    CHECK_FALSE(encodable(properties));
}

TEST_CASE(
    "a property list keeps its order and its length is always there "
    "[MQTT-2.2.2-1] [MQTT-3.3.2-18]") {
    const Decoded good =
        decode(frame(0x30, wire("00 01 't' 0F 26 00 01 'b' 00 00 01 00 26 00 01 'a' 00 01 'x' 'payload'")));
    REQUIRE_FALSE(good.error);
    const auto& items = good.packet.properties.items();
    REQUIRE(items.size() == 3);
    CHECK(items[0].text == "b");
    CHECK(items[1].id == Id::payload_format_indicator);
    CHECK(items[2].text == "a");
    CHECK(items[2].value == "x");
    CHECK(decode(wire("30 03 00 01 't'")).error.reason == Reason::malformed_packet);
}

TEST_CASE("every property is refused outside its packets") {
    const struct {
        uint8_t first;
        Bytes head;
        PropertyScope scope;
        bool from_client;
    } places[] = {{0x30, wire("00 01 't'"), scope_of(PacketType::publish), false},
                  {0x82, wire("00 01"), scope_of(PacketType::subscribe), true},
                  {0x40, wire("00 01 00"), scope_of(PacketType::puback), true},
                  {0xE0, wire("80"), scope_of(PacketType::disconnect), true},
                  {0xF0, wire("18"), scope_of(PacketType::auth), true},
                  {0x20, wire("00 00"), scope_of(PacketType::connack), false}};
    for (const auto& place : places)
        for (int id = 0; id < 0x80; ++id) {
            const PropertyInfo* info = find_property(static_cast<uint8_t>(id));
            if (info && (info->scopes & place.scope)) continue;
            Bytes body = place.head;
            body.push_back(1);
            body.push_back(static_cast<uint8_t>(id));
            check_refused(frame(place.first, body), Version::v5, place.from_client, Reason::malformed_packet,
                          "2.2.2.2");
        }
}

TEST_CASE("no property but the user property stands twice") {
    const auto twice = [](uint8_t first, const char* head, const char* property, bool client) {
        Bytes body = wire(head);
        const Bytes once = wire(property);
        body.push_back(static_cast<uint8_t>(2 * once.size()));
        for (int times = 0; times < 2; ++times) body.insert(body.end(), once.begin(), once.end());
        check_refused(frame(first, body), Version::v5, client, Reason::protocol_error, "2.2.2.2");
    };
    for (const char* property :
         {"01 00", "02 00 00 00 01", "03 00 00", "08 00 01 'r'", "09 00 00", "23 00 01"})
        twice(0x30, "00 01 't'", property, true);
    for (const char* property : {"11 00 00 00 00", "21 00 01", "27 00 00 00 01", "22 00 01", "19 00", "17 00",
                                 "15 00 00", "15 00 00 16 00 00"})
        twice(0x10, "00 04 'MQTT' 05 02 00 00", property, true);
    for (const char* property : {"24 00", "25 00", "12 00 00", "28 00", "29 00", "2A 00", "13 00 00",
                                 "1A 00 00", "1C 00 00", "1F 00 00"})
        twice(0x20, "00 00", property, false);
    twice(0x82, "00 01", "0B 01", true);
}
