#pragma once
// The decoders of the packet families, as decode_packet calls them. Internal to the codec.
// Each reads what follows the fixed header, to the last byte, into a packet whose type and version are
// set; false = the reader holds the error.

#include "mqtt/codec.hpp"
#include "mqtt/property_walk.hpp"
#include "mqtt/reader.hpp"

namespace comqtt::mqtt {

/// What a decoder needs to know beside the bytes.
struct DecodeContext {
    FixedHeader header;
    bool from_client = true;
    const DecodeLimits& limits;

    PropertyContext properties(PropertyScope scope) const {
        return {scope, from_client, limits.user_properties};
    }
};

bool decode_connect(Reader& reader, const DecodeContext& context, Packet& out);
bool decode_connack(Reader& reader, const DecodeContext& context, Packet& out);
bool decode_subscribe(Reader& reader, const DecodeContext& context, Packet& out);
bool decode_unsubscribe(Reader& reader, const DecodeContext& context, Packet& out);
bool decode_suback(Reader& reader, const DecodeContext& context, Packet& out);
bool decode_unsuback(Reader& reader, const DecodeContext& context, Packet& out);
bool decode_disconnect(Reader& reader, const DecodeContext& context, Packet& out);
bool decode_auth(Reader& reader, const DecodeContext& context, Packet& out);

/// These go through the views of publish_view.hpp, so that there is one set of rules.
DecodeError decode_publish(ByteView frame, const DecodeContext& context, Packet& out);
DecodeError decode_ack(ByteView frame, const DecodeContext& context, Packet& out);

/// Flags of the fixed header that are fixed for the type (table 2-2); PUBLISH has none.
DecodeError check_flags(const FixedHeader& header, Version version);

/// Reads a reason code that may stand in a packet of this type and direction.
bool read_reason(Reader& reader, PacketType type, bool from_client, const char* statement, Reason& out);

}  // namespace comqtt::mqtt
