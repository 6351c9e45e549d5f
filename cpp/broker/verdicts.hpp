#pragma once
// Verdicts: what one shard has asked hooks for that is to come later. Owns the pending ones, each with a deadline, and
// makes the tokens that hooks complete; a completion comes as mail, and what waited for it is given back to the caller,
// who goes on with it. Lives as long as the shard, on its thread; calls the timers, and what hooks have registered for
// the case that a token is cancelled.

#include <optional>
#include <unordered_map>

#include "broker/here.hpp"
#include "broker/timers.hpp"
#include "hooks/deferral.hpp"
#include "hooks/packet_box.hpp"

namespace comqtt::broker {

struct PendingVerdict {
    enum class What : uint8_t { connection, read, will, inline_publish };
    Ref<hooks::Deferral> deferral;
    What what = What::connection;
    uint64_t handle = 0;        ///< connection or session
    size_t position = 0;        ///< what: not connection: number of the hook that answered
    bool delayed = false;       ///< completed, held back
    bool in_time = true;        ///< as it is given back: the hook has answered
    Ref<hooks::PacketBox> box;  ///< what: will or inline_publish
};

class Verdicts final : public hooks::DeferralSource {
public:
    Verdicts(const Here& here, Timers& timers) : here_(here), timers_(timers) {}
    ~Verdicts() { cancel_all(); }
    Verdicts(const Verdicts&) = delete;
    Verdicts& operator=(const Verdicts&) = delete;

    /// A token for a hook; null at the limit, which is counted. It is good for nothing until wait_for().
    Ref<hooks::Deferral> make_deferral(hooks::Client& client, PacketBox* packet) override;
    /// What waits goes on with came() or due(). Gives its number.
    uint64_t wait_for(Ref<hooks::Deferral> deferral, PendingVerdict::What what, uint64_t handle,
                      size_t position = 0, Ref<hooks::PacketBox> box = {});
    /// By mail. Nothing when it was cancelled, or is to be held back for a while.
    std::optional<PendingVerdict> came(uint64_t number);
    /// By its deadline: the time held back is over, or there was no answer in time.
    std::optional<PendingVerdict> due(uint64_t number);
    /// Whoever waited has gone.
    void cancel(uint64_t number);
    void cancel_all();
    size_t count() const { return pending_.size(); }

private:
    using Pending = std::unordered_map<uint64_t, PendingVerdict>;
    PendingVerdict take(Pending::iterator at);

    const Here& here_;
    Timers& timers_;
    Pending pending_;
};

}  // namespace comqtt::broker
