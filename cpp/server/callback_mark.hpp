#pragma once
// CallbackMark: while one is alive its thread runs code of the application on behalf of a server, outside its shards'
// own callbacks: init and stop of a hook, the stored_* events, the end of user data.

namespace comqtt::server {

class CallbackMark {
public:
    explicit CallbackMark(const void* server) : server_(server), outer_(innermost_) { innermost_ = this; }
    ~CallbackMark() { innermost_ = outer_; }
    CallbackMark(const CallbackMark&) = delete;
    CallbackMark& operator=(const CallbackMark&) = delete;

    static bool inside(const void* server) {
        for (const CallbackMark* mark = innermost_; mark; mark = mark->outer_)
            if (mark->server_ == server) return true;
        return false;
    }

private:
    static inline thread_local constinit const CallbackMark* innermost_ = nullptr;
    const void* server_;
    const CallbackMark* outer_;
};

}  // namespace comqtt::server
