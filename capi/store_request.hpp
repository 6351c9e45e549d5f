#pragma once
// What a batch of changes and a request for records have in common as handles: the hook answers in its callback, or
// PENDING and later, once, from any thread.

#include "capi/guard.hpp"
#include "capi/views.hpp"

namespace comqtt::capi {

/// A status that ends something: COMQTT_OK or one of the errors.
inline bool is_outcome(comqtt_status status) {
    return (status <= COMQTT_OK && status >= COMQTT_ERR_INLINE_DISABLED) || status == COMQTT_ERR_INTERNAL;
}

/// `Core` is the object of the core, with complete(Status, std::string).
template <typename Self, typename Core, uint32_t Tag>
struct StoreRequest : RefCounted<Self> {
    hooks::HandleTag<Tag> tag;
    StoreRequest(Core& of, comqtt_server& server)
        : core(Ref<Core>::share(&of)), owner(Ref<comqtt_server>::share(&server)) {}
    /// Answered with PENDING and given up. Once the server is gone nobody waits for it.
    ~StoreRequest() {
        Entry entry(owner.get());
        if (entry && !answered.load()) core->complete(Status::closed, "the store let go of it");
    }

    Ref<Core> core;
    Ref<comqtt_server> owner;
    std::atomic<bool> answered{false};  ///< by what its callback returned
};

/// Checks the handle, then runs `body(core)` while its server is there; `body` returns Result<void>.
template <typename Handle, typename Body>
comqtt_status while_waiting(Handle* handle, comqtt_error** out_error, Body&& body) noexcept {
    return guarded(out_error, [&]() -> Result<void> {
        if (!checked(handle)) return invalid("the handle is NULL or of another kind");
        Entry entry(handle->owner.get());
        if (!entry) return entry.error();
        if (handle->answered.load()) return Error{Status::state, "it was answered before"};
        return body(*handle->core);
    });
}

template <typename Handle>
comqtt_status complete(Handle* handle, comqtt_status status, comqtt_str why) noexcept {
    return while_waiting(handle, nullptr, [&](auto& core) -> Result<void> {
        if (!is_outcome(status)) return invalid("there is no such status");
        return outcome(core.complete(static_cast<Status>(status), std::string(text(why))));
    });
}

}  // namespace comqtt::capi
