// Deferrals: the application's half of a PENDING answer.

#include "capi/deferral_table.hpp"
#include "capi/guard.hpp"
#include "capi/views.hpp"

using namespace comqtt;
using namespace comqtt::capi;

namespace {

using Found = DeferralTable::Found;

/// What stands for "no".
int refusal(const HeldDeferral& deferral) {
    return deferral.question ? static_cast<int>(hooks::Verdict::deny) : static_cast<int>(hooks::Action::fail);
}

bool answer_exists(const HeldDeferral& deferral, int32_t answer) {
    const int32_t pending =
        deferral.question ? int32_t{COMQTT_VERDICT_PENDING} : int32_t{COMQTT_ACTION_PENDING};
    return answer >= 0 && answer < pending;
}

Result<void> not_live(Found found) {
    if (found == Found::spent) return Error{Status::state, "the deferral was answered or released before"};
    return invalid("the deferral is NULL or not a deferral");
}

/// Hands the result to the core, which still has to be there.
Result<void> settle(const HeldDeferral& deferral, hooks::DeferralResult result) {
    Entry entry(deferral.owner.get());
    if (!entry) return entry.error();
    if (hooks::PacketBox* packet = deferral.token->packet()) packet->frozen = true;
    return outcome(deferral.token->complete(std::move(result)));
}

/// The application's function to be told of the end of waiting; a callback like any other.
struct CancelListener {
    void (*fn)(void* user);
    Drop drop;
    Ref<comqtt_server> owner;
};

void tell_cancelled(void* listener) {
    const auto& it = *static_cast<CancelListener*>(listener);
    const CallbackScope scope(*it.owner);
    it.fn(it.drop.user());
}

void drop_listener(void* listener) { delete static_cast<CancelListener*>(listener); }

}  // namespace

comqtt_status comqtt_deferral_complete(comqtt_deferral* deferral, int32_t answer, comqtt_reason reason,
                                       comqtt_str reason_text) {
    return comqtt_deferral_complete_after(deferral, 0, answer, reason, reason_text);
}

comqtt_status comqtt_deferral_complete_after(comqtt_deferral* deferral, int64_t delay_ms, int32_t answer,
                                             comqtt_reason reason, comqtt_str reason_text) {
    return guarded(nullptr, [&]() -> Result<void> {
        HeldDeferral held;
        if (const Found found = DeferralTable::instance().take(deferral, held); found != Found::live)
            return not_live(found);
        const bool exists = answer_exists(held, answer);
        hooks::DeferralResult result;
        result.value = exists ? answer : refusal(held);
        result.reason = static_cast<mqtt::Reason>(reason);
        result.has_reason = reason != 0 || reason_text.ptr;
        result.text = text(reason_text);
        result.delay_ms = delay_ms > 0 ? delay_ms : 0;
        auto settled = settle(held, std::move(result));
        if (!exists) return invalid("there is no such answer");
        return settled;
    });
}

void comqtt_deferral_release(comqtt_deferral* deferral) {
    guarded(nullptr, [&]() -> Result<void> {
        HeldDeferral held;
        if (!deferral || DeferralTable::instance().take(deferral, held) != Found::live) return {};
        hooks::DeferralResult result;
        result.value = refusal(held);
        return settle(held, std::move(result));
    });
}

comqtt_client* comqtt_deferral_client(const comqtt_deferral* deferral) {
    return guarded_or<comqtt_client*>(nullptr, [&]() -> comqtt_client* {
        HeldDeferral held;
        if (DeferralTable::instance().find(deferral, held) != Found::live) return nullptr;
        return wrap(held.token->client(), *held.owner);
    });
}

comqtt_packet* comqtt_deferral_packet(const comqtt_deferral* deferral) {
    return guarded_or<comqtt_packet*>(nullptr, [&]() -> comqtt_packet* {
        HeldDeferral held;
        if (DeferralTable::instance().find(deferral, held) != Found::live) return nullptr;
        const hooks::PacketBox* box = held.token->packet();
        return box ? wrap(*box) : nullptr;
    });
}

bool comqtt_deferral_is_cancelled(const comqtt_deferral* deferral) {
    return guarded_or(true, [&] {
        HeldDeferral held;
        if (DeferralTable::instance().find(deferral, held) != Found::live) return true;
        const auto state = held.token->state();
        return held.owner->closed.load() || state == hooks::Deferral::State::cancelled ||
               state == hooks::Deferral::State::expired;
    });
}

comqtt_status comqtt_deferral_on_cancel(comqtt_deferral* deferral, void (*fn)(void* user), void* user,
                                        comqtt_drop_fn drop) {
    Drop owned(user, drop);
    return guarded(nullptr, [&]() -> Result<void> {
        HeldDeferral held;
        if (const Found found = DeferralTable::instance().find(deferral, held); found != Found::live)
            return not_live(found);
        if (!fn) return invalid("the function is NULL");
        auto listener = std::make_unique<CancelListener>(CancelListener{fn, std::move(owned), held.owner});
        held.token->on_cancel(tell_cancelled, listener.get(), drop_listener);
        listener.release();
        return {};
    });
}
