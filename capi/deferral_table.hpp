#pragma once
// DeferralTable: what stands behind the comqtt_deferral pointers. A token is freed by the call that answers it, and
// callers make mistakes: so the pointer is a place in memory that is never given back, one of several in a slot, and
// the slot knows which of them is good. A place is used again after thousands of others only. One table for the
// process: a token may outlive its server.

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/mutex.hpp"
#include "capi/handles.hpp"

namespace comqtt::capi {

/// A token of the application's.
struct HeldDeferral {
    Ref<hooks::Deferral> token;
    Ref<comqtt_server> owner;
    bool question = false;  ///< answered by a verdict, else by an action
};

class DeferralTable {
public:
    static DeferralTable& instance();

    comqtt_deferral* put(HeldDeferral held);
    enum class Found { live, spent, unknown };
    /// Copies what stands behind the handle. Counts with its server when it is spent.
    Found find(const comqtt_deferral* handle, HeldDeferral& out);
    /// The same, and the handle is spent from here on.
    Found take(const comqtt_deferral* handle, HeldDeferral& out);

private:
    static constexpr size_t kPlaces = 64;     ///< handles that a slot gives out before it repeats itself
    static constexpr size_t kSlots = 256;     ///< of a slab
    static constexpr size_t kResting = 1024;  ///< spent slots that wait before they are used again

    struct Slot {
        uint32_t places[kPlaces] = {};  ///< zero, so that none is taken for a handle of another kind
        uint32_t current = 0;           ///< place of the handle given out last
        bool live = false;
        HeldDeferral held;
        std::shared_ptr<std::atomic<uint64_t>> misuses;
    };
    using Slab = std::unique_ptr<Slot[]>;

    Slot* slot_of(const comqtt_deferral* handle, uint32_t& place) const COMQTT_REQUIRES(mutex_);
    Found look(const comqtt_deferral* handle, Slot*& slot) COMQTT_REQUIRES(mutex_);

    Mutex mutex_;
    std::vector<Slab> slabs_ COMQTT_GUARDED_BY(mutex_);  ///< by address
    std::deque<Slot*> free_ COMQTT_GUARDED_BY(mutex_);   ///< longest unused first
};

}  // namespace comqtt::capi
