#include "wire.hpp"

#include "mqtt/fast.hpp"

using namespace comqtt;
using namespace comqtt::mqtt;
using namespace comqtt::mqtt::test;

namespace {

FrameState read(std::string_view text, FixedHeader& header) { return read_fixed_header(wire(text), header); }

}  // namespace

TEST_CASE("the remaining length is read in one to four bytes") {
    FixedHeader header;
    const struct {
        const char* bytes;
        uint32_t length;
        int header_size;
    } cases[] = {{"C0 00", 0, 2},
                 {"30 7F", 127, 2},
                 {"30 80 01", 128, 3},
                 {"30 FF 7F", 16'383, 3},
                 {"30 80 80 01", 16'384, 4},
                 {"30 FF FF 7F", 2'097'151, 4},
                 {"30 80 80 80 01", 2'097'152, 5},
                 {"30 FF FF FF 7F", kMaxRemainingLength, 5}};
    for (const auto& it : cases) {
        CAPTURE(it.bytes);
        REQUIRE(read(it.bytes, header) == FrameState::complete_header);
        CHECK(header.remaining_length == it.length);
        CHECK(int(header.header_size) == it.header_size);
        CHECK(header.packet_size() == size_t{it.length} + size_t(it.header_size));
        const Bytes bytes = wire(it.bytes);
        for (size_t size = 0; size < bytes.size(); ++size)
            CHECK(read_fixed_header({bytes.data(), size}, header) == FrameState::need_more);
    }
}

TEST_CASE("type and flags come from the first byte") {
    FixedHeader header;
    REQUIRE(read("3B 00", header) == FrameState::complete_header);
    CHECK(header.type == PacketType::publish);
    CHECK(int(header.flags) == 11);
}

TEST_CASE("a remaining length in more bytes than needed is malformed [MQTT-1.5.5-1]") {
    FixedHeader header;
    for (const char* bytes : {"30 80 00", "30 FF 00", "30 80 80 00", "30 FF FF FF 00", "30 FF FF FF FF",
                              "30 80 80 80 80", "30 FF FF FF FF 7F"}) {
        CAPTURE(bytes);
        CHECK(read(bytes, header) == FrameState::malformed);
    }
}

TEST_CASE("the plain PUBLISH reader agrees with the full one or declines") {
    const Bytes plain = wire("32 09 00 03 'a/b' 01 02 00 'x'");
    FixedHeader header;
    PublishView view;
    REQUIRE(read_fixed_header(plain, header) == FrameState::complete_header);
    REQUIRE(read_plain_publish(plain, header, Version::v5, view));
    CHECK(view.topic_name.text() == "a/b");
    CHECK(view.packet_id == 258);
    CHECK(view.payload.text() == "x");
    for (const char* declined : {"30 02 00 00", "36 09 00 03 'a/b' 01 02 00 'x'", "38 06 00 03 'a/b' 00",
                                 "32 08 00 03 'a/b' 00 00 00", "30 08 00 03 'a/b' 02 01 00",
                                 "30 05 00 03 'a/b'", "30 01 00", "30 04 00 09 'a' 00"}) {
        CAPTURE(declined);
        const Bytes bytes = wire(declined);
        REQUIRE(read_fixed_header(bytes, header) == FrameState::complete_header);
        CHECK_FALSE(read_plain_publish(bytes, header, Version::v5, view));
    }
}
