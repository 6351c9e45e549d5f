#include "storage/tools/base64.hpp"

#include <array>
#include <cstdint>

namespace comqtt::storage::tools {

namespace {

constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> kValues = [] {
    std::array<int8_t, 256> values{};
    values.fill(-1);
    for (int8_t i = 0; i < 64; ++i) values[static_cast<unsigned char>(kDigits[i])] = i;
    return values;
}();

}  // namespace

std::string to_base64(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (size_t at = 0; at < bytes.size(); at += 3) {
        const size_t count = std::min<size_t>(3, bytes.size() - at);
        uint32_t group = 0;
        for (size_t i = 0; i < 3; ++i)
            group = group << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0u);
        for (size_t i = 0; i < 4; ++i) text += i <= count ? kDigits[group >> (18 - 6 * i) & 63] : '=';
    }
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
    const size_t digits = text.size() - padding;
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3);
    uint32_t group = 0;
    for (size_t at = 0; at < digits; ++at) {
        const int value = kValues[static_cast<unsigned char>(text[at])];
        if (value < 0) return std::nullopt;
        group = group << 6 | static_cast<uint32_t>(value);
        if (at % 4 == 0) continue;
        const unsigned spare = 6 - static_cast<unsigned>(at % 4) * 2;
        bytes += static_cast<char>(group >> spare & 0xFF);
    }
    const uint32_t unused = padding == 1 ? group & 0x03 : padding == 2 ? group & 0x0F : 0;
    if (unused) return std::nullopt;
    return bytes;
}

}  // namespace comqtt::storage::tools
