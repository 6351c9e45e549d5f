// Life of a server: create, restore, start, stop, and the manual clock.

#include "server/server_impl.hpp"

#include <algorithm>
#include <future>

#include "base/thread.hpp"
#include "broker/shard.hpp"
#include "broker/snapshot.hpp"
#include "server/restoring.hpp"
#include "storage/sqlite_store.hpp"

namespace comqtt::server {

using broker::Shard;
using hooks::EventId;

Result<std::unique_ptr<Server>> Server::create(Options options) {
    return std::unique_ptr<Server>(std::make_unique<ServerImpl>(std::move(options)));
}

ServerImpl::ServerImpl(Options options) : options_(std::move(options)) {
    if (options_.threads == 0)
        options_.threads = std::clamp<uint32_t>(std::thread::hardware_concurrency(), 1, 64);
    const bool manual = options_.clock == ClockKind::manual;
    if (manual) {
        manual_clock_ = std::make_shared<ManualClock>();
        clock_ = manual_clock_;
    } else {
        clock_ = std::make_shared<SystemClock>();
    }
    core_ = std::make_unique<broker::Core>(options_.broker, Log(options_.log, options_.log_level), clock_,
                                           loops_, options_.threads);
    for (unsigned i = 0; i < options_.threads; ++i)
        core_->shards.push_back(std::make_unique<Shard>(*core_, i, options_.client_write_buffer_size));
    for (unsigned i = 0; i < options_.threads; ++i)
        loops_.loops.push_back(std::make_unique<net::Loop>(loops_, *core_->shards[i],
                                                           options_.client_read_buffer_size, !manual));
    inline_client_ = Ref<hooks::Client>::adopt(new hooks::Client);
    inline_client_->id = "inline";
    inline_client_->listener = "local";
    inline_client_->remote = "local";
    inline_client_->is_inline = true;
    inline_client_->connected = true;
}

ServerImpl::~ServerImpl() {
    stop(1000);
    wait(-1);
    if (stopper_.joinable()) stopper_.join();
    listeners_.clear();
    loops_.loops.clear();
}

bool ServerImpl::in_callback() const {
    return broker::CallbackScope::inside(*core_) || CallbackMark::inside(static_cast<const Server*>(this)) ||
           on_some_loop();
}

bool ServerImpl::on_loop(unsigned shard) const { return loops_.loops[shard]->on_thread(); }

bool ServerImpl::on_some_loop() const {
    return std::any_of(loops_.loops.begin(), loops_.loops.end(),
                       [](const auto& loop) { return loop->on_thread(); });
}

bool ServerImpl::run_on(unsigned shard, const std::function<void(Shard&)>& task) const {
    const auto offline = [&] {
        const Lock lock(lifecycle_);
        return !threads_running_ && state() != State::starting;
    };
    while (offline()) {
        if (in_callback() || offline_.mine()) return false;
        const OfflineTurn::Taken turn(offline_);
        if (!offline()) continue;  // it was started meanwhile
        core_->shards[shard]->begin_round();
        task(*core_->shards[shard]);
        drain_offline();
        return true;
    }
    {
        const Lock lock(lifecycle_);
        if (!threads_running_) return false;
    }
    if (on_some_loop()) return false;  // effects come behind the current event
    auto done = std::make_shared<std::promise<void>>();
    auto finished = done->get_future();
    // Held by the task alone: where that is thrown away unrun, the promise breaks.
    if (!core_->mailboxes[shard]->post([done = std::move(done), task](Shard& s) {
            task(s);
            done->set_value();
        }))
        return false;
    try {
        finished.get();
    } catch (const std::future_error&) {
        return false;  // the shard ended first
    }
    return true;
}

bool ServerImpl::look_at(unsigned shard, const std::function<void(Shard&)>& task) const {
    bool here = offline_.mine();
    if (!here) {
        const Lock lock(lifecycle_);
        here = threads_running_ && on_loop(shard);
    }
    if (!here) return run_on(shard, task);
    task(*core_->shards[shard]);
    return true;
}

void ServerImpl::drain_offline() const {
    for (bool idle = false; !idle;) {
        idle = true;
        for (unsigned i = 0; i < core_->shards.size(); ++i) {
            if (core_->mailboxes[i]->idle()) continue;
            idle = false;
            core_->shards[i]->read_mail();
        }
    }
}

Result<void> ServerImpl::start_threads() {
    const Lock lock(lifecycle_);
    if (stop_requested_) return Error{Status::closed, "the server was stopped while it started"};
    try {
        for (auto& loop : loops_.loops) loop->start();
    } catch (const std::system_error& failure) {
        for (auto& loop : loops_.loops) loop->stop();
        for (auto& loop : loops_.loops) loop->join();
        return Error{Status::internal, fmt::format("no thread can be had: {}", failure.what())};
    }
    threads_running_ = true;
    state_ = State::running;
    for (auto& [id, slot] : listeners_)
        if (slot.socket) slot.socket->start();
    return {};
}

void ServerImpl::close_listeners() {
    for (auto& [id, slot] : listeners_)
        if (slot.socket) slot.socket->close();
}

Result<void> ServerImpl::start() {
    {
        const Lock lock(lifecycle_);
        if (state() != State::created) return Error{Status::state, "the server was started before"};
        state_ = State::starting;
    }
    Result<void> started;
    {
        const OfflineTurn::Taken turn(offline_);
        {
            const CallbackMark mark(static_cast<Server*>(this));
            started = add_store();
            if (started) started = restore();
        }
        if (started) started = start_threads();
        if (!started) give_up_start();
    }
    {
        const Lock lock(lifecycle_);
        changed_.notify_all();
    }
    if (started) run_on(0, [](Shard& shard) { shard.start(); });
    return started;
}

void ServerImpl::give_up_start() {
    {
        const Lock lock(lifecycle_);
        state_ = State::stopping;
        close_listeners();
    }
    for (const auto& mailbox : core_->mailboxes) mailbox->close();
    end_hooks();
    become_stopped();
}

Status ServerImpl::stop(int64_t drain_ms) {
    const int64_t drain = std::max<int64_t>(drain_ms, 0);
    {
        const Lock lock(lifecycle_);
        switch (state()) {
            case State::starting: stop_requested_ = true; return Status::ok;
            case State::stopping: drain_ms_ = std::min(drain_ms_.load(), drain); return Status::ok;
            case State::stopped: return Status::ok;
            case State::created:
            case State::running: break;
        }
        const bool unstarted = state() == State::created;
        state_ = State::stopping;
        drain_ms_ = drain;
        close_listeners();
        // Hooks of a server that never ran are told on this thread, unless it is in a callback, or would wait for one.
        const bool here = unstarted && !in_callback() && offline_.try_take();
        if (!here) {
            stopper_ = start_thread("stop", [this, unstarted] {
                const CallbackMark mark(static_cast<Server*>(this));
                if (unstarted) {
                    offline_.take();
                    stop_unstarted();
                } else {
                    run_stop();
                }
            });
            return Status::ok;
        }
    }
    stop_unstarted();
    return Status::ok;
}

void ServerImpl::stop_unstarted() {
    for (const auto& mailbox : core_->mailboxes) mailbox->close();
    end_hooks();
    offline_.give_back();
    become_stopped();
}

void ServerImpl::end_hooks() {
    const CallbackMark mark(static_cast<Server*>(this));
    core_->hooks.end_all();
}

void ServerImpl::become_stopped() {
    const Lock lock(lifecycle_);
    threads_running_ = false;
    state_ = State::stopped;
    changed_.notify_all();
}

void ServerImpl::run_stop() {
    using namespace std::chrono;
    const auto started = steady_clock::now();
    const auto wait_for_none = [&](auto&& over) {
        while (core_->connections.load() && !over()) std::this_thread::sleep_for(milliseconds(1));
        return core_->connections.load() == 0;
    };
    for (unsigned i = 0; i < core_->shards.size(); ++i)
        run_on(i, [drain_ms = drain_ms_.load()](Shard& shard) { shard.shut_down(drain_ms); });
    // Called again, stop() may shorten the time.
    if (!wait_for_none([&] { return steady_clock::now() - started >= milliseconds(drain_ms_.load()); })) {
        for (unsigned i = 0; i < core_->shards.size(); ++i)
            run_on(i, [](Shard& shard) { shard.terminate(); });
        wait_for_none([until = steady_clock::now() + seconds(1)] { return steady_clock::now() >= until; });
    }
    for (unsigned i = 0; i < core_->shards.size(); ++i) run_on(i, [](Shard& shard) { shard.terminate(); });
    run_on(0, [](Shard& shard) { shard.finish(); });
    for (auto& loop : loops_.loops) loop->stop();
    for (auto& loop : loops_.loops) loop->join();
    for (const auto& mailbox : core_->mailboxes) mailbox->close();
    end_hooks();
    become_stopped();
}

Status ServerImpl::wait(int64_t timeout_ms) {
    if (in_callback()) return Status::reentrant;
    Lock lock(lifecycle_);
    if (state() == State::created || state() == State::starting) return Status::state;
    const auto stopped = [&] { return state() == State::stopped; };
    constexpr int64_t kForever = int64_t{1} << 40;  // the sum of a longer one and now is no time
    if (timeout_ms < 0 || timeout_ms > kForever) {
        lock.wait(changed_, stopped);
    } else if (!lock.wait_for(changed_, std::chrono::milliseconds(timeout_ms), stopped)) {
        return Status::timeout;
    }
    return Status::ok;
}

/// Waits until nothing is left to do without time; false when the server stops meanwhile.
bool ServerImpl::settle() {
    int quiet = 0;
    while (quiet < 2) {
        bool idle = true;
        for (auto& loop : loops_.loops) {
            const auto done = std::make_shared<std::promise<bool>>();
            auto finished = done->get_future();
            loop->post([&loop = *loop, done] {
                loop.round();
                done->set_value(loop.idle());
            });
            // A loop that ends first never gets there.
            while (finished.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready)
                if (state() != State::running) return false;
            idle = finished.get() && idle;
        }
        for (const auto& mailbox : core_->mailboxes) idle = mailbox->idle() && idle;
        quiet = idle ? quiet + 1 : 0;
    }
    return true;
}

Status ServerImpl::advance(int64_t ms) {
    if (!manual_clock_ || ms < 0) return manual_clock_ ? Status::invalid_argument : Status::state;
    if (in_callback()) return Status::reentrant;
    const Lock lock(advance_mutex_);
    if (state() != State::running) return Status::state;
    if (ms > (int64_t{1} << 52)) return Status::invalid_argument;
    const int64_t target = manual_clock_->monotonic_ms() + ms;
    if (!settle()) return Status::state;
    for (;;) {
        int64_t next = target;
        for (unsigned i = 0; i < core_->shards.size(); ++i)
            run_on(i, [&](Shard& shard) { next = std::min(next, shard.next_deadline_ms()); });
        manual_clock_->set(std::max(next, manual_clock_->monotonic_ms()));
        if (!settle()) return Status::state;
        if (next >= target) return Status::ok;
    }
}

int64_t ServerImpl::now_unix_ms() const { return clock_->wall_ms(); }
int64_t ServerImpl::monotonic_ms() const { return clock_->monotonic_ms(); }

Result<void> ServerImpl::ready() const {
    if (state() != State::running) return Error{Status::state, "the server is not running"};
    if (auto healthy = core_->store_health.check(); !healthy) return healthy;
    const int64_t slow = options_.broker.limits.slow_store_ms;
    for (const auto& shard : core_->shards) {
        const int64_t since = shard->uncommitted_since_ms();
        if (since != INT64_MAX && clock_->monotonic_ms() - since > slow)
            return Error{Status::storage, fmt::format("a commit has been under way for {} ms",
                                                      clock_->monotonic_ms() - since)};
    }
    return {};
}

MetricsSnapshot ServerImpl::metrics() const { return broker::take_snapshot(*core_); }

Result<uint64_t> ServerImpl::add_hook(std::shared_ptr<hooks::Hook> hook) {
    if (state() == State::stopping || state() == State::stopped)
        return Error{Status::closed, "the server has stopped"};
    Result<uint64_t> added = [&] {
        const CallbackMark mark(static_cast<Server*>(this));
        return core_->hooks.add(std::move(hook));
    }();
    clear_acl_cache();
    if (state() == State::created) run_on(0, [](Shard&) {});  // what init asked for
    return added;
}

Status ServerImpl::remove_hook(uint64_t handle) {
    const bool inside = in_callback();
    if (!inside) {
        // What runs on the thread that starts the server cannot be waited for in another way.
        Lock lock(lifecycle_);
        lock.wait(changed_, [&]() COMQTT_REQUIRES(lifecycle_) { return state() != State::starting; });
    }
    const auto entry = core_->hooks.remove(handle);
    if (!entry.hook) return Status::not_found;
    clear_acl_cache();
    if (!inside) {
        for (unsigned i = 0; i < core_->shards.size(); ++i)
            run_on(i, [](Shard& shard) { shard.renew_hooks(); });
        const CallbackMark mark(static_cast<Server*>(this));
        core_->hooks.end(entry);
        return Status::ok;
    }
    // The last shard to pass this point knows that no call is left. Where none comes by any more, end_all() does it.
    const auto left = std::make_shared<std::atomic<size_t>>(core_->shards.size());
    for (const auto& mailbox : core_->mailboxes)
        mailbox->post([this, entry, left](Shard& shard) {
            shard.renew_hooks();
            if (left->fetch_sub(1) != 1) return;
            const CallbackMark mark(static_cast<Server*>(this));
            core_->hooks.end(entry);
        });
    return Status::ok;
}

void ServerImpl::clear_acl_cache() { core_->acl_epoch.fetch_add(1, std::memory_order_relaxed); }

/// The built-in store is a hook like any other, behind those of the host.
Result<void> ServerImpl::add_store() {
    if (options_.storage_way != StorageWay::sqlite) return {};
    storage::StoreConfig config = options_.store;
    config.log = core_->log;
    config.counters |= options_.broker.compatibilities.restore_sys_info_restart;
    auto added = core_->hooks.add(storage::make_sqlite_store(std::move(config)));
    if (added) return {};
    // The options speak of a store, not of a hook.
    Error error = added.take_error();
    constexpr std::string_view kPrefix = "hook 'sqlite': ";
    if (error.message.starts_with(kPrefix)) error.message.erase(0, kPrefix.size());
    return error;
}

Result<void> ServerImpl::restore() {
    if (auto restored = restore_stored_state(*core_); !restored) return restored;
    const auto hooks_list = core_->hooks.list();
    for (const auto& entry : *hooks_list) {
        if (!(entry.events & hooks::mask_of(EventId::stored_sys_info))) continue;
        hooks::Event event(EventId::stored_sys_info, clock_->wall_ms());
        MetricsSnapshot stored;
        if (entry.hook->stored_sys_info(event, stored) != Status::ok) continue;
        if (options_.broker.compatibilities.restore_sys_info_restart) {
            Metrics& first = core_->shards[0]->metrics();
            first.bytes_received.add(static_cast<uint64_t>(stored.bytes_received));
            first.bytes_sent.add(static_cast<uint64_t>(stored.bytes_sent));
            first.packets_received.add(static_cast<uint64_t>(stored.packets_received));
            first.packets_sent.add(static_cast<uint64_t>(stored.packets_sent));
            first.messages_received.add(static_cast<uint64_t>(stored.messages_received));
            first.messages_sent.add(static_cast<uint64_t>(stored.messages_sent));
            first.messages_dropped.add(static_cast<uint64_t>(stored.messages_dropped));
            core_->maximum_connected = static_cast<uint64_t>(stored.clients_maximum);
        }
        break;
    }
    return {};
}

}  // namespace comqtt::server
