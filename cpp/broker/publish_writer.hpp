#pragma once
// Writes PUBLISH packets for one receiver: fixed header and what differs per receiver around the shared bytes.

#include <cstdint>
#include <span>

#include "broker/output.hpp"
#include "broker/publication.hpp"
#include "mqtt/types.hpp"

namespace comqtt::broker {

/// What one receiver's copy of a message adds to the publication.
struct PublishForm {
    mqtt::Version version = mqtt::Version::v5;
    uint8_t qos = 0;
    bool dup = false;
    bool retain = false;
    mqtt::PacketId packet_id = 0;
    std::span<const uint32_t> identifiers;  ///< 5.0
    uint16_t alias = 0;                     ///< 5.0; 0 = none
    bool send_topic = true;                 ///< false with an alias that is known
    bool has_expiry = false;                ///< 5.0
    uint32_t expiry = 0;                    ///< seconds left
};

/// Size of the packet, fixed header included.
size_t publish_size(const Publication& publication, const PublishForm& form);
/// Appends it. A topic, properties or a payload of kSharedPayload bytes and more are the message's own when the publication
/// has one, else copied.
void write_publish(ChunkPool& pool, Output& out, Publication& publication, const PublishForm& form);

}  // namespace comqtt::broker
