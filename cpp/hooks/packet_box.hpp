#pragma once
// PacketBox: a packet on its way through hooks, counted so that a hook can keep it.

#include <atomic>
#include <cstdint>
#include <string>

#include "base/ref.hpp"
#include "hooks/handle.hpp"
#include "mqtt/packet.hpp"

namespace comqtt::hooks {

struct PacketBox : RefCounted<PacketBox> {
    HandleTag<0x434D5150> tag;  ///< "CMQP"
    mqtt::Packet packet;
    std::string origin;        ///< client id of the publisher
    int64_t created_ms = 0;    ///< wall clock, unix ms
    uint8_t received_qos = 0;  ///< PUBLISH as it was made or read, before any hook
    mqtt::PacketId received_id = 0;
    std::atomic<bool> frozen{false};  ///< no edits now: setters of the C interface refuse
    bool edited = false;              ///< some hook changed a field; set by every setter
};

/// A packet of its own with the same content.
inline Ref<PacketBox> copy_of(const PacketBox& box) {
    auto copy = Ref<PacketBox>::adopt(new PacketBox);
    copy->packet = box.packet;
    copy->origin = box.origin;
    copy->created_ms = box.created_ms;
    copy->received_qos = box.received_qos;
    copy->received_id = box.received_id;
    copy->edited = box.edited;
    return copy;
}

}  // namespace comqtt::hooks
