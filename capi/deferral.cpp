// Deferrals: the application's half of a PENDING answer.

#include "capi/guard.hpp"
#include "capi/views.hpp"

using namespace comqtt;
using namespace comqtt::capi;

namespace {

/// What stands for "no".
int refusal(const comqtt_deferral& deferral) {
    return deferral.question ? static_cast<int>(hooks::Verdict::deny) : static_cast<int>(hooks::Action::fail);
}

bool answer_exists(const comqtt_deferral& deferral, int32_t answer) {
    const int32_t pending =
        deferral.question ? int32_t{COMQTT_VERDICT_PENDING} : int32_t{COMQTT_ACTION_PENDING};
    return answer >= 0 && answer < pending;
}

/// Hands the result to the core, which still has to be there.
Result<void> settle(comqtt_deferral& deferral, hooks::DeferralResult result) {
    Entry entry(deferral.owner.get());
    if (!entry) return entry.error();
    if (hooks::PacketBox* packet = deferral.token->packet()) packet->frozen = true;
    return outcome(deferral.token->complete(std::move(result)));
}

}  // namespace

comqtt_status comqtt_deferral_complete(comqtt_deferral* deferral, int32_t answer, comqtt_reason reason,
                                       comqtt_str reason_text) {
    return comqtt_deferral_complete_after(deferral, 0, answer, reason, reason_text);
}

comqtt_status comqtt_deferral_complete_after(comqtt_deferral* deferral, int64_t delay_ms, int32_t answer,
                                             comqtt_reason reason, comqtt_str reason_text) {
    return guarded(nullptr, [&]() -> Result<void> {
        if (!checked(deferral)) return invalid("the deferral is NULL or not a deferral");
        const auto owned = Ref<comqtt_deferral>::adopt(deferral);
        const bool exists = answer_exists(*deferral, answer);
        hooks::DeferralResult result;
        result.value = exists ? answer : refusal(*deferral);
        result.reason = static_cast<mqtt::Reason>(reason);
        result.has_reason = reason != 0 || reason_text.ptr;
        result.text = text(reason_text);
        result.delay_ms = delay_ms > 0 ? delay_ms : 0;
        auto settled = settle(*deferral, std::move(result));
        if (!exists) return invalid("there is no such answer");
        return settled;
    });
}

void comqtt_deferral_release(comqtt_deferral* deferral) {
    guarded(nullptr, [&]() -> Result<void> {
        if (!checked(deferral)) return {};
        const auto owned = Ref<comqtt_deferral>::adopt(deferral);
        hooks::DeferralResult result;
        result.value = refusal(*deferral);
        return settle(*deferral, std::move(result));
    });
}

comqtt_client* comqtt_deferral_client(const comqtt_deferral* deferral) {
    deferral = checked(deferral);
    return deferral ? wrap(deferral->token->client(), *deferral->owner) : nullptr;
}

comqtt_packet* comqtt_deferral_packet(const comqtt_deferral* deferral) {
    deferral = checked(deferral);
    const hooks::PacketBox* box = deferral ? deferral->token->packet() : nullptr;
    return box ? wrap(*box) : nullptr;
}

bool comqtt_deferral_is_cancelled(const comqtt_deferral* deferral) {
    deferral = checked(deferral);
    if (!deferral || deferral->owner->closed.load()) return true;
    const auto state = deferral->token->state();
    return state == hooks::Deferral::State::cancelled || state == hooks::Deferral::State::expired;
}

comqtt_status comqtt_deferral_on_cancel(comqtt_deferral* deferral, void (*fn)(void* user), void* user,
                                        comqtt_drop_fn drop) {
    Drop owned(user, drop);
    return guarded(nullptr, [&]() -> Result<void> {
        if (!checked(deferral)) return invalid("the deferral is NULL or not a deferral");
        if (!fn) return invalid("the function is NULL");
        owned.give_away();
        deferral->token->on_cancel(fn, user, drop);
        return {};
    });
}
