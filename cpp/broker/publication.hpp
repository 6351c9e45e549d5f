#pragma once
// Publication: one message while it is being fanned out. It starts as a view of the read buffer; only when a
// receiver needs it to outlive the batch is a Message made, once.

#include "mqtt/message.hpp"
#include "mqtt/publish_view.hpp"

namespace comqtt::broker {

/// Payloads from here on are referenced by outputs, not copied.
inline constexpr size_t kSharedPayload = 16'384;

struct Publication {
    ByteView topic_name;
    ByteView payload;
    ByteView properties;  ///< forwardable
    uint8_t qos = 0;
    bool retain = false;  ///< RETAIN flag as published
    bool has_expiry = false;
    uint32_t expiry_interval = 0;
    int64_t created_ms = 0;  ///< wall clock
    mqtt::Origin origin;
    ByteView origin_id;         ///< client id of the publisher
    bool exactly_once = false;  ///< its hand-overs to other shards are stored
    mqtt::MessageRef made;
    bool last_use = false;  ///< the delivery being made is the last one: it may take `made` along

    static Publication of(const mqtt::MessageRef& message) {
        Publication p;
        p.topic_name = message->topic_name();
        p.payload = message->payload();
        p.properties = message->properties();
        p.qos = message->qos();
        p.retain = message->retain();
        p.has_expiry = message->has_expiry();
        p.expiry_interval = message->expiry_interval();
        p.created_ms = message->created_ms();
        p.origin = message->origin();
        p.origin_id = message->origin_id();
        p.made = message;
        return p;
    }

    int64_t expires_ms() const {
        return has_expiry ? created_ms + int64_t{expiry_interval} * 1000 : INT64_MAX;
    }
    /// A message for one delivery.
    mqtt::MessageRef take_message() {
        message();
        return last_use && payload.size < kSharedPayload ? std::move(made) : made;
    }
    const mqtt::MessageRef& message() {
        if (!made)
            made = mqtt::Message::make({topic_name, payload, properties, origin_id, qos, retain, has_expiry,
                                        expiry_interval, created_ms, origin});
        return made;
    }
};

}  // namespace comqtt::broker
