#include "broker/publish_writer.hpp"

#include <doctest/doctest.h>

#include "fakes.hpp"
#include "unit/mqtt/wire.hpp"

using namespace comqtt;
using namespace comqtt::broker;
using namespace comqtt::broker::test;
using mqtt::Packet;
using mqtt::PropertyId;
using mqtt::Version;

namespace {

constexpr Version kVersions[] = {Version::v31, Version::v311, Version::v5};

/// What the link gets for this form of the publication.
std::string written(Publication& publication, const PublishForm& form) {
    ChunkPool pool(4096);
    Output out;
    FakeLink link;
    write_publish(pool, out, publication, form);
    CHECK(out.bytes() == publish_size(publication, form));
    out.flush(pool, link);
    return link.taken;
}

/// The same as a client decodes it.
Packet received(Publication& publication, const PublishForm& form) {
    const std::string bytes = written(publication, form);
    auto decoded = mqtt::test::decode({bytes.begin(), bytes.end()}, form.version, false);
    CHECK_MESSAGE(!decoded.error, decoded.error.what);
    return std::move(decoded.packet);
}

struct Sample : Publication {
    Sample(std::string_view topic, std::string_view bytes, std::string_view list = {}) {
        topic_name = topic;
        payload = bytes;
        properties = list;
    }
};

}  // namespace

TEST_CASE("a receiver decodes what was published with its own QoS, flags and packet identifier") {
    Sample publication("a/b", "payload");
    for (const Version version : kVersions)
        for (const int qos : {0, 1, 2})
            for (const bool dup : {false, true})
                for (const bool retain : {false, true}) {
                    if (dup && qos == 0) continue;
                    PublishForm form;
                    form.version = version;
                    form.qos = static_cast<uint8_t>(qos);
                    form.dup = dup;
                    form.retain = retain;
                    form.packet_id = 0xABCD;
                    const Packet packet = received(publication, form);
                    CHECK(packet.topic_name == "a/b");
                    CHECK(packet.payload == "payload");
                    CHECK(int(packet.qos) == qos);
                    CHECK(packet.dup == dup);
                    CHECK(packet.retain == retain);
                    CHECK(packet.packet_id == (qos ? 0xABCD : 0));
                    CHECK(packet.properties.empty());
                }
}

TEST_CASE(
    "a 5.0 receiver gets expiry, alias and identifiers beside the publisher's properties [MQTT-3.3.4-3]") {
    const auto raw = mqtt::test::wire("03 00 01 't' 26 00 01 'k' 00 01 'v'");
    Sample publication("a/b", "x", ByteView(raw).text());
    const uint32_t identifiers[] = {1, 127, 128, 268'435'455};
    PublishForm form;
    form.identifiers = identifiers;
    form.alias = 0x0102;
    form.has_expiry = true;
    form.expiry = 0x01020304;
    const Packet packet = received(publication, form);
    CHECK(packet.topic_name == "a/b");
    CHECK(packet.properties.number(PropertyId::message_expiry_interval) == 0x01020304);
    CHECK(packet.properties.number(PropertyId::topic_alias) == 0x0102);
    CHECK(packet.properties.text(PropertyId::content_type) == "t");
    std::vector<uint32_t> got;
    for (const auto& property : packet.properties.items())
        if (property.id == PropertyId::subscription_identifier) got.push_back(property.number);
    CHECK(got == std::vector<uint32_t>(std::begin(identifiers), std::end(identifiers)));
    REQUIRE(packet.properties.find(PropertyId::user_property));
    CHECK(packet.properties.find(PropertyId::user_property)->text == "k");
    CHECK(packet.properties.items().size() == 8);
}

TEST_CASE("a known alias stands for the topic name [MQTT-3.3.2-12]") {
    Sample publication("a/long/topic/name", "x");
    PublishForm form;
    form.alias = 7;
    form.send_topic = false;
    const Packet packet = received(publication, form);
    CHECK(packet.topic_name.empty());
    CHECK(packet.properties.number(PropertyId::topic_alias) == 7);
    CHECK(packet.payload == "x");
}

