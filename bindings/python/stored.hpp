#pragma once
// Stored state as Python objects: plain records with the names of comqtt.h, made by changes and taken by sinks.

#include <comqtt.h>

#include <string>

#include "gil.hpp"

namespace comqtt_python {

struct StoredClient {
    std::string id, username, remote, listener;
    comqtt_protocol version = COMQTT_MQTT_5;
    bool clean_start = false;
    uint32_t session_expiry_s = 0;
    int64_t disconnected_ms = 0;
    py::object will = py::none();  ///< Packet or None
    int64_t will_due_ms = 0;
    uint32_t will_delay_s = 0;
    uint64_t queued_messages = 0, queued_bytes = 0, inflight_messages = 0, last_position = 0;
    int64_t next_expiry_ms = 0;

    static StoredClient copy_of(const comqtt_stored_client& from);
    /// Views into this object.
    comqtt_stored_client view() const;
};

struct StoredSubscription {
    std::string client_id, filter;
    uint8_t qos = 0;
    bool no_local = false, retain_as_published = false;
    uint8_t retain_handling = 0;
    uint32_t identifier = 0;

    static StoredSubscription copy_of(const comqtt_stored_subscription& from);
    comqtt_stored_subscription view() const;
};

struct StoredMessage {
    std::string client_id, origin, share;
    py::object packet = py::none();  ///< Packet
    int64_t created_ms = 0, sent_ms = 0;
    comqtt_stored_state state = COMQTT_STORED_QUEUED;
    uint64_t position = 0;

    static StoredMessage copy_of(const comqtt_stored_message& from);
    comqtt_stored_message view() const;
};

void bind_stored(py::module_& module);

}  // namespace comqtt_python
