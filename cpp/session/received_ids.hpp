#pragma once
// ReceivedIds: packet identifiers of inbound QoS 2 messages between PUBLISH and PUBREL. Small and sorted.

#include <algorithm>
#include <vector>

#include "mqtt/types.hpp"

namespace comqtt::session {

class ReceivedIds {
public:
    bool contains(mqtt::PacketId id) const { return std::binary_search(ids_.begin(), ids_.end(), id); }
    /// False when it was there already.
    bool add(mqtt::PacketId id) {
        if (ids_.empty() || ids_.back() < id) {
            ids_.push_back(id);
            return true;
        }
        const auto at = std::lower_bound(ids_.begin(), ids_.end(), id);
        if (*at == id) return false;
        ids_.insert(at, id);
        return true;
    }
    bool remove(mqtt::PacketId id) {
        const auto at = std::lower_bound(ids_.begin(), ids_.end(), id);
        if (at == ids_.end() || *at != id) return false;
        ids_.erase(at);
        return true;
    }
    size_t count() const { return ids_.size(); }
    const std::vector<mqtt::PacketId>& all() const { return ids_; }

private:
    std::vector<mqtt::PacketId> ids_;
};

}  // namespace comqtt::session
