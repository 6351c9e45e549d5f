#include "capi/deferral_table.hpp"

#include <algorithm>

namespace comqtt::capi {

DeferralTable& DeferralTable::instance() {
    static DeferralTable* const table = new DeferralTable;  // never ends: threads may hold tokens at exit
    return *table;
}

comqtt_deferral* DeferralTable::put(HeldDeferral held) {
    const Lock lock(mutex_);
    if (free_.size() <= kResting) {
        Slab slab = std::make_unique<Slot[]>(kSlots);
        Slot* const first = slab.get();
        slabs_.insert(std::upper_bound(slabs_.begin(), slabs_.end(), slab,
                                       [](const Slab& a, const Slab& b) { return a.get() < b.get(); }),
                      std::move(slab));
        for (size_t i = 0; i < kSlots; ++i) free_.push_front(first + i);
    }
    Slot& slot = *free_.front();
    free_.pop_front();
    slot.current = (slot.current + 1) % kPlaces;
    slot.live = true;
    slot.misuses = held.owner->deferrals_misused;
    slot.held = std::move(held);
    return reinterpret_cast<comqtt_deferral*>(&slot.places[slot.current]);
}

DeferralTable::Slot* DeferralTable::slot_of(const comqtt_deferral* handle, uint32_t& place) const {
    const auto address = reinterpret_cast<uintptr_t>(handle);
    auto at = std::upper_bound(slabs_.begin(), slabs_.end(), address, [](uintptr_t value, const Slab& slab) {
        return value < reinterpret_cast<uintptr_t>(slab.get());
    });
    if (at == slabs_.begin()) return nullptr;
    Slot* const first = (--at)->get();
    const uintptr_t offset = address - reinterpret_cast<uintptr_t>(first);
    if (offset >= kSlots * sizeof(Slot)) return nullptr;
    const size_t inside = offset % sizeof(Slot);  // the places stand first in it
    if (inside >= sizeof first->places || inside % sizeof(uint32_t) != 0) return nullptr;
    place = static_cast<uint32_t>(inside / sizeof(uint32_t));
    return first + offset / sizeof(Slot);
}

DeferralTable::Found DeferralTable::look(const comqtt_deferral* handle, Slot*& slot) {
    uint32_t place = 0;
    slot = slot_of(handle, place);
    if (!slot) return Found::unknown;
    if (slot->live && slot->current == place) return Found::live;
    if (slot->misuses) slot->misuses->fetch_add(1, std::memory_order_relaxed);
    return Found::spent;
}

DeferralTable::Found DeferralTable::find(const comqtt_deferral* handle, HeldDeferral& out) {
    const Lock lock(mutex_);
    Slot* slot = nullptr;
    const Found found = look(handle, slot);
    if (found == Found::live) out = slot->held;
    return found;
}

DeferralTable::Found DeferralTable::take(const comqtt_deferral* handle, HeldDeferral& out) {
    const Lock lock(mutex_);
    Slot* slot = nullptr;
    const Found found = look(handle, slot);
    if (found != Found::live) return found;
    free_.push_back(slot);
    slot->live = false;
    out = std::move(slot->held);
    return found;
}

}  // namespace comqtt::capi
