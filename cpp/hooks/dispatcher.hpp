#pragma once
// Dispatcher: the hooks of one server in the order added, and one mask that tells whether any of them wants an
// event. A change makes another list; each thread that calls has a view of it, renewed when it has changed.

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/mutex.hpp"
#include "hooks/hook.hpp"
#include "hooks/hook_list.hpp"
#include "hooks/hook_view.hpp"

namespace comqtt::hooks {

/// What becomes of an event that can refuse when its hook fails.
enum class OnFailure : uint8_t { refuse, proceed };

class Dispatcher {
public:
    using Entry = HookList::Entry;
    using List = HookList;

    bool wants(EventId id) const { return (mask() & mask_of(id)) != 0; }
    EventMask mask() const { return mask_.load(std::memory_order_relaxed); }

    /// Runs the hook's init. An error names the hook.
    Result<uint64_t> add(std::shared_ptr<Hook> hook);
    /// Takes the hook out, to be given to end() when no call is left; without a hook when the handle is unknown. Calls
    /// already running go on.
    Entry remove(uint64_t handle);
    /// Calls the hook's stop, once in its life; returns when that has ended.
    void end(const Entry& entry);
    /// No event reaches a hook any more; calls stop of those that are there and of those removed and not ended yet.
    void end_all();
    std::shared_ptr<const List> list() const;
    void set_log(const Log* log) { log_ = log; }
    void set_on_failure(OnFailure what) { on_failure_ = what; }
    bool refuses_on_failure() const { return on_failure_ == OnFailure::refuse; }
    /// Callbacks that failed.
    uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }
    /// Lets go of hooks that were removed, on the view's thread.
    void renew(HookView& view) const { const InUse use(*this, view); }

    /// Calls fn(hook) for each hook that wants the event, in order.
    template <typename F>
    void each(HookView& view, EventId id, F&& fn) const {
        if (!wants(id)) return;
        const InUse use(*this, view);
        for (const auto& entry : use.list)
            if (entry.events & mask_of(id)) fn(*entry.hook);
    }
    template <typename F>
    void each(EventId id, F&& fn) const {
        HookView view;
        each(view, id, std::forward<F>(fn));
    }

    /// Asks the hooks added after the one of number `position`; stops at the first ALLOW, DENY or PENDING and leaves
    /// `position` at the number of the hook that answered. All NEXT = deny. A hook that fails denies, with
    /// event.failed(), unless failures are to be passed over.
    template <typename F>
    Verdict ask(HookView& view, Event& event, size_t& position, F&& fn) const {
        return static_cast<Verdict>(run(view, event, position, static_cast<int>(Verdict::deny),
                                        static_cast<int>(Verdict::deny),
                                        [&](Hook& hook) { return static_cast<int>(fn(hook)); }));
    }
    template <typename F>
    Verdict ask(Event& event, size_t& position, F&& fn) const {
        HookView view;
        return ask(view, event, position, std::forward<F>(fn));
    }
    /// The same for actions: stops at the first answer that is not proceed; a hook that fails answers `fail`.
    template <typename F>
    Action act(HookView& view, Event& event, size_t& position, F&& fn) const {
        return static_cast<Action>(run(view, event, position, static_cast<int>(Action::proceed),
                                       static_cast<int>(Action::fail),
                                       [&](Hook& hook) { return static_cast<int>(fn(hook)); }));
    }
    template <typename F>
    Action act(Event& event, size_t& position, F&& fn) const {
        HookView view;
        return act(view, event, position, std::forward<F>(fn));
    }
    /// Asks one store after the other until one answers or is going to; none has it = not_found. `load` is completed
    /// by then or later.
    void ask_stores(Load& load, int64_t wall_ms) const;
    /// Counts and logs, not too often, what a callback reported through Event::fail.
    void report_failure(const Event& event, const Hook& hook) const;

private:
    /// The list as it is now, for the length of one call.
    struct InUse {
        InUse(const Dispatcher& of, HookView& seen) : view(seen), list(of.current(seen)) { ++view.depth_; }
        ~InUse() {
            if (--view.depth_ == 0) view.old_.clear();
        }
        InUse(const InUse&) = delete;
        InUse& operator=(const InUse&) = delete;
        HookView& view;
        const List& list;
    };

    const List& current(HookView& view) const {
        if (view.version_ != version_.load(std::memory_order_acquire)) [[unlikely]]
            renew_list(view);
        return *static_cast<const List*>(view.list_.get());
    }
    void renew_list(HookView& view) const;

    template <typename F>
    int run(HookView& view, Event& event, size_t& position, int otherwise, int refusal, F&& fn) const {
        if (!wants(event.id())) return otherwise;
        const InUse use(*this, view);
        bool first = position == 0;
        for (const Entry& entry : use.list) {
            if (entry.handle <= position || !(entry.events & mask_of(event.id()))) continue;
            position = entry.handle;
            event.reset();
            const int answer = fn(*entry.hook);
            if (!std::exchange(first, false)) event.asked_before();
            if (event.failed()) {
                report_failure(event, *entry.hook);
                if (on_failure_ == OnFailure::proceed) continue;
                event.refuse_for_failure(refusal == static_cast<int>(Verdict::deny) && otherwise == refusal);
                return refusal;
            }
            if (answer != 0) return answer;
        }
        event.reset();  // the answer is nobody's, and so are its reasons
        return otherwise;
    }

    std::atomic<EventMask> mask_{0};
    std::atomic<uint64_t> version_{1};
    OnFailure on_failure_ = OnFailure::refuse;
    mutable Mutex mutex_;
    std::shared_ptr<const List> list_ COMQTT_GUARDED_BY(mutex_) = std::make_shared<List>();
    std::vector<Entry> leaving_ COMQTT_GUARDED_BY(mutex_);  ///< removed, not ended yet
    bool closed_ COMQTT_GUARDED_BY(mutex_) = false;
    uint64_t next_handle_ COMQTT_GUARDED_BY(mutex_) = 1;
    const Log* log_ = nullptr;
    mutable std::atomic<uint64_t> failures_{0};
    mutable Mutex failures_mutex_;
    mutable LogLimiter failures_log_ COMQTT_GUARDED_BY(failures_mutex_);
};

}  // namespace comqtt::hooks
