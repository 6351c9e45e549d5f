#pragma once
// Timers: what is due when, for one shard. Nothing is called from here: the shard fetches what is due and looks, with
// whoever it is for, whether that time still stands; an entry is never taken back.

#include <cstdint>

#include "base/deadlines.hpp"

namespace comqtt::broker {

class Timers final {
public:
    enum class Kind : uint32_t { connection, session, deferral, sys_topics, retained, load };
    struct Due {
        Kind kind;
        uint64_t ref;   ///< a handle or number; 0 where the kind has one entry only
        int64_t at_ms;  ///< as it was given
    };

    /// Milliseconds of the monotonic clock. Costs the logarithm of the number of entries.
    void at(Kind kind, uint64_t ref, int64_t ms) { deadlines_.add({ms, ref, static_cast<uint32_t>(kind)}); }
    /// INT64_MAX when there is none.
    int64_t next_ms() const { return deadlines_.next_ms(); }
    bool due(int64_t now_ms) const { return next_ms() <= now_ms; }
    /// The earliest; there is one.
    Due pop() {
        const Deadline first = deadlines_.pop();
        return {static_cast<Kind>(first.kind), first.ref, first.at_ms};
    }

private:
    Deadlines deadlines_;
};

}  // namespace comqtt::broker
