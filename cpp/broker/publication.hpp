#pragma once
// Publication: one message while it is being fanned out. It starts as a view of the read buffer; only when a
// receiver needs it to outlive the batch is a Message made, once. What outlives the call references the Message alone.

#include "base/call_bound.hpp"
#include "broker/here.hpp"
#include "mqtt/message.hpp"
#include "mqtt/publish_view.hpp"

namespace comqtt::broker {

/// Payloads from here on are referenced by outputs, not copied, and so are topics and properties.
inline constexpr size_t kSharedPayload = 16'384;

struct Publication : CallBound {
    Publication() = default;
    ByteView topic_name;
    ByteView payload;
    ByteView properties;  ///< forwardable
    uint8_t qos = 0;
    bool retain = false;  ///< RETAIN flag as published
    bool has_expiry = false;
    uint32_t expiry_interval = 0;
    int64_t created_ms = 0;  ///< wall clock
    int64_t born_ms = 0;     ///< monotonic clock: its age counts from here
    mqtt::Origin origin;
    ByteView origin_id;         ///< client id of the publisher
    bool exactly_once = false;  ///< its hand-overs to other shards are stored
    mqtt::MessageRef made;
    bool last_use = false;  ///< the delivery being made is the last one: it may take `made` along

    static Publication of(const mqtt::MessageRef& message) { return Publication(message); }
    /// A PUBLISH, a will, an inline client's message: it came now. A RETAIN flag is dropped where nothing is retained.
    static Publication of(const mqtt::PublishView& view, const Here& here, uint64_t publisher,
                          ByteView origin_id) {
        return Publication(view, here, publisher, origin_id);
    }

    /// Some part of it is referenced rather than copied, where there is a message.
    bool has_shared_part() const {
        return payload.size >= kSharedPayload || properties.size >= kSharedPayload ||
               topic_name.size >= kSharedPayload;
    }
    int64_t due_ms() const { return has_expiry ? born_ms + int64_t{expiry_interval} * 1000 : INT64_MAX; }
    /// A message for one delivery.
    mqtt::MessageRef take_message() {
        message();
        return last_use && !has_shared_part() ? std::move(made) : made;
    }
    const mqtt::MessageRef& message() {
        if (!made)
            made = mqtt::Message::make({topic_name, payload, properties, origin_id, qos, retain, has_expiry,
                                        expiry_interval, created_ms, born_ms, origin});
        return made;
    }

private:
    Publication(const mqtt::PublishView& view, const Here& here, uint64_t publisher, ByteView client_id)
        : topic_name(view.topic_name),
          payload(view.payload),
          properties(view.properties),
          qos(view.qos),
          retain(view.retain && here.core().config.capabilities.retain_available),
          has_expiry(view.has_expiry),
          expiry_interval(view.message_expiry_interval),
          created_ms(here.wall_ms()),
          born_ms(here.now_ms()),
          origin_id(client_id) {
        origin.publisher = publisher;
        origin.node = here.core().config.node_id;
    }
    explicit Publication(const mqtt::MessageRef& message)
        : topic_name(message->topic_name()),
          payload(message->payload()),
          properties(message->properties()),
          qos(message->qos()),
          retain(message->retain()),
          has_expiry(message->has_expiry()),
          expiry_interval(message->expiry_interval()),
          created_ms(message->created_ms()),
          born_ms(message->born_ms()),
          origin(message->origin()),
          origin_id(message->origin_id()),
          made(message) {}
};

}  // namespace comqtt::broker
