#pragma once
// Session: what the server keeps of one client id, connected or not. Owned by one shard.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "broker/acl_cache.hpp"
#include "broker/replays.hpp"
#include "broker/subscriptions.hpp"
#include "hooks/client.hpp"
#include "hooks/deferral.hpp"
#include "hooks/packet_box.hpp"
#include "session/flow.hpp"
#include "session/tail.hpp"
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

/// A read verdict that is awaited.
struct ReadHold {
    uint64_t number = 0;  ///< of the deferral
    std::string topic;
};

struct Session {
    // What each message is to know of it comes first, close together: of 100,000 none is in a cache.
    topics::SubscriberId id;
    Ref<hooks::Client> client;         ///< of the present or last connection; its id is the session's
    Connection* connection = nullptr;  ///< null = offline
    std::unique_ptr<InlineSink> sink;  ///< inline subscription
    std::unique_ptr<session::Flow> flow;
    std::unique_ptr<ReadHold> read_hold;  ///< while there is one, deliveries queue up
    std::unique_ptr<session::Tail> tail;  ///< null = the whole queue is in memory
    bool shared_member = false;           ///< has shared subscriptions
    bool stored = false;                  ///< the stores have it
    bool ended = false;                   ///< some of its subscriptions are still in the index
    uint8_t connects = 0;          ///< taken up again so often: read verdicts of routes are of one connection
    uint32_t expiry_interval = 0;  ///< seconds after disconnection; kNoExpiry = never

    uint64_t known_room = UINT64_MAX;  ///< in Core::full_sessions; UINT64_MAX = not there
    int64_t expires_ms = INT64_MAX;    ///< monotonic, while offline
    int64_t scheduled_ms = INT64_MAX;  ///< earliest deadline entry
    Subscriptions subscriptions;
    std::unique_ptr<DelayedWill> will;
    Replays::Holder replays;  ///< retained messages on their way; null = none
    std::unique_ptr<AclCache> acl;

    session::Flow& make_flow() {
        if (!flow) flow = std::make_unique<session::Flow>();
        return *flow;
    }
};

}  // namespace comqtt::broker
