#pragma once
// Stored state as it passes between a storage hook and the broker at start.

#include <cstdint>
#include <string>
#include <vector>

#include "base/metrics.hpp"
#include "base/result.hpp"
#include "mqtt/packet.hpp"

namespace comqtt::hooks {

struct StoredClient {
    std::string id;
    std::string username;
    std::string remote;
    std::string listener;
    mqtt::Version version = mqtt::Version::v5;
    bool clean_start = false;
    uint32_t session_expiry_s = 0;
    int64_t disconnected_at_ms = 0;  ///< wall clock, unix ms; 0 = was connected when stored
    bool has_will = false;           ///< a delayed will not yet sent
    mqtt::Will will;
    int64_t will_due_ms = 0;
};

struct StoredSubscription {
    std::string client_id;
    mqtt::TopicFilterEntry entry;
    uint32_t identifier = 0;
};

struct StoredMessage {
    enum class State : uint8_t { queued = 0, sent = 1, received = 2, released = 3 };
    std::string client_id;  ///< whose session holds it; empty for a retained message
    std::string origin;     ///< client id of the publisher
    mqtt::Packet packet;    ///< a PUBLISH
    int64_t created_ms = 0;
    int64_t sent_ms = 0;
    State state = State::queued;  ///< received = inbound QoS 2 id awaiting PUBREL; released = PUBREL sent
};

/// Takes records from a stored_* callback. Copies at once.
class StoredSink {
public:
    virtual Result<void> add(StoredClient record) = 0;
    virtual Result<void> add(StoredSubscription record) = 0;
    virtual Result<void> add(StoredMessage record) = 0;

protected:
    ~StoredSink() = default;
};

}  // namespace comqtt::hooks
