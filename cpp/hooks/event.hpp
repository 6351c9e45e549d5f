#pragma once
// Events: their numbers, the masks made of them, the answers a hook may give, and the transient context
// that goes with each call.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ref.hpp"
#include "mqtt/reason.hpp"

namespace comqtt::hooks {

enum class EventId : uint8_t {
#define COMQTT_EVENT(name, kind) name,
#include "hooks/events.def"
#undef COMQTT_EVENT
    count
};

using EventMask = uint64_t;
constexpr EventMask mask_of(EventId id) { return EventMask{1} << static_cast<unsigned>(id); }
static_assert(static_cast<unsigned>(EventId::count) <= 64);

const char* event_name(EventId id);

/// Answer to a question (authenticate, ACL). Hooks are asked in order; the first ALLOW or DENY decides, all NEXT
/// means denied.
enum class Verdict : int { next = 0, allow = 1, deny = 2, pending = 3 };

/// Answer to an event that can stop or change something.
enum class Action : int {
    proceed = 0,
    reject = 1,  ///< drop silently
    ignore = 2,  ///< acknowledge, do not forward
    fail = 3,    ///< use the event's reason
    pending = 4,
};

enum class Access : int { read = 1, write = 2 };

class Client;
struct PacketBox;
class Deferral;

/// Makes deferral tokens for an event; the broker's side of PENDING.
class DeferralSource {
public:
    /// Null when the number of pending deferrals is at its limit.
    virtual Ref<Deferral> make_deferral(Client& client, PacketBox* packet) = 0;

protected:
    ~DeferralSource() = default;
};

/// Context of one call of one hook. Lives on the stack of the shard that calls.
class Event {
public:
    Event(EventId id, int64_t time_ms, Client* client = nullptr, PacketBox* packet = nullptr,
          DeferralSource* deferrals = nullptr);
    ~Event();
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    EventId id() const { return id_; }
    int64_t time_ms() const { return time_ms_; }  ///< wall clock, unix ms

    /// Reason to use when the answer is DENY, REJECT or FAIL.
    void set_reason(mqtt::Reason reason, std::string_view text) {
        reason_ = reason;
        reason_text_ = text;
        has_reason_ = true;
    }
    bool has_reason() const { return has_reason_; }
    mqtt::Reason reason() const { return reason_; }
    const std::string& reason_text() const { return reason_text_; }

    /// ACL: the answer holds for every topic with this access. Heeded when no hook before this one was asked.
    void set_for_all_topics() { for_all_topics_ = true; }
    bool for_all_topics() const { return for_all_topics_; }
    void asked_before() { for_all_topics_ = false; }

    /// The callback itself failed: logged, counted, the safe answer is used.
    void fail(std::string_view message) {
        failed_ = true;
        failure_ = message;
    }
    bool failed() const { return failed_; }
    /// The answer is a refusal because the hook failed: of a question as if nobody had answered it, else with the
    /// hook's own reason if that is one.
    void refuse_for_failure(bool question) {
        for_all_topics_ = false;
        if (!question && has_reason_ && static_cast<uint8_t>(reason_) >= 0x80) return;
        set_reason(mqtt::Reason::implementation_specific_error, {});
        has_reason_ = !question;
    }
    const Client* client() const { return client_; }
    const std::string& failure() const { return failure_; }

    /// One-shot token for a PENDING answer; the same one on every call for this event. Null when this event cannot
    /// wait, or too many are waiting already.
    Deferral* defer();
    /// True when the hook took a token.
    bool deferred() const { return static_cast<bool>(deferral_); }
    /// Gives the token to the broker, which waits for it; otherwise it is cancelled with the event.
    Ref<Deferral> take_deferral();
    /// Forget answers between two hooks of a chain.
    void reset();

private:
    EventId id_;
    bool has_reason_ = false;
    bool failed_ = false;
    bool for_all_topics_ = false;
    mqtt::Reason reason_ = mqtt::Reason::success;
    int64_t time_ms_;
    Client* client_;
    PacketBox* packet_;
    DeferralSource* deferrals_;
    std::string reason_text_;
    std::string failure_;
    Ref<Deferral> deferral_;
};

}  // namespace comqtt::hooks
