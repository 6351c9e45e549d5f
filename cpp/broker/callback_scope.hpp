#pragma once
// CallbackScope: while one is alive the shard is inside a hook or an inline handler.

namespace comqtt::broker {

class Shard;

class CallbackScope {
public:
    explicit CallbackScope(Shard& shard);
    ~CallbackScope();
    CallbackScope(const CallbackScope&) = delete;
    CallbackScope& operator=(const CallbackScope&) = delete;

private:
    Shard& shard_;
    const Shard* outer_;
};

/// The shard whose callback the calling thread is running; null outside.
const Shard* current_callback_shard();

}  // namespace comqtt::broker
