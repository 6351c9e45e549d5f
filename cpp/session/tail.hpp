#pragma once
// Tail: the part of a session's queue that only the store holds. It comes after what is in memory. When its messages
// expire is known: noted as they went there or, of a restored session, once they have been read through.

#include <algorithm>
#include <cstdint>
#include <unordered_set>

#include "session/expiries.hpp"

namespace comqtt::session {

struct Tail {
    uint64_t messages = 0;
    uint64_t bytes = 0;    ///< footprints
    uint64_t after = 0;    ///< position of the last message that was in memory
    uint64_t loading = 0;  ///< number of the request under way; 0 = none
    /// Restored: what was in flight, both ways, is not in memory either. It is fetched when the client connects.
    bool cold = false;
    uint64_t first_new = 0;  ///< position of the first message added since the last page came; 0 = none

    Expiries expiries;                  ///< keys are positions
    std::unordered_set<uint64_t> gone;  ///< positions that expired and may stand in a page under way
    uint64_t known_from = 0;            ///< of messages before this position it is not known when they expire
    int64_t unknown_due_ms = INT64_MAX;  ///< monotonic: when the first of those does
    uint64_t unknown = 0;                ///< of those, how many
    uint64_t unknown_bytes = 0;          ///< footprints
    bool sweeping = false;               ///< they are read through: some have expired, which is no room taken
    uint64_t sweep = 0;                  ///< number of the request under way; 0 = none
    uint64_t swept = 0;                  ///< position up to which that was done

    /// Messages, and bytes, that may have expired: they are not held against one that comes.
    uint64_t unsure() const { return sweeping ? std::min(unknown, messages) : 0; }
    uint64_t unsure_bytes() const { return sweeping ? std::min(unknown_bytes, bytes) : 0; }
    /// When the next message expires, as far as that is known.
    int64_t next_due_ms() const { return std::min(expiries.next_ms(), sweep ? INT64_MAX : unknown_due_ms); }
};

}  // namespace comqtt::session
