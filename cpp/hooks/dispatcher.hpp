#pragma once
// Dispatcher: the hooks of one server in the order added, and one mask that tells whether any of them wants an
// event. Adding and removing copies the list; calling takes a snapshot.

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "hooks/hook.hpp"

namespace comqtt::hooks {

class Dispatcher {
public:
    struct Entry {
        uint64_t handle = 0;
        std::shared_ptr<Hook> hook;
        EventMask events = 0;
        std::shared_ptr<std::once_flag> ended;  ///< its stop was called
    };
    using List = std::vector<Entry>;

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

    /// Calls fn(hook) for each hook that wants the event, in order.
    template <typename F>
    void each(EventId id, F&& fn) const {
        if (!wants(id)) return;
        const auto hooks = list();
        for (const auto& entry : *hooks)
            if (entry.events & mask_of(id)) fn(*entry.hook);
    }

    /// Asks from the hook at `position` on; stops at the first ALLOW, DENY or PENDING and leaves `position` at the
    /// hook after the one that answered. All NEXT = deny.
    template <typename F>
    Verdict ask(Event& event, size_t& position, F&& fn) const {
        return static_cast<Verdict>(run(event, position, static_cast<int>(Verdict::deny),
                                        [&](Hook& hook) { return static_cast<int>(fn(hook)); }));
    }
    /// The same for actions: stops at the first answer that is not proceed.
    template <typename F>
    Action act(Event& event, size_t& position, F&& fn) const {
        return static_cast<Action>(run(event, position, static_cast<int>(Action::proceed),
                                       [&](Hook& hook) { return static_cast<int>(fn(hook)); }));
    }
    /// Asks one store after the other until one answers or is going to; none has it = not_found. `load` is completed
    /// by then or later.
    void ask_stores(Load& load, int64_t wall_ms) const;
    /// Logs what a callback reported through Event::fail.
    void report_failure(const Event& event, const Hook& hook) const;

private:
    template <typename F>
    int run(Event& event, size_t& position, int otherwise, F&& fn) const {
        if (!wants(event.id())) return otherwise;
        const auto hooks = list();
        bool first = position == 0;
        while (position < hooks->size()) {
            const Entry& entry = (*hooks)[position++];
            if (!(entry.events & mask_of(event.id()))) continue;
            event.reset();
            const int answer = fn(*entry.hook);
            if (!std::exchange(first, false)) event.asked_before();
            if (event.failed()) {
                report_failure(event, *entry.hook);
                continue;
            }
            if (answer != 0) return answer;
        }
        event.reset();  // the answer is nobody's, and so are its reasons
        return otherwise;
    }

    std::atomic<EventMask> mask_{0};
    mutable std::mutex mutex_;
    std::shared_ptr<const List> list_ = std::make_shared<List>();
    std::vector<Entry> leaving_;  ///< removed, not ended yet
    bool closed_ = false;
    uint64_t next_handle_ = 1;
    const Log* log_ = nullptr;
};

}  // namespace comqtt::hooks
