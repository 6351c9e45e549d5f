#pragma once
// What stands behind the opaque types of comqtt.h. Every kind begins with a count and a tag, so that a handle of the
// wrong kind is told before anything else of it is read. Clients and packets are the core's own objects.

#include <atomic>
#include <memory>
#include <string>

#include "base/ref.hpp"
#include "base/result.hpp"
#include "capi/callback_scope.hpp"
#include "comqtt.h"
#include "hooks/client.hpp"
#include "hooks/deferral.hpp"
#include "hooks/event.hpp"
#include "hooks/handle.hpp"
#include "hooks/packet_box.hpp"
#include "hooks/records.hpp"
#include "hooks/selection.hpp"
#include "server/options.hpp"
#include "server/server.hpp"

struct comqtt_error : comqtt::RefCounted<comqtt_error> {
    comqtt::hooks::HandleTag<0x434D5145> tag;  // "CMQE"
    comqtt::Error error;
};

struct comqtt_options : comqtt::RefCounted<comqtt_options> {
    comqtt::hooks::HandleTag<0x434D514F> tag;  // "CMQO"
    comqtt::server::Options value;
};

/// The application's hold on a server. Lives until the last client, deferral, pipe or hook that points to it is gone;
/// the server itself goes with comqtt_server_free.
struct comqtt_server : comqtt::RefCounted<comqtt_server> {
    comqtt::hooks::HandleTag<0x434D5153> tag;  // "CMQS"
    std::unique_ptr<comqtt::server::Server> server;
    comqtt_options options;           ///< in force; read-only
    std::atomic<bool> closed{false};  ///< freed by the application
    std::atomic<uint32_t> calls_running{0};
    std::shared_ptr<std::atomic<uint64_t>> deferrals_misused = std::make_shared<std::atomic<uint64_t>>(0);

    /// What clients point to.
    struct HostSide final : comqtt::hooks::Host {
        explicit HostSide(comqtt_server& owner) : self(owner) {}
        virtual ~HostSide() = default;
        void retain_host() override { retain(&self); }
        void release_host() override { release(&self); }
        comqtt_server& self;
    } host{*this};

    bool enter() {
        calls_running.fetch_add(1);
        if (!closed.load()) return true;
        leave();
        return false;
    }
    void leave() {
        if (calls_running.fetch_sub(1) == 1 && closed.load()) calls_running.notify_all();
    }
};

struct comqtt_pipe : comqtt::RefCounted<comqtt_pipe> {
    comqtt::hooks::HandleTag<0x434D5149> tag;  // "CMQI"
    comqtt::Ref<comqtt::server::Pipe> pipe;
    comqtt::Ref<comqtt_server> owner;
    ~comqtt_pipe() { pipe->close(); }
};

// These three live on the stack of the callback they are made for.

struct comqtt_event : comqtt::RefCounted<comqtt_event> {
    comqtt_event(comqtt::hooks::Event& of, comqtt_server& server, bool asks)
        : event(of), owner(server), question(asks) {}
    comqtt::hooks::HandleTag<0x434D5156> tag;  // "CMQV"
    comqtt::hooks::Event& event;
    comqtt_server& owner;
    bool question;
    bool deferred = false;
};

struct comqtt_selection : comqtt::RefCounted<comqtt_selection> {
    comqtt_selection(comqtt::hooks::Selection& of, bool may_edit) : selection(of), editable(may_edit) {}
    comqtt::hooks::HandleTag<0x434D514C> tag;  // "CMQL"
    comqtt::hooks::Selection& selection;
    bool editable;
};

struct comqtt_sink : comqtt::RefCounted<comqtt_sink> {
    explicit comqtt_sink(comqtt::hooks::StoredSink& to) : sink(to) {}
    comqtt::hooks::HandleTag<0x434D514B> tag;  // "CMQK"
    comqtt::hooks::StoredSink& sink;
};

namespace comqtt::capi {

/// The handle when it is one of its kind, else null.
template <typename Handle>
Handle* checked(Handle* handle) {
    return handle && handle->tag.ok() ? handle : nullptr;
}

inline hooks::PacketBox* unwrap(const comqtt_packet* packet) {
    return checked(reinterpret_cast<hooks::PacketBox*>(const_cast<comqtt_packet*>(packet)));
}
inline hooks::Client* unwrap(const comqtt_client* client) {
    return checked(reinterpret_cast<hooks::Client*>(const_cast<comqtt_client*>(client)));
}
inline comqtt_packet* wrap(const hooks::PacketBox& box) {
    return reinterpret_cast<comqtt_packet*>(const_cast<hooks::PacketBox*>(&box));
}
/// Shows a client to the application; from here on it knows its server.
inline comqtt_client* wrap(hooks::Client& client, comqtt_server& server) {
    client.host.set(server.host);
    return reinterpret_cast<comqtt_client*>(&client);
}

/// User data and its destructor, which runs once.
class Drop {
public:
    Drop(void* user, comqtt_drop_fn drop) : user_(user), drop_(drop) {}
    Drop(Drop&& other) noexcept : user_(other.user_), drop_(std::exchange(other.drop_, nullptr)) {}
    Drop& operator=(Drop&&) = delete;
    ~Drop() {
        if (!drop_) return;
        const CallbackScope scope;
        drop_(user_);
    }
    void* user() const { return user_; }
    /// Someone else drops it now.
    void give_away() { drop_ = nullptr; }

private:
    void* user_;
    comqtt_drop_fn drop_;
};

}  // namespace comqtt::capi
