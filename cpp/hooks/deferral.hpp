#pragma once
// Deferral: the one-shot token behind a PENDING answer. Any thread may complete it, also before the callback that
// took it has returned. The shard that waits cancels it when the client goes away and expires it after a while.

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "base/ref.hpp"
#include "base/result.hpp"
#include "hooks/client.hpp"
#include "hooks/packet_box.hpp"

namespace comqtt::hooks {

struct DeferralResult {
    int value = 0;  ///< Verdict or Action, by the event
    mqtt::Reason reason = mqtt::Reason::success;
    bool has_reason = false;
    std::string text;
    int64_t delay_ms = 0;  ///< hold the answer back this long
};

class Deferral : public RefCounted<Deferral> {
public:
    enum class State : int { pending, completed, cancelled, expired };
    const uint64_t number;  ///< under which the shard waits
    /// `wake` is called once, from the completing thread, when a result is there.
    Deferral(uint64_t own_number, Ref<Client> client, Ref<PacketBox> packet,
             std::function<void(Deferral&)> wake)
        : number(own_number),
          client_(std::move(client)),
          packet_(std::move(packet)),
          wake_(std::move(wake)) {}
    ~Deferral();

    /// ok, state (completed before), cancelled or timeout.
    Status complete(DeferralResult result);
    /// The broker no longer waits. Runs the cancel callbacks. False when it was no longer pending.
    bool cancel(State why);
    State state() const { return state_.load(std::memory_order_acquire); }
    /// Runs at once when the deferral is cancelled already. `drop` runs after the last use of `user`.
    void on_cancel(void (*fn)(void* user), void* user, void (*drop)(void*));

    Client& client() const { return *client_; }
    PacketBox* packet() const { return packet_.get(); }
    /// The packet as it was before the application got it; set by the event for packets that may be edited while the
    /// answer is pending, for when the answer does not come in time. Null for others.
    const Ref<PacketBox>& untouched() const { return untouched_; }
    void keep_untouched(Ref<PacketBox> copy) { untouched_ = std::move(copy); }
    /// Valid in state completed.
    const DeferralResult& result() const { return result_; }

private:
    struct Listener {
        void (*fn)(void*);
        void* user;
        void (*drop)(void*);
    };
    std::atomic<State> state_{State::pending};
    Mutex mutex_;
    DeferralResult result_;
    Ref<Client> client_;
    Ref<PacketBox> packet_;
    Ref<PacketBox> untouched_;
    std::function<void(Deferral&)> wake_;
    std::vector<Listener> listeners_ COMQTT_GUARDED_BY(mutex_);
};

}  // namespace comqtt::hooks
