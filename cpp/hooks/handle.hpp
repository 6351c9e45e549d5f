#pragma once
// What lets an object be handed out through the C interface: a tag that tells its kind, and the way back to the
// server that an application holds.

#include <atomic>
#include <cstdint>

namespace comqtt::hooks {

/// First member of an object that is handed out. Cleared on destruction, so that a stale handle can be told as long
/// as its memory has not been given away.
template <uint32_t Value>
struct HandleTag {
    ~HandleTag() { *const_cast<volatile uint32_t*>(&value) = 0; }
    bool ok() const { return *const_cast<const volatile uint32_t*>(&value) == Value; }
    uint32_t value = Value;
};

/// What the application holds of the server: counted, outlives the server.
class Host {
public:
    virtual void retain_host() = 0;
    virtual void release_host() = 0;

protected:
    ~Host() = default;
};

/// A counted pointer to the host, set once, by whichever thread shows the object first.
class HostRef {
public:
    HostRef() = default;
    ~HostRef() {
        if (Host* host = get()) host->release_host();
    }
    HostRef(const HostRef&) = delete;
    HostRef& operator=(const HostRef&) = delete;

    Host* get() const { return host_.load(std::memory_order_acquire); }
    void set(Host& host) {
        if (get()) return;
        host.retain_host();
        Host* none = nullptr;
        if (!host_.compare_exchange_strong(none, &host, std::memory_order_acq_rel)) host.release_host();
    }

private:
    std::atomic<Host*> host_{nullptr};
};

}  // namespace comqtt::hooks
