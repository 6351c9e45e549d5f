#include <doctest/doctest.h>

#include <string>

#include "mqtt/publish_view.hpp"
#include "mqtt/utf8.hpp"

using namespace comqtt;
using namespace comqtt::mqtt;

namespace {

bool valid(const std::string& text) { return utf8_valid(std::string_view(text)); }

/// The text behind 0..17 ASCII bytes and before as many, so that it meets every place of a word.
bool valid_everywhere(const std::string& text) {
    for (size_t before = 0; before < 18; ++before)
        for (const size_t after : {size_t{0}, size_t{1}, size_t{9}})
            if (!valid(std::string(before, 'x') + text + std::string(after, 'y'))) return false;
    return true;
}
bool invalid_everywhere(const std::string& text) {
    for (size_t before = 0; before < 18; ++before)
        for (const size_t after : {size_t{0}, size_t{1}, size_t{9}})
            if (valid(std::string(before, 'x') + text + std::string(after, 'y'))) return false;
    return true;
}

/// Encodes any number below 2^21 the way UTF-8 would.
std::string encode_code_point(uint32_t code) {
    std::string text;
    const auto push = [&text](uint32_t byte) { text.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
        push(code);
    } else if (code < 0x800) {
        push(0xC0 | code >> 6);
        push(0x80 | (code & 63));
    } else if (code < 0x10000) {
        push(0xE0 | code >> 12);
        push(0x80 | (code >> 6 & 63));
        push(0x80 | (code & 63));
    } else {
        push(0xF0 | code >> 18);
        push(0x80 | (code >> 12 & 63));
        push(0x80 | (code >> 6 & 63));
        push(0x80 | (code & 63));
    }
    return text;
}

}  // namespace

TEST_CASE("every code point but U+0000 and the surrogates is text [MQTT-1.5.4-1]") {
    for (uint32_t code = 1; code < 0x200000; ++code) {
        const bool legal = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
        if (valid(encode_code_point(code)) != legal) FAIL("code point " << code);
    }
}

TEST_CASE("ill-formed sequences are found at every place of a text [MQTT-1.5.4-1]") {
    for (const char* bad : {"\x80",
                            "\xBF",
                            "\xC0\x80",
                            "\xC1\xBF",
                            "\xC3",
                            "\xC3\x28",
                            "\xE0\x80\x80",
                            "\xE0\x9F\xBF",
                            "\xED\xA0\x80",
                            "\xED\xBF\xBF",
                            "\xE2\x82",
                            "\xE2\x28\xA1",
                            "\xE2\x82\x28",
                            "\xF0\x80\x80\x80",
                            "\xF0\x8F\xBF\xBF",
                            "\xF4\x90\x80\x80",
                            "\xF5\x80\x80\x80",
                            "\xF0\x9F\x98",
                            "\xF0\x28\x8C\xBC",
                            "\xFE",
                            "\xFF",
                            "\xC3\xA9\xA9"}) {
        CAPTURE(bad);
        CHECK(invalid_everywhere(bad));
    }
}

TEST_CASE("U+0000 is found at every place of a text [MQTT-1.5.4-2]") {
    CHECK(invalid_everywhere(std::string(1, '\0')));
    CHECK(scan_text(std::string_view("a\0b", 3)) == TextFlaw::null_character);
}

TEST_CASE("a byte order mark and control characters are ordinary text [MQTT-1.5.4-3]") {
    CHECK(valid_everywhere("\xEF\xBB\xBF"));
    CHECK(valid_everywhere("\x01"));
    CHECK(valid_everywhere("\x7F"));
    CHECK(valid_everywhere("\xEF\xBF\xBF"));
    CHECK(valid(""));
}

TEST_CASE("a topic name has no wildcard, at any place [MQTT-3.3.2-2]") {
    for (const char* wildcard : {"+", "#"})
        for (size_t before = 0; before < 18; ++before) {
            const std::string topic = std::string(before, 'a') + wildcard + std::string(5, 'b');
            CHECK_FALSE(topic_name_valid(std::string_view(topic)));
            CHECK(scan_topic_name(std::string_view(topic)) == TextFlaw::wildcard);
            CHECK(scan_topic_name(std::string_view("\xC3\xA9" + topic)) == TextFlaw::wildcard);
        }
    CHECK(topic_name_valid(std::string_view("a/b/\"*,\xE2\x82\xAC$SYS")));
}

TEST_CASE("a topic name has 1 to 65,535 bytes [MQTT-4.7.3-1] [MQTT-4.7.3-3]") {
    CHECK_FALSE(topic_name_valid(std::string_view()));
    CHECK(topic_name_valid(std::string_view("/")));
    CHECK(topic_name_valid(std::string_view(std::string(65'535, 't'))));
    CHECK_FALSE(topic_name_valid(std::string_view(std::string(65'536, 't'))));
}

TEST_CASE("the quick look at a topic accepts exactly ASCII without U+0000 and wildcards") {
    for (unsigned byte = 0; byte < 256; ++byte)
        for (size_t before = 0; before < 9; ++before) {
            std::string topic(12, 'a');
            topic[before] = static_cast<char>(byte);
            const bool plain = byte != 0 && byte < 128 && byte != '+' && byte != '#';
            if (plain_topic_name(std::string_view(topic)) != plain) FAIL("byte " << byte);
        }
}
