#pragma once
// SlowVerdicts: a hook that allows everything, some of it later, when it is told to answer.

#include <vector>

#include "hooks/hook.hpp"
#include "support/random.hpp"

namespace comqtt::sim {

class SlowVerdicts final : public hooks::Hook {
public:
    /// Every question waits with a chance of `percent`.
    SlowVerdicts(uint64_t seed, unsigned percent) : random_(seed), percent_(percent) {}

    std::string_view id() const override { return "slow-verdicts"; }
    hooks::EventMask events() const override {
        return hooks::mask_of(hooks::EventId::on_connect_authenticate) |
               hooks::mask_of(hooks::EventId::on_acl_check);
    }
    hooks::Verdict on_connect_authenticate(hooks::Event& event, hooks::Client&, hooks::PacketBox&) override {
        return answer(event);
    }
    hooks::Verdict on_acl_check(hooks::Event& event, hooks::Client&, std::string_view,
                                hooks::Access access) override {
        const bool asked = access == hooks::Access::read ? !only_writes : !only_reads;
        return asked ? answer(event) : hooks::Verdict::allow;
    }

    size_t waiting() const { return waiting_.size(); }
    bool only_writes = false;  ///< reads are allowed at once
    bool only_reads = false;   ///< writes are
    bool at_once = true;       ///< some answers come before the callback has returned
    void set_chance(unsigned percent) { percent_ = percent; }
    Ref<hooks::Deferral> take(size_t index) {
        const Ref<hooks::Deferral> taken = waiting_[index];
        waiting_.erase(waiting_.begin() + static_cast<ptrdiff_t>(index));
        return taken;
    }
    /// Allows one of those that wait: itself, or by passing the question on to the next hook.
    void answer_one() {
        if (waiting_.empty()) return;
        const auto deferral = take(random_.below(waiting_.size()));
        hooks::DeferralResult result;
        result.value = static_cast<int>(random_.chance(20) ? hooks::Verdict::next : hooks::Verdict::allow);
        if (random_.chance(10)) result.delay_ms = 5;
        deferral->complete(result);
    }

private:
    hooks::Verdict answer(hooks::Event& event) {
        if (!random_.chance(percent_)) return hooks::Verdict::allow;
        hooks::Deferral* deferral = event.defer();
        if (!deferral) return hooks::Verdict::allow;
        waiting_.push_back(Ref<hooks::Deferral>::share(deferral));
        if (at_once && random_.chance(10)) {  // answered before the callback has returned
            hooks::DeferralResult result;
            result.value = static_cast<int>(hooks::Verdict::allow);
            deferral->complete(result);
            waiting_.pop_back();
        }
        return hooks::Verdict::pending;
    }

    support::Random random_;
    unsigned percent_;
    std::vector<Ref<hooks::Deferral>> waiting_;
};

}  // namespace comqtt::sim
