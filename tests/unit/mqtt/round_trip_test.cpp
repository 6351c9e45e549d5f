#include "samples.hpp"
#include "wire.hpp"

#include <random>

using namespace comqtt;
using namespace comqtt::mqtt;
using namespace comqtt::mqtt::test;

TEST_CASE("every packet of every version comes back as it was encoded") {
    for (const Sample& sample : samples()) {
        CAPTURE(sample.name);
        CAPTURE(int(sample.packet.version));
        CAPTURE(int(sample.packet.type));
        const Bytes bytes = encode(sample.packet);
        const Decoded decoded = decode(bytes, sample.packet.version, sample.from_client);
        CHECK_MESSAGE(!decoded.error, decoded.error.what);
        CHECK(decoded.packet == sample.packet);
        CHECK(encode(decoded.packet) == bytes);
    }
}

TEST_CASE("every packet of every version is valid for its sender") {
    for (const Sample& sample : samples()) {
        CAPTURE(sample.name);
        const DecodeError error = validate_packet(sample.packet, sample.from_client);
        CHECK_MESSAGE(!error, error.what);
    }
}

TEST_CASE("encoding appends behind what is there") {
    for (const Sample& sample : samples()) {
        Bytes bytes = wire("AA BB");
        REQUIRE(encode_packet(sample.packet, bytes));
        const Bytes alone = encode(sample.packet);
        CHECK(bytes.size() == alone.size() + 2);
        CHECK(Bytes(bytes.begin() + 2, bytes.end()) == alone);
    }
}

TEST_CASE("a packet cut off at any byte is refused") {
    for (const Sample& sample : samples()) {
        CAPTURE(sample.name);
        const Bytes whole = encode(sample.packet);
        for (size_t size = 0; size < whole.size(); ++size) {
            const Bytes part(whole.begin(), whole.begin() + static_cast<long>(size));
            CHECK(decode(part, sample.packet.version, sample.from_client).error);
        }
    }
}

TEST_CASE("a body cut off at any byte is refused or reads as a shorter packet of itself") {
    for (const Sample& sample : samples()) {
        CAPTURE(sample.name);
        const Bytes whole = encode(sample.packet);
        FixedHeader header;
        REQUIRE(read_fixed_header(whole, header) == FrameState::complete_header);
        for (uint32_t size = 0; size < header.remaining_length; ++size) {
            const auto start = whole.begin() + header.header_size;
            const Bytes cut = frame(whole[0], Bytes(start, start + static_cast<long>(size)));
            const Decoded decoded = decode(cut, sample.packet.version, sample.from_client);
            if (decoded.error) continue;
            // What ends early by right: a payload, a list of filters or codes, a short form, and
            // the credentials of 3.1.
            const PacketType type = sample.packet.type;
            const bool open_ended = type == PacketType::publish || type == PacketType::subscribe ||
                                    type == PacketType::unsubscribe || type == PacketType::suback ||
                                    type == PacketType::unsuback || type == PacketType::disconnect ||
                                    type == PacketType::auth ||
                                    (type >= PacketType::puback && type <= PacketType::pubcomp) ||
                                    (type == PacketType::connect && decoded.packet.version == Version::v31);
            CHECK(open_ended);
        }
    }
}

TEST_CASE("a packet with any one byte changed is refused or encodes to what decodes the same") {
    for (const Sample& sample : samples()) {
        const Bytes whole = encode(sample.packet);
        for (size_t at = 0; at < whole.size(); ++at)
            for (const int value : {0, 1, 2, 3, 0x23, 0x7F, 0x80, 0xC0, 0xFF}) {
                Bytes changed = whole;
                changed[at] = static_cast<uint8_t>(value);
                const Decoded first = decode(changed, sample.packet.version, sample.from_client);
                if (first.error) continue;
                const Bytes again = encode(first.packet);
                const Decoded second = decode(again, first.packet.version, sample.from_client);
                if (second.error || second.packet.payload != first.packet.payload ||
                    encode(second.packet) != again)
                    FAIL("fixpoint of " << hex(changed));
            }
    }
}

TEST_CASE("noise is refused or understood, never fatal") {
    std::mt19937 random(20250101);
    for (int round = 0; round < 20'000; ++round) {
        Bytes body(random() % 40);
        for (uint8_t& byte : body) byte = static_cast<uint8_t>(random() & random());
        const Bytes bytes = frame(static_cast<uint8_t>(random()), body);
        for (const Version version : {Version::v31, Version::v311, Version::v5}) {
            const Decoded decoded = decode(bytes, version, round % 2 == 0);
            if (!decoded.error) encode(decoded.packet);
        }
    }
}
