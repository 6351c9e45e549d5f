#pragma once
// Inbound: a PUBLISH of a client between its arrival and its acknowledgement, or the wait for a verdict: what waits is its
// box.

#include "base/call_bound.hpp"
#include "broker/route.hpp"
#include "hooks/packet_box.hpp"
#include "mqtt/publish_view.hpp"

namespace comqtt::broker {

struct Inbound : CallBound {
    mqtt::PublishView view;
    Ref<hooks::PacketBox> box;  ///< null until a hook needs it
    uint8_t received_qos = 0;   ///< what the publisher is owed an answer for, whatever hooks make of it
    mqtt::PacketId received_id = 0;
    bool injected = false;
    bool may_retain = false;  ///< the retained limit was looked at
    uint64_t vouched = 0;     ///< Rounds::vouched() before it changed anything
    Route* route = nullptr;   ///< known, and the client may publish there
};

}  // namespace comqtt::broker
