#pragma once
// The wire codec: pure functions between bytes and packets. Never throws on input, never reads
// past a view, never allocates more than a small multiple of the bytes that are really there.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "mqtt/packet.hpp"
#include "mqtt/reason.hpp"
#include "mqtt/types.hpp"

namespace comqtt::mqtt {

/// Why bytes are not a legal packet.
struct DecodeError {
    Reason reason = Reason::success;  ///< success = no error
    const char* statement = "";       ///< "MQTT-x.y.z-n", or the section ("2.2.2") where no number exists
    const char* what = "";            ///< static text: what is wrong
    size_t offset = 0;                ///< byte offset in the packet, fixed header included

    explicit operator bool() const { return reason != Reason::success; }
};

/// Limits a decoder enforces while it reads.
struct DecodeLimits {
    uint32_t user_properties = 64;  ///< per packet, will included; more is packet_too_large
    uint32_t filters = 65'535;      ///< entries of one SUBSCRIBE/UNSUBSCRIBE; more is packet_too_large
};

/// First bytes of a packet.
struct FixedHeader {
    PacketType type = PacketType::reserved;
    uint8_t flags = 0;
    uint8_t header_size = 0;  ///< 2..5
    uint32_t remaining_length = 0;
    size_t packet_size() const { return size_t{header_size} + remaining_length; }
};

enum class FrameState : uint8_t { complete_header, need_more, malformed };

/// Reads the fixed header. `malformed` when the length has a fifth byte [MQTT-1.5.5-1]; a
/// non-minimal length is malformed too.
FrameState read_fixed_header(ByteView bytes, FixedHeader& out);

/// Decodes one whole packet (fixed header included; `frame.size` is its exact size) and checks
/// everything that does not depend on the state of the connection: flags, lengths, UTF-8,
/// properties (known, allowed here, not repeated, value in range), packet id 0, reserved bits,
/// QoS 3, topic names without wildcards, empty filter lists, reason codes that may not stand
/// there, retain handling 3, trailing bytes. `version` is that of the connection and is ignored for
/// CONNECT, which carries its own. `from_client` says who sent it (a DISCONNECT of a server may
/// carry other codes than one of a client).
///
/// CONNECT with an unknown protocol name or level gives unsupported_protocol_version and
/// `out.version` the nearest known version (v311 for a 3.x-shaped or unknown one, v5 for level >= 5),
/// so that the caller can answer in a form the client may understand. After an error in a CONNECT whose
/// version was read, `out.version` is that version.
DecodeError decode_packet(ByteView frame, Version version, bool from_client, const DecodeLimits& limits,
                          Packet& out);

/// Appends the wire form of a packet for a connection of `packet.version`. Properties are written for
/// 5.0 only; for 3.x fields that do not exist there are left out (and SUBACK codes above 2 become 0x80,
/// CONNACK reasons are mapped by connack_return_code_v3). Acknowledgements with success and no
/// properties use the short form. Returns false, and appends nothing, when a field cannot be
/// encoded (string over 65,535 bytes, packet over the protocol's maximum, type without that version).
bool encode_packet(const Packet& packet, std::vector<uint8_t>& out);

/// Rules of `decode_packet` applied to a packet made by a program rather than read from a wire, without
/// limits on counts. Properties of a 3.x PUBLISH are judged too, since 5.0 subscribers receive them; other
/// fields that the version leaves out are not looked at. The offset is that of the wire form.
DecodeError validate_packet(const Packet& packet, bool from_client);

}  // namespace comqtt::mqtt
