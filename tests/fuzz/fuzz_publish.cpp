// The views of the hot path agree with the owned packet: the same verdict, the same fields.
// The input is a body; its first byte gives type, flags, version and direction.

#include <cstdlib>

#include "mqtt/fast.hpp"
#include "mqtt/publish_view.hpp"

using namespace comqtt;
using namespace comqtt::mqtt;

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

/// The forwardable part, once from the bytes and once from the owned list.
void check_forward(const PublishView& view, Properties properties) {
    std::vector<uint8_t> forwarded;
    copy_forward_properties(view.properties, forwarded);
    properties.remove(PropertyId::topic_alias);
    properties.remove(PropertyId::message_expiry_interval);
    properties.remove(PropertyId::subscription_identifier);
    std::vector<uint8_t> expected;
    ByteWriter writer(expected);
    encode_properties(writer, properties);
    const size_t prefix = varint_size(static_cast<uint32_t>(encoded_size(properties)));
    require(ByteView(forwarded) == ByteView(expected).from(prefix));
    require(view.forward_needs_copy || ByteView(forwarded) == view.properties);
}

void check_publish(ByteView frame, const FixedHeader& header, Version version, bool from_client) {
    Packet packet;
    PublishView view, plain, unchecked;
    const DecodeError slow = decode_packet(frame, version, from_client, {}, packet);
    const DecodeError fast = parse_publish(frame, header, version, from_client, {}, true, view);
    require(slow.reason == fast.reason && slow.offset == fast.offset);
    const bool known = !parse_publish(frame, header, version, from_client, {}, false, unchecked);
    require(known || fast);
    if (read_plain_publish(frame, header, version, plain))
        require(known && plain.topic_name == unchecked.topic_name && plain.payload == unchecked.payload &&
                plain.packet_id == unchecked.packet_id);
    if (fast) return;
    require(view.topic_name.text() == packet.topic_name && view.payload.text() == packet.payload);
    require(view.qos == packet.qos && view.dup == packet.dup && view.retain == packet.retain);
    require(view.packet_id == packet.packet_id);
    require(view.topic_alias == packet.properties.number(PropertyId::topic_alias).value_or(0));
    require(view.has_expiry == packet.properties.has(PropertyId::message_expiry_interval));
    require(view.topic_name.empty() || topic_name_valid(view.topic_name));
    check_forward(view, packet.properties);
}

void check_ack(ByteView frame, const FixedHeader& header, Version version, bool from_client) {
    Packet packet;
    AckView view;
    const DecodeError slow = decode_packet(frame, version, from_client, {}, packet);
    const DecodeError fast = parse_ack(frame, header, version, from_client, {}, view);
    require(slow.reason == fast.reason && slow.offset == fast.offset);
    if (!fast) require(view.packet_id == packet.packet_id && view.reason == packet.reason);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 2) return 0;
    constexpr Version kVersions[] = {Version::v5, Version::v311, Version::v31, Version::v5};
    const Version version = kVersions[data[0] & 3];
    const bool from_client = data[0] & 4;
    const auto type = static_cast<uint8_t>(data[0] & 8 ? 4 + (data[1] & 3) : 3);
    std::vector<uint8_t> bytes{static_cast<uint8_t>(type << 4 | data[1] >> 4)};
    ByteWriter(bytes).varint(static_cast<uint32_t>(size - 2));
    bytes.insert(bytes.end(), data + 2, data + size);
    bytes.shrink_to_fit();
    FixedHeader header;
    require(read_fixed_header(bytes, header) == FrameState::complete_header);
    if (type == 3)
        check_publish(bytes, header, version, from_client);
    else
        check_ack(bytes, header, version, from_client);
    return 0;
}
