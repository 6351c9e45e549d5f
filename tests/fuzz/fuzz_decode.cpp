// Any bytes as a packet, in every version and direction. What decodes must encode, and what was
// encoded must decode to the same packet and be found valid.

#include <cstdlib>

#include "mqtt/codec.hpp"

using namespace comqtt;
using namespace comqtt::mqtt;

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

void check_error(const DecodeError& error, size_t size) {
    require(error.statement && *error.statement && error.what && *error.what);
    require(error.offset <= size);
    require(static_cast<uint8_t>(error.reason) >= 0x80);
}

void check(ByteView frame, Version version, bool from_client) {
    Packet packet;
    if (DecodeError error = decode_packet(frame, version, from_client, {}, packet))
        return check_error(error, frame.size);
    std::vector<uint8_t> wire;
    Packet again;
    require(encode_packet(packet, wire));
    require(wire.size() <= frame.size);
    require(!decode_packet(wire, version, from_client, {}, again));
    require(again == packet);
    require(!validate_packet(packet, from_client));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    for (const Version version : {Version::v31, Version::v311, Version::v5})
        for (const bool from_client : {true, false}) check({data, size}, version, from_client);
    return 0;
}
