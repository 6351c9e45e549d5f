#pragma once
// CloseCause: why a connection ends, and what follows from it.

#include "base/log.hpp"
#include "mqtt/reason.hpp"

namespace comqtt::broker {

using mqtt::Reason;

struct CloseCause {
    Reason reason = Reason::success;
    const char* text = "";       ///< in words, for the log and on_disconnect
    const char* statement = "";  ///< MQTT-x.y.z-n
    bool by_client = false;
    bool clean = false;  ///< the client sent DISCONNECT
    bool send_will = true;
    bool tell_client = true;          ///< 5.0: send DISCONNECT (or CONNACK before the session exists)
    LogLevel level = LogLevel::info;  ///< of the line in the log; what is in good order is told at debug
    int64_t offset = -1;              ///< of what is wrong in a packet
};

}  // namespace comqtt::broker
