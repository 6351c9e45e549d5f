#pragma once
// Tail: the part of a session's queue that only the store holds. It comes after what is in memory.

#include <cstdint>

namespace comqtt::session {

struct Tail {
    uint64_t messages = 0;
    uint64_t bytes = 0;             ///< footprints
    uint64_t after = 0;             ///< position of the last message that was in memory
    int64_t expiry_ms = INT64_MAX;  ///< wall clock at which one of them expires
    uint64_t loading = 0;           ///< number of the request under way; 0 = none
    /// Restored: what was in flight, both ways, is not in memory either. It is fetched when the client connects.
    bool cold = false;
    uint64_t first_new = 0;  ///< position of the first message added since the last page came; 0 = none
};

}  // namespace comqtt::session
