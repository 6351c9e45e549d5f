#pragma once
// Handover log: messages on their way from one shard to another that must arrive exactly once, as the stores keep them.
// The sending shard records the message in the batch that says it was received; the receiving shard removes it in the
// batch that says what became of it. A server that ended in between delivers it when it starts again. To a store a log
// is one more session, under a client id that nobody may have; its messages name their receivers where the others name
// a shared subscription.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace comqtt::broker {

/// Client ids that begin with this are the server's.
inline constexpr std::string_view kReservedClientIds = "$comqtt/";

/// Whose log it is. The seed tells which sessions belonged to the receiving shard.
struct HandoverLog {
    uint64_t seed = 0;
    unsigned shards = 0;
    unsigned from = 0;
    unsigned to = 0;

    std::string client_id() const;
    /// None when the client id is not that of a log.
    static std::optional<HandoverLog> of(std::string_view client_id);
    bool received_by(std::string_view session_id) const;
};

}  // namespace comqtt::broker
