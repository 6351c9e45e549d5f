#include "mqtt/decode.hpp"
#include "mqtt/publish_view.hpp"

namespace comqtt::mqtt {
namespace {

/// The list without its prefix, once more into owned values. It has been checked, so the limit on user
/// properties need not be applied again.
void own_properties(ByteView frame, ByteView list, PropertyContext context, Properties& out) {
    if (list.empty()) return;
    // A Reader wants the length prefix, which ends where the list starts.
    const size_t list_at = static_cast<size_t>(list.data - frame.data);
    Reader reader(frame, list_at - varint_size(static_cast<uint32_t>(list.size)));
    read_properties(reader, context, out);
}

}  // namespace

DecodeError decode_publish(ByteView frame, const DecodeContext& context, Packet& out) {
    PublishView view;
    if (DecodeError error = parse_publish(frame, context.header, out.version, context.from_client,
                                          context.limits, true, view))
        return error;
    out.qos = view.qos;
    out.dup = view.dup;
    out.retain = view.retain;
    out.packet_id = view.packet_id;
    out.topic_name = view.topic_name.text();
    out.payload = view.payload.text();
    own_properties(frame, view.properties, context.properties(scope_of(PacketType::publish)), out.properties);
    return {};
}

DecodeError decode_ack(ByteView frame, const DecodeContext& context, Packet& out) {
    AckView view;
    if (DecodeError error =
            parse_ack(frame, context.header, out.version, context.from_client, context.limits, view))
        return error;
    out.packet_id = view.packet_id;
    out.reason = view.reason;
    own_properties(frame, view.properties, context.properties(scope_of(context.header.type)), out.properties);
    return {};
}

}  // namespace comqtt::mqtt
