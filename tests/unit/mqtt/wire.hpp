#pragma once
// Short hands of the codec tests: bytes written as text, decoding in one call.

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/codec.hpp"

namespace comqtt::mqtt::test {

using Bytes = std::vector<uint8_t>;

/// "10 0C 'MQTT' 04" : hex bytes and quoted text, spaces between.
inline Bytes wire(std::string_view text) {
    Bytes bytes;
    for (size_t at = 0; at < text.size();) {
        if (text[at] == ' ') {
            ++at;
        } else if (text[at] == '\'') {
            for (++at; text.at(at) != '\''; ++at) bytes.push_back(static_cast<uint8_t>(text[at]));
            ++at;
        } else {
            bytes.push_back(static_cast<uint8_t>(std::stoi(std::string(text.substr(at, 2)), nullptr, 16)));
            at += 2;
        }
    }
    return bytes;
}

/// First byte, the right remaining length, body.
inline Bytes frame(uint8_t first, const Bytes& body) {
    Bytes bytes{first};
    ByteWriter(bytes).varint(static_cast<uint32_t>(body.size()));
    bytes.insert(bytes.end(), body.begin(), body.end());
    return bytes;
}

inline std::string hex(const Bytes& bytes) {
    static constexpr char kDigits[] = "0123456789ABCDEF";
    std::string text;
    for (const uint8_t byte : bytes) {
        if (!text.empty()) text += ' ';
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

struct Decoded {
    DecodeError error;
    Packet packet;
};

inline Decoded decode(const Bytes& bytes, Version version = Version::v5, bool from_client = true,
                      const DecodeLimits& limits = {}) {
    // A copy of the exact size, so that a sanitizer sees one byte too many.
    const Bytes exact(bytes.begin(), bytes.end());
    Decoded result;
    result.error = decode_packet(exact, version, from_client, limits, result.packet);
    return result;
}

inline Bytes encode(const Packet& packet) {
    Bytes bytes;
    REQUIRE(encode_packet(packet, bytes));
    return bytes;
}

/// The packet has this wire form, and the wire form this packet.
inline void check_golden(const Packet& packet, bool from_client, std::string_view golden) {
    CAPTURE(golden);
    CHECK(hex(encode(packet)) == hex(wire(golden)));
    const Decoded decoded = decode(wire(golden), packet.version, from_client);
    CHECK_MESSAGE(!decoded.error, decoded.error.what);
    CHECK(decoded.packet == packet);
}

/// The bytes are refused for this reason, under this statement.
inline void check_refused(const Bytes& bytes, Version version, bool from_client, Reason reason,
                          std::string_view statement) {
    const Decoded decoded = decode(bytes, version, from_client);
    CAPTURE(hex(bytes));
    CAPTURE(decoded.error.what);
    CHECK(int(decoded.error.reason) == int(reason));
    CHECK(std::string_view(decoded.error.statement) == statement);
    CHECK(decoded.error.offset <= bytes.size());
    if (decoded.error) CHECK(std::string_view(decoded.error.what) != "");
}

/// A body that is refused when it comes behind this first byte.
struct Refusal {
    const char* body;
    Reason reason;
    const char* statement;
};

inline void check_refusals(uint8_t first, Version version, bool from_client,
                           std::initializer_list<Refusal> refusals) {
    for (const Refusal& refusal : refusals) {
        CAPTURE(refusal.body);
        check_refused(frame(first, wire(refusal.body)), version, from_client, refusal.reason,
                      refusal.statement);
    }
}

}  // namespace comqtt::mqtt::test
