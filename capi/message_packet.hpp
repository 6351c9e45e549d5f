#pragma once
// A kept message as a packet that the application may look at.

#include "capi/handles.hpp"
#include "mqtt/message.hpp"

namespace comqtt::capi {

/// A frozen PUBLISH of MQTT 5.0 with the message's QoS, RETAIN flag and forwarded properties; Message Expiry Interval
/// is left out.
Result<Ref<hooks::PacketBox>> packet_of(const mqtt::Message& message);

}  // namespace comqtt::capi