TEST_CASE("properties are not sent to receivers of earlier versions") {
    const auto raw = mqtt::test::wire("03 00 01 't'");
    Sample publication("t", "x", ByteView(raw).text());
    PublishForm form;
    form.version = Version::v311;
    CHECK(written(publication, form) == std::string("\x30\x04\x00\x01tx", 6));
    form.version = Version::v5;
    CHECK(written(publication, form) == std::string("\x30\x09\x00\x01t\x04\x03\x00\x01tx", 11));
}

TEST_CASE("lengths that need another byte are written right, in the packet and in its properties") {
    for (const Version version : kVersions)
        for (const size_t size : {0, 100, 120, 121, 122, 123, 124, 16'370, 16'376, 16'377, 16'378, 16'379,
                                  16'380, 16'383, 16'384, 2'097'140, 2'097'147, 2'097'160}) {
            const std::string payload(size, 'p');
            Sample publication("t", payload);
            PublishForm form;
            form.version = version;
            const Packet packet = received(publication, form);
            CAPTURE(size);
            CHECK(packet.payload == payload);
        }
    for (const size_t size :
         {118, 119, 120, 121, 122, 123, 124, 125, 16'376, 16'377, 16'378, 16'379, 16'380, 16'381}) {
        std::vector<uint8_t> raw;
        ByteWriter writer(raw);
        const std::string type(size, 'c');
        writer.u8(0x03);
        writer.string(ByteView(type));
        Sample publication("t", "x", ByteView(raw).text());
        PublishForm form;
        form.alias = 1;
        const Packet packet = received(publication, form);
        CAPTURE(size);
        CHECK(packet.properties.text(PropertyId::content_type) == type);
        CHECK(packet.payload == "x");
    }
}

TEST_CASE("a large payload is referenced where it has a message and copied where it has none") {
    const std::string payload(kSharedPayload, 'p');
    for (const bool with_message : {true, false}) {
        Sample publication("t", payload);
        const auto* source = publication.payload.data;
        if (with_message) {
            publication.made = make_message(payload);
            publication.payload = publication.made->payload();
            source = publication.payload.data;
        }
        ChunkPool pool(65'536);
        Output out;
        FakeLink link;
        PublishForm form;
        write_publish(pool, out, publication, form);
        out.flush(pool, link);
        CHECK((link.last_part == source) == with_message);
        CHECK(link.taken.ends_with(payload));
        CHECK(link.taken.size() == publish_size(publication, form));
    }
}

TEST_CASE("a small payload is copied, so that many packets go out in one part") {
    Sample publication("t", "small");
    publication.made = make_message("small");
    ChunkPool pool(65'536);
    Output out;
    FakeLink link;
    std::string expected;
    for (int i = 0; i < 50; ++i) {
        write_publish(pool, out, publication, {});
        expected += written(publication, {});
    }
    out.flush(pool, link);
    CHECK(link.calls == 1);
    CHECK(link.taken == expected);
    CHECK(link.last_part != publication.made->payload().data);
}

TEST_CASE(
    "whatever parts are referenced, the packet is the same as with all of them copied, and nothing large is "
    "copied") {
    std::vector<uint8_t> raw;
    ByteWriter writer(raw);
    writer.u8(0x03);
    const std::string type(kSharedPayload, 'c');
    writer.string(ByteView(type));
    const std::string topics[] = {"t", std::string(kSharedPayload, 't')};
    const std::string properties[] = {"", std::string(raw.begin(), raw.end())};
    const std::string payloads[] = {"", "p", std::string(kSharedPayload - 1, 'p'),
                                    std::string(kSharedPayload, 'p')};
    for (const std::string& topic : topics)
        for (const std::string& list : properties)
            for (const std::string& payload : payloads)
                for (const Version version : {Version::v311, Version::v5})
                    for (const int qos : {0, 1}) {
                        Sample copied(topic, payload, list), shared(topic, payload, list);
                        shared.message();
                        PublishForm form;
                        form.version = version;
                        form.qos = static_cast<uint8_t>(qos);
                        form.packet_id = 0x1234;
                        CAPTURE(topic.size());
                        CAPTURE(list.size());
                        CAPTURE(payload.size());
                        CHECK(written(shared, form) == written(copied, form));
                        ChunkPool pool(1 << 20);
                        Output out;
                        FakeLink link;
                        write_publish(pool, out, shared, form);
                        CHECK(out.copied() < kSharedPayload + 100);
                        out.flush(pool, link);
                    }
}
