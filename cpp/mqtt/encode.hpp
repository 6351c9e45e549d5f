#pragma once
// The body writers of the packet families, as encode_packet calls them. Each is instantiated for
// SizeCounter and BodyWriter in its own file. Internal to the codec.

#include "mqtt/packet.hpp"
#include "mqtt/property_write.hpp"

namespace comqtt::mqtt {

/// Everything after the fixed header.
template <typename Out>
void write_connect(Out& out, const Packet& packet);
template <typename Out>
void write_connack(Out& out, const Packet& packet);
/// The payload too.
template <typename Out>
void write_publish(Out& out, const Packet& packet);
template <typename Out>
void write_ack(Out& out, const Packet& packet);
template <typename Out>
void write_subscribe(Out& out, const Packet& packet);
template <typename Out>
void write_unsubscribe(Out& out, const Packet& packet);
template <typename Out>
void write_suback(Out& out, const Packet& packet);
template <typename Out>
void write_unsuback(Out& out, const Packet& packet);
template <typename Out>
void write_disconnect(Out& out, const Packet& packet);
template <typename Out>
void write_auth(Out& out, const Packet& packet);

}  // namespace comqtt::mqtt
