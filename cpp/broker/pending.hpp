#pragma once
// What a shard has asked hooks for that is to come later: verdicts and stored messages.

#include "hooks/deferral.hpp"
#include "hooks/load.hpp"
#include "hooks/packet_box.hpp"

namespace comqtt::broker {

struct PendingVerdict {
    enum class What : uint8_t { connection, read, will, inline_publish };
    Ref<hooks::Deferral> deferral;
    What what = What::connection;
    uint64_t handle = 0;        ///< connection or session
    size_t position = 0;        ///< what: not connection: number of the hook that answered
    bool delayed = false;       ///< completed, held back
    Ref<hooks::PacketBox> box;  ///< what: will or inline_publish
};

struct PendingLoad {
    Ref<hooks::Load> load;
    uint64_t session = 0;     ///< SubscriberId value; 0 = not known here
    uint64_t connection = 0;  ///< handle of the one whose CONNECT waits; 0 = a page of a queue
};

}  // namespace comqtt::broker
