#pragma once
// DropCause: why a message does not reach a session that should have had it.

#include <cstdint>

namespace comqtt::broker {

enum class DropCause : uint8_t {
    queue_full,      ///< as queue-policy says: the oldest or the new one
    output_full,     ///< QoS 0 for a client that does not take what it is sent
    too_large,       ///< for the client's Maximum Packet Size
    store_overflow,  ///< the stores cannot commit, and more waits for them than may
};

inline const char* text_of(DropCause cause) {
    switch (cause) {
        case DropCause::queue_full: return "as much waits for it as may";
        case DropCause::output_full: return "it does not take what it is sent";
        case DropCause::too_large: return "larger than its maximum packet size";
        case DropCause::store_overflow: return "the store cannot commit, and as much waits for it as may";
    }
    return "";
}

}  // namespace comqtt::broker
