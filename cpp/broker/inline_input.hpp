#pragma once
// InlineInput: what an inline client has sent behind a message whose on_publish is PENDING. Lives on the shard of the
// client from that answer until nothing waits any more.

#include <deque>

#include "hooks/client.hpp"
#include "mqtt/packet.hpp"

namespace comqtt::broker {

struct InlineInput {
    Ref<hooks::Client> client;
    bool pending = true;
    std::deque<mqtt::Packet> waiting;  ///< in the order sent; counted in Core::inline_waiting
};

}  // namespace comqtt::broker
