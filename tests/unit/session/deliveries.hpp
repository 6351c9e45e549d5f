#pragma once
// Short hands of the session tests: deliveries by payload, identifiers in flight as text.

#include <string>
#include <string_view>

#include "session/inflight.hpp"

namespace comqtt::session::test {

inline Delivery delivery(std::string_view payload = "x", uint8_t qos = 1) {
    mqtt::MessageFields fields;
    fields.topic_name = std::string_view("t");
    fields.payload = payload;
    Delivery made;
    made.message = mqtt::Message::make(fields);
    made.qos = qos;
    return made;
}

inline std::string payload_of(const Delivery& delivery) {
    return std::string(delivery.message->payload().text());
}

inline std::string payload_of(Inflight& inflight, mqtt::PacketId id) {
    const Inflight::Entry* entry = inflight.find(id);
    return entry ? payload_of(entry->delivery) : "none";
}

/// "1 2 7": as `each` gives them.
inline std::string listed(Inflight& inflight) {
    std::string ids;
    inflight.each([&](mqtt::PacketId id, Inflight::Entry&) {
        if (!ids.empty()) ids += ' ';
        ids += std::to_string(id);
    });
    return ids;
}

/// Sends and finishes until `id` is the next identifier.
inline void pass_until(Inflight& inflight, mqtt::PacketId id) {
    for (const Delivery one = delivery();;) {
        const mqtt::PacketId given = inflight.push(Delivery(one));
        inflight.finish(given);
        if (given % Inflight::kIds + 1 == id) return;
    }
}

}  // namespace comqtt::session::test
