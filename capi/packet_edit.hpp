#pragma once
// Edits of a packet: refused for a frozen one.

#include "capi/guard.hpp"
#include "capi/views.hpp"

namespace comqtt::capi {

/// Runs `change(mqtt::Packet&)`, which returns Result<void>.
template <typename Change>
comqtt_status edit(comqtt_packet* handle, Change&& change) noexcept {
    return guarded(nullptr, [&]() -> Result<void> {
        hooks::PacketBox* box = unwrap(handle);
        if (!box) return invalid("the packet is NULL or not a packet");
        if (box->frozen) return Error{Status::state, "the packet is frozen"};
        box->edited = true;
        return change(box->packet);
    });
}

}  // namespace comqtt::capi
