#pragma once
// PUBLISH and its acknowledgements as views of the read buffer: what the hot path works on.

#include <cstdint>

#include "base/bytes.hpp"
#include "mqtt/codec.hpp"
#include "mqtt/types.hpp"

namespace comqtt::mqtt {

/// The fields of one PUBLISH, borrowed from its frame.
struct PublishView {
    QoS qos = 0;
    bool dup = false;
    bool retain = false;
    PacketId packet_id = 0;  ///< 0 for QoS 0
    ByteView topic_name;     ///< may be empty when there is a topic alias
    ByteView payload;
    ByteView properties;  ///< raw property list without its length prefix; empty for 3.x
    /// What the properties say, found while they were checked.
    uint16_t topic_alias = 0;  ///< 0 = none
    bool has_expiry = false;
    uint32_t message_expiry_interval = 0;  ///< seconds
    bool has_payload_format = false;
    uint8_t payload_format = 0;
    /// The part that is forwarded to subscribers: `properties` without topic alias, message
    /// expiry interval and subscription identifiers. When those are absent (the usual case) it equals
    /// `properties`; otherwise `forward_needs_copy` is set and copy_forward_properties() makes it.
    bool forward_needs_copy = false;
};

/// Fast decode of one whole PUBLISH frame. Same rules as decode_packet: QoS 3, DUP with QoS 0, packet id 0,
/// topic name UTF-8 / wildcards / U+0000, empty topic without alias, alias 0, subscription identifier from a
/// client [MQTT-3.3.4-6], property rules, response topic without wildcards, payload format 0/1.
/// `check_topic` false skips UTF-8 and wildcard checks of the topic name (its bytes are known to be good).
DecodeError parse_publish(ByteView frame, const FixedHeader& header, Version version, bool from_client,
                          const DecodeLimits& limits, bool check_topic, PublishView& out);

/// Appends the forwardable properties (see PublishView) to `out`, without a length prefix.
/// `properties` is the checked list of a PublishView.
void copy_forward_properties(ByteView properties, std::vector<uint8_t>& out);

/// PUBACK, PUBREC, PUBREL, PUBCOMP.
struct AckView {
    PacketId packet_id = 0;
    Reason reason = Reason::success;
    ByteView properties;  ///< raw, without length prefix
};

DecodeError parse_ack(ByteView frame, const FixedHeader& header, Version version, bool from_client,
                      const DecodeLimits& limits, AckView& out);

/// True when `text` is well-formed UTF-8 without U+0000 and surrogates [MQTT-1.5.4-1] [MQTT-1.5.4-2].
bool utf8_valid(ByteView text);

/// Topic Name: 1..65,535 bytes, valid UTF-8, no wildcard [MQTT-4.7.3-1] [MQTT-3.3.2-2].
bool topic_name_valid(ByteView topic_name);

}  // namespace comqtt::mqtt
