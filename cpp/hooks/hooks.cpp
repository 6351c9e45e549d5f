// Event, Client, Deferral and Dispatcher.

#include "hooks/dispatcher.hpp"

namespace comqtt::hooks {

const char* event_name(EventId id) {
    static constexpr const char* kNames[] = {
#define COMQTT_EVENT(name, kind) #name,
#include "hooks/events.def"
#undef COMQTT_EVENT
    };
    return id < EventId::count ? kNames[static_cast<unsigned>(id)] : "unknown";
}

Event::Event(EventId id, int64_t time_ms, Client* client, PacketBox* packet, DeferralSource* deferrals)
    : id_(id), time_ms_(time_ms), client_(client), packet_(packet), deferrals_(deferrals) {}

Event::~Event() {
    if (deferral_) deferral_->cancel(Deferral::State::cancelled);
}

Ref<Deferral> Event::take_deferral() { return std::exchange(deferral_, {}); }

Deferral* Event::defer() {
    if (deferral_ || !deferrals_ || !client_) return deferral_.get();
    deferral_ = deferrals_->make_deferral(*client_, packet_);
    if (deferral_ && packet_ && id_ == EventId::on_publish) deferral_->keep_untouched(copy_of(*packet_));
    return deferral_.get();
}

void Event::reset() {
    has_reason_ = failed_ = for_all_topics_ = false;
    reason_ = mqtt::Reason::success;
    reason_text_.clear();
    failure_.clear();
    if (deferral_) deferral_->cancel(Deferral::State::cancelled);
    deferral_ = {};
}

Client::~Client() { set_user_data(nullptr, nullptr); }

namespace {
/// One lock for the user pointers of all clients: they change rarely, and a lock each would cost 40 bytes.
Mutex user_data_mutex;
}  // namespace

void Client::set_user_data(void* data, void (*drop)(void*)) {
    void* old_data;
    void (*old_drop)(void*);
    {
        const Lock lock(user_data_mutex);
        old_data = std::exchange(user_data_, data);
        old_drop = std::exchange(user_drop_, drop);
    }
    if (old_drop) old_drop(old_data);
}

void* Client::user_data() const {
    const Lock lock(user_data_mutex);
    return user_data_;
}

Deferral::~Deferral() {
    for (const auto& listener : listeners_)
        if (listener.drop) listener.drop(listener.user);
}

Status Deferral::complete(DeferralResult result) {
    {
        const Lock lock(mutex_);
        switch (state_.load(std::memory_order_relaxed)) {
            case State::completed: return Status::state;
            case State::cancelled: return Status::cancelled;
            case State::expired: return Status::timeout;
            case State::pending: break;
        }
        result_ = std::move(result);
        state_.store(State::completed, std::memory_order_release);
    }
    if (wake_) wake_(*this);
    return Status::ok;
}

bool Deferral::cancel(State why) {
    std::vector<Listener> listeners;
    {
        const Lock lock(mutex_);
        if (state_.load(std::memory_order_relaxed) != State::pending) return false;
        state_.store(why, std::memory_order_release);
        listeners.swap(listeners_);
    }
    for (const auto& listener : listeners) {
        listener.fn(listener.user);
        if (listener.drop) listener.drop(listener.user);
    }
    return true;
}

void Deferral::on_cancel(void (*fn)(void*), void* user, void (*drop)(void*)) {
    {
        const Lock lock(mutex_);
        const State state = state_.load(std::memory_order_relaxed);
        if (state == State::pending) {
            listeners_.push_back({fn, user, drop});
            return;
        }
        if (state == State::completed) fn = nullptr;
    }
    if (fn) fn(user);
    if (drop) drop(user);
}

Result<uint64_t> Dispatcher::add(std::shared_ptr<Hook> hook) {
    if (auto started = hook->init(); !started) {
        Error error = started.take_error();
        error.message = fmt::format("hook '{}': {}", hook->id(), error.message);
        return error;
    }
    const EventMask events = hook->events();
    {
        const Lock lock(mutex_);
        if (!closed_) {
            const uint64_t handle = next_handle_++;
            list_ = std::make_shared<List>(
                list_->with({handle, std::move(hook), events, std::make_shared<std::once_flag>()}));
            version_.fetch_add(1, std::memory_order_release);
            mask_.fetch_or(events, std::memory_order_relaxed);
            return handle;
        }
    }
    hook->stop();
    return Error{Status::closed, "the server has stopped"};
}

Dispatcher::Entry Dispatcher::remove(uint64_t handle) {
    const Lock lock(mutex_);
    Entry removed;
    List rest = list_->without(handle, removed);
    if (removed.hook) {
        leaving_.push_back(removed);
        list_ = std::make_shared<List>(std::move(rest));
        version_.fetch_add(1, std::memory_order_release);
        if (!closed_) mask_.store(list_->events(), std::memory_order_relaxed);
    }
    return removed;
}

void Dispatcher::end(const Entry& entry) {
    std::call_once(*entry.ended, [&] { entry.hook->stop(); });
    const Lock lock(mutex_);
    std::erase_if(leaving_, [&](const Entry& each) { return each.handle == entry.handle; });
}

void Dispatcher::end_all() {
    std::vector<Entry> all;
    {
        const Lock lock(mutex_);
        closed_ = true;
        mask_.store(0, std::memory_order_relaxed);
        for (const Entry& entry : *list_) all.push_back(entry);
        all.insert(all.end(), leaving_.begin(), leaving_.end());
    }
    for (const Entry& entry : all) end(entry);
}

std::shared_ptr<const Dispatcher::List> Dispatcher::list() const {
    const Lock lock(mutex_);
    return list_;
}

void Dispatcher::ask_stores(Load& load, int64_t wall_ms) const {
    const EventId id = load.request().session ? EventId::load_session : EventId::load_messages;
    const auto hooks = list();
    for (const auto& entry : *hooks) {
        if (!(entry.events & mask_of(id))) continue;
        Event event(id, wall_ms);
        Status status = id == EventId::load_session ? entry.hook->load_session(event, load)
                                                    : entry.hook->load_messages(event, load);
        if (event.failed()) {
            report_failure(event, *entry.hook);
            status = Status::callback;
        }
        if (status == Status::not_found) continue;
        if (status != Status::pending) load.complete(status, event.failure());
        return;
    }
    load.complete(Status::not_found);
}

void Dispatcher::renew_list(HookView& view) const {
    std::shared_ptr<const void> old =
        view.list_;  // let go of behind the lock: the end of a hook calls its owner
    const Lock lock(mutex_);
    if (view.depth_ && old) view.old_.push_back(std::move(old));
    view.list_ = list_;
    view.version_ = version_.load(std::memory_order_relaxed);
}

void Dispatcher::report_failure(const Event& event, const Hook& hook) const {
    failures_.fetch_add(1, std::memory_order_relaxed);
    if (!log_ || !log_->enabled(LogLevel::error)) return;
    uint64_t held_back = 0;
    {
        const Lock lock(failures_mutex_);
        if (!failures_log_.allow(event.time_ms(), held_back)) return;
    }
    log_->write(LogLevel::error, "hooks", "hook '{}' failed in {}{}{}{}: {}{}", hook.id(),
                event_name(event.id()), event.client() ? " for client '" : "",
                event.client() ? event.client()->id : "", event.client() ? "'" : "", event.failure(),
                held_back ? fmt::format("; {} more such lines were held back", held_back) : "");
}

}  // namespace comqtt::hooks
