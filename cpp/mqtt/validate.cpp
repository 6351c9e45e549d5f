#include "mqtt/codec.hpp"
#include "mqtt/encode.hpp"

namespace comqtt::mqtt {
namespace {

constexpr DecodeLimits kNoLimits{UINT32_MAX, UINT32_MAX};

/// Why encode_packet refuses a packet; the values that have no wire form to be judged by.
DecodeError explain_unencodable(const Packet& packet) {
    if (packet.type == PacketType::publish && packet.qos > 2)
        return {Reason::malformed_packet, "MQTT-3.3.1-4", "QoS above 2", 0};
    if (packet.type == PacketType::connect && packet.connect.will && packet.connect.will->qos > 2)
        return {Reason::malformed_packet, "MQTT-3.1.2-12", "Will QoS above 2", 0};
    if (packet.type == PacketType::subscribe)
        for (const TopicFilterEntry& entry : packet.filters)
            if (entry.qos > 2 || entry.retain_handling > 2)
                return {Reason::protocol_error, "3.8.3.1", "subscription option out of range", 0};
    if (packet.type == PacketType::reserved || packet.type > PacketType::auth)
        return {Reason::malformed_packet, "2.1.2", "packet type does not exist", 0};
    if (packet.type == PacketType::auth && packet.version != Version::v5)
        return {Reason::malformed_packet, "2.1.2", "AUTH needs MQTT 5.0", 0};
    return {Reason::malformed_packet, "1.5", "a field is too large for the wire", 0};
}

DecodeError judge_wire_form(const Packet& packet, bool from_client) {
    std::vector<uint8_t> wire;
    Packet decoded;
    if (!encode_packet(packet, wire)) return explain_unencodable(packet);
    return decode_packet(wire, packet.version, from_client, kNoLimits, decoded);
}

/// A payload may be large and has no rules of its own but its size, so it is not copied.
DecodeError judge_publish(const Packet& packet, bool from_client) {
    SizeCounter counter;
    write_publish(counter, packet);
    if (counter.fits() && counter.size() > kMaxRemainingLength)
        return {Reason::packet_too_large, "2.1.4", "packet over the maximum of the protocol", 0};
    Packet head;
    head.type = PacketType::publish;
    // Properties given to a 3.x publish still reach the 5.0 subscribers.
    head.version = packet.properties.empty() ? packet.version : Version::v5;
    head.qos = packet.qos;
    head.dup = packet.dup;
    head.retain = packet.retain;
    head.topic_name = packet.topic_name;
    head.packet_id = packet.packet_id;
    head.properties = packet.properties;
    return judge_wire_form(head, from_client);
}

}  // namespace

DecodeError validate_packet(const Packet& packet, bool from_client) {
    return packet.type == PacketType::publish ? judge_publish(packet, from_client)
                                              : judge_wire_form(packet, from_client);
}

}  // namespace comqtt::mqtt
