#pragma once
// The boundary: no exception passes, an Error becomes a status and an error object; a call holds its server while it
// runs; a callback is known as such on its thread.

#include <exception>
#include <new>
#include <string>

#include "capi/callback_scope.hpp"
#include "capi/handles.hpp"

namespace comqtt::capi {

/// Stores the text for the caller, if it wants one; returns the status.
inline comqtt_status report(comqtt_error** out_error, Error error) noexcept {
    const auto status = static_cast<comqtt_status>(error.status);
    if (!out_error) return status;
    try {
        if (error.message.empty()) error.message = comqtt_status_text(status);
        auto object = std::make_unique<comqtt_error>();
        object->error = std::move(error);
        *out_error = object.release();
    } catch (...) {
        *out_error = nullptr;
    }
    return status;
}

/// The same for a text that is copied only if that can be done.
inline comqtt_status report_text(comqtt_error** out_error, Status status, const char* text) noexcept {
    try {
        return report(out_error, {status, out_error ? text : ""});
    } catch (...) {
        if (out_error) *out_error = nullptr;
        return static_cast<comqtt_status>(status);
    }
}

/// Runs the body of a C function. `body` returns Result<void>.
template <typename Body>
comqtt_status guarded(comqtt_error** out_error, Body&& body) noexcept {
    try {
        Result<void> result = body();
        return result ? COMQTT_OK : report(out_error, result.take_error());
    } catch (const std::bad_alloc&) {
        return report_text(out_error, Status::no_memory, "");
    } catch (const std::exception& failure) {
        return report_text(out_error, Status::internal, failure.what());
    } catch (...) {
        return report_text(out_error, Status::internal, "unknown exception");
    }
}

/// The same for a getter, which has `otherwise` to give when memory is out.
template <typename Value, typename Body>
Value guarded_or(Value otherwise, Body&& body) noexcept {
    try {
        return body();
    } catch (...) {
        return otherwise;
    }
}

inline Error invalid(std::string message) { return {Status::invalid_argument, std::move(message)}; }
inline Result<void> outcome(Status status) {
    if (status == Status::ok) return {};
    return Error{status, comqtt_status_text(static_cast<comqtt_status>(status))};
}
inline Result<void> outcome(Status status, std::string message) {
    if (status == Status::ok) return {};
    return Error{status, std::move(message)};
}

/// Holds a server for the length of one call. Not held while the application's functions are called, so that they
/// may free the server.
class Entry {
public:
    explicit Entry(const comqtt_server* handle) {
        comqtt_server* core = checked(const_cast<comqtt_server*>(handle));
        if (!core) {
            error_ = invalid("the server is NULL or not a server");
        } else if (!core->enter()) {
            error_ = {Status::closed, "the server was freed"};
        } else {
            core_ = Ref<comqtt_server>::share(core);
        }
    }
    /// By way of a client.
    explicit Entry(const hooks::Client* client) {
        hooks::Host* host = client ? client->host.get() : nullptr;
        comqtt_server* core = host ? &static_cast<comqtt_server::HostSide*>(host)->self : nullptr;
        if (!client) {
            error_ = invalid("the client is NULL or not a client");
        } else if (!core || !core->enter()) {
            error_ = {Status::closed, "the client's server was freed"};
        } else {
            core_ = Ref<comqtt_server>::share(core);
        }
    }
    ~Entry() { release_now(); }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    explicit operator bool() const { return static_cast<bool>(core_); }
    Error& error() { return error_; }
    server::Server* operator->() const { return core_->server.get(); }
    comqtt_server& core() const { return *core_; }
    /// Ends the hold before the application's functions are called; returns a count on the handle.
    Ref<comqtt_server> release_now() {
        if (core_) core_->leave();
        return std::exchange(core_, {});
    }

private:
    Ref<comqtt_server> core_;
    Error error_;
};

/// Inside a callback of any server on this thread.
inline bool in_some_callback() { return CallbackScope::any(); }
inline bool in_callback(const comqtt_server& core) {
    return CallbackScope::inside(core) || core.server->in_callback();
}

}  // namespace comqtt::capi
