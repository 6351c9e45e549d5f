#pragma once
// How many retained messages, and how many bytes of them, all shards of a server hold together. Any thread.

#include <string_view>

#include "broker/core.hpp"
#include "mqtt/message.hpp"

namespace comqtt::broker {

/// Takes no room of others': the server's own.
inline bool takes_retained_room(std::string_view topic) { return !topic.starts_with("$SYS/"); }

inline void count_retained(Core& core, int64_t messages, int64_t bytes) {
    core.retained_messages.fetch_add(static_cast<uint64_t>(messages), std::memory_order_relaxed);
    core.retained_bytes.fetch_add(static_cast<uint64_t>(bytes), std::memory_order_relaxed);
}

inline bool retained_full(const Core& core) {
    const Limits& limits = core.config.limits;
    return core.retained_messages.load(std::memory_order_relaxed) >= limits.retained_messages ||
           core.retained_bytes.load(std::memory_order_relaxed) >= limits.retained_bytes;
}

/// Room for one more, taken before its shard has it, so that nobody else is promised the same. False when there is none,
/// which a message that replaces another does not mind.
inline bool take_retained_room(Core& core, const mqtt::Message& message) {
    const Limits& limits = core.config.limits;
    const auto bytes = static_cast<int64_t>(message.footprint());
    count_retained(core, 1, bytes);
    if (core.retained_messages.load(std::memory_order_relaxed) <= limits.retained_messages &&
        core.retained_bytes.load(std::memory_order_relaxed) <
            limits.retained_bytes + static_cast<uint64_t>(bytes))
        return true;
    count_retained(core, -1, -bytes);
    return false;
}

/// Its shard has it, and counts it itself.
inline void return_retained_room(Core& core, const mqtt::Message& message) {
    count_retained(core, -1, -static_cast<int64_t>(message.footprint()));
}

}  // namespace comqtt::broker
