#pragma once
// Session: what the server keeps of one client id, connected or not. Owned by one shard.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "broker/acl_cache.hpp"
#include "hooks/client.hpp"
#include "hooks/deferral.hpp"
#include "hooks/packet_box.hpp"
#include "session/flow.hpp"
#include "topics/subscription_index.hpp"

namespace comqtt::broker {

struct Connection;

/// A will that waits for its delay.
struct DelayedWill {
    Ref<hooks::PacketBox> box;  ///< the PUBLISH
    Ref<hooks::Client> client;  ///< whose will it is
    int64_t due_ms = 0;         ///< monotonic
};

/// Receives the messages of an inline subscription: called on the shard's thread.
using InlineSink = std::function<void(hooks::Client&, hooks::PacketBox&)>;

struct Session {
    topics::SubscriberId id;
    Ref<hooks::Client> client;         ///< of the present or last connection; its id is the session's
    Connection* connection = nullptr;  ///< null = offline
    bool shared_member = false;        ///< has shared subscriptions
    uint32_t expiry_interval = 0;      ///< seconds after disconnection; kNoExpiry = never
    int64_t expires_ms = INT64_MAX;    ///< monotonic, while offline
    int64_t scheduled_ms = INT64_MAX;  ///< earliest deadline entry
    std::unordered_map<std::string, topics::SubscriptionOptions> subscriptions;  ///< by full filter text
    std::unique_ptr<session::Flow> flow;
    std::unique_ptr<DelayedWill> will;
    std::unique_ptr<AclCache> acl;
    std::unique_ptr<InlineSink> sink;  ///< inline subscription
    uint64_t read_hold = 0;            ///< pending read verdict: deliveries queue up until it comes; 0 = none
    std::string held_topic;            ///< whose verdict is awaited

    session::Flow& make_flow() {
        if (!flow) flow = std::make_unique<session::Flow>();
        return *flow;
    }
};

}  // namespace comqtt::broker
