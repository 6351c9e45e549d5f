#pragma once
// What is wrong with a text, told apart so that an error can name the rule. Internal to the codec;
// others use utf8_valid and topic_name_valid of publish_view.hpp.

#include <cstdint>
#include <cstring>

#include "base/bytes.hpp"

namespace comqtt::mqtt {

enum class TextFlaw : uint8_t {
    none,
    ill_formed,      ///< not UTF-8, overlong, a surrogate or above U+10FFFF [MQTT-1.5.4-1]
    null_character,  ///< U+0000 [MQTT-1.5.4-2]
    wildcard,        ///< `+` or `#`, looked for by scan_topic_name only
};

inline constexpr uint64_t kEveryByte = 0x0101010101010101ULL;
inline constexpr uint64_t kHighBits = kEveryByte * 0x80;

/// Marks (in the high bits) every byte that is not ASCII. Among ASCII bytes it marks exactly the
/// zeros; beside others the marks may be off, but then there is one already.
constexpr uint64_t unplain_in(uint64_t word) { return (word | ~(word + kEveryByte * 0x7F)) & kHighBits; }

inline uint64_t load_word(const uint8_t* p) {
    uint64_t word;
    std::memcpy(&word, p, sizeof word);
    return word;
}

/// Length of the leading run of whole words that are ASCII without U+0000.
inline size_t plain_text_prefix(ByteView text) {
    size_t at = 0;
    while (at + 8 <= text.size && !unplain_in(load_word(text.data + at))) at += 8;
    return at;
}

/// Non-zero when one of the eight bytes is not ASCII, zero, `+` or `#`, which differ in one bit.
constexpr uint64_t topic_suspect_in(uint64_t word) {
    static_assert(('#' | 0x08) == '+');
    return unplain_in(word) | unplain_in((word | kEveryByte * 0x08) ^ (kEveryByte * '+'));
}

/// True when every byte is ASCII and may stand in a Topic Name. False means "look closer".
inline bool plain_topic_name(ByteView topic_name) {
    const uint8_t* p = topic_name.data;
    const uint8_t* const end = topic_name.end();
    if (topic_name.size < 8) {
        for (; p != end; ++p)
            if (*p == 0 || *p >= 0x80 || (*p | 0x08) == '+') return false;
        return true;
    }
    uint64_t suspect = 0;
    for (; end - p > 8; p += 8) suspect |= topic_suspect_in(load_word(p));
    return (suspect | topic_suspect_in(load_word(end - 8))) == 0;  // overlaps the word before
}

TextFlaw scan_text(ByteView text);
TextFlaw scan_topic_name(ByteView topic_name);

}  // namespace comqtt::mqtt
