#include "base/bytes.hpp"

#include <doctest/doctest.h>

using namespace comqtt;

namespace {

using Bytes = std::vector<uint8_t>;

Bytes varint(uint32_t value) {
    Bytes bytes;
    ByteWriter(bytes).varint(value);
    return bytes;
}

}  // namespace

TEST_CASE("numbers are written most significant byte first and read back") {
    Bytes bytes;
    ByteWriter writer(bytes);
    writer.u8(0x01);
    writer.u16(0xA1B2);
    writer.u32(0xC1D2E3F4);
    CHECK(bytes == Bytes{0x01, 0xA1, 0xB2, 0xC1, 0xD2, 0xE3, 0xF4});
    CHECK(writer.size() == 7);
    CHECK(load_u16(&bytes[1]) == 0xA1B2);
    CHECK(load_u32(&bytes[3]) == 0xC1D2E3F4);

    uint8_t stored[6];
    store_u16(stored, 0xA1B2);
    store_u32(stored + 2, 0xC1D2E3F4);
    CHECK(ByteView(stored, 6) == ByteView(bytes).from(1));
}

TEST_CASE("a string is written behind its length in two bytes") {
    Bytes bytes{0xEE};
    ByteWriter writer(bytes);
    writer.string(ByteView(std::string_view("ab")));
    writer.string({});
    writer.raw(ByteView(std::string_view("c")));
    CHECK(bytes == Bytes{0xEE, 0, 2, 'a', 'b', 0, 0, 'c'});
}

TEST_CASE(
    "a variable byte integer has its shortest form, and every way of writing it agrees [MQTT-1.5.5-1]") {
    const struct {
        uint32_t value;
        Bytes bytes;
    } cases[] = {{0, {0x00}},
                 {127, {0x7F}},
                 {128, {0x80, 0x01}},
                 {16'383, {0xFF, 0x7F}},
                 {16'384, {0x80, 0x80, 0x01}},
                 {2'097'151, {0xFF, 0xFF, 0x7F}},
                 {2'097'152, {0x80, 0x80, 0x80, 0x01}},
                 {268'435'455, {0xFF, 0xFF, 0xFF, 0x7F}}};
    for (const auto& it : cases) {
        CAPTURE(it.value);
        CHECK(varint(it.value) == it.bytes);
        CHECK(varint_size(it.value) == it.bytes.size());
        uint8_t stored[5] = {};
        const uint8_t* end = store_varint(stored, it.value);
        CHECK(ByteView(stored, static_cast<size_t>(end - stored)) == ByteView(it.bytes));
    }
}

TEST_CASE("views are equal by content, and empty ones by being empty") {
    const Bytes bytes{'a', 'b', 'c'};
    CHECK(ByteView(bytes) == ByteView(std::string_view("abc")));
    CHECK_FALSE(ByteView(bytes) == ByteView(std::string_view("abd")));
    CHECK_FALSE(ByteView(bytes) == ByteView(std::string_view("ab")));
    CHECK(ByteView() == ByteView(std::string_view("")));
    CHECK(ByteView() == ByteView(bytes).subview(3, 0));
}

TEST_CASE("a part of a view is the bytes it names") {
    const ByteView view(std::string_view("abcdef"));
    CHECK(view.subview(1, 3).text() == "bcd");
    CHECK(view.from(4).text() == "ef");
    CHECK(view.from(6).empty());
    CHECK(view[5] == 'f');
    CHECK(Bytes(view.begin(), view.end()).size() == 6);
}
