#include "mqtt/utf8.hpp"

#include "mqtt/publish_view.hpp"

namespace comqtt::mqtt {
namespace {

bool is_continuation(uint8_t byte) { return (byte & 0xC0) == 0x80; }

/// Length of the well-formed multi-byte sequence at p (RFC 3629, section 4), 0 when there is none.
size_t sequence_length(const uint8_t* p, size_t left) {
    const uint8_t lead = p[0];
    if (lead < 0xC2 || lead > 0xF4) return 0;
    if (lead < 0xE0) return left >= 2 && is_continuation(p[1]) ? 2 : 0;
    if (lead < 0xF0) {
        if (left < 3 || !is_continuation(p[1]) || !is_continuation(p[2])) return 0;
        if (lead == 0xE0 && p[1] < 0xA0) return 0;  // overlong
        if (lead == 0xED && p[1] > 0x9F) return 0;  // surrogate
        return 3;
    }
    if (left < 4 || !is_continuation(p[1]) || !is_continuation(p[2]) || !is_continuation(p[3])) return 0;
    if (lead == 0xF0 && p[1] < 0x90) return 0;  // overlong
    if (lead == 0xF4 && p[1] > 0x8F) return 0;  // above U+10FFFF
    return 4;
}

}  // namespace

TextFlaw scan_text(ByteView text) {
    size_t at = plain_text_prefix(text);
    while (at < text.size) {
        const uint8_t byte = text[at];
        if (byte == 0) return TextFlaw::null_character;
        if (byte < 0x80) {
            ++at;
            continue;
        }
        const size_t length = sequence_length(text.data + at, text.size - at);
        if (length == 0) return TextFlaw::ill_formed;
        at += length;
        at += plain_text_prefix(text.from(at));
    }
    return TextFlaw::none;
}

TextFlaw scan_topic_name(ByteView topic_name) {
    if (plain_topic_name(topic_name)) return TextFlaw::none;
    if (const TextFlaw flaw = scan_text(topic_name); flaw != TextFlaw::none) return flaw;
    for (const uint8_t byte : topic_name)
        if (byte == '+' || byte == '#') return TextFlaw::wildcard;
    return TextFlaw::none;
}

bool utf8_valid(ByteView text) { return scan_text(text) == TextFlaw::none; }

bool topic_name_valid(ByteView topic_name) {
    return topic_name.size >= 1 && topic_name.size <= 65'535 && scan_topic_name(topic_name) == TextFlaw::none;
}

}  // namespace comqtt::mqtt
