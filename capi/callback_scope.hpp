#pragma once
// CallbackScope: marks this thread as running a function of the application, where nothing may be waited for.

struct comqtt_server;

namespace comqtt::capi {

class CallbackScope {
public:
    /// Of no server's events: a visitor, a log line, the end of user data.
    CallbackScope() : server_(nullptr), outer_(innermost_) { innermost_ = this; }
    explicit CallbackScope(const comqtt_server& server) : server_(&server), outer_(innermost_) {
        innermost_ = this;
    }
    ~CallbackScope() { innermost_ = outer_; }
    CallbackScope(const CallbackScope&) = delete;
    CallbackScope& operator=(const CallbackScope&) = delete;

    static bool any() { return innermost_ != nullptr; }
    static bool inside(const comqtt_server& server) {
        for (const CallbackScope* scope = innermost_; scope; scope = scope->outer_)
            if (scope->server_ == &server) return true;
        return false;
    }

private:
    static inline thread_local constinit const CallbackScope* innermost_ = nullptr;
    const comqtt_server* server_;
    const CallbackScope* outer_;
};

}  // namespace comqtt::capi
