// Life of a server: create, restore, start, stop, and the manual clock.

#include "server/server_impl.hpp"

#include <algorithm>
#include <future>

#include "base/thread.hpp"
#include "broker/shard.hpp"
#include "broker/snapshot.hpp"
#include "server/restoring.hpp"

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
    const Shard* shard = broker::current_callback_shard();
    return shard && &const_cast<Shard*>(shard)->core() == core_.get();
}

bool ServerImpl::on_loop(unsigned shard) const { return loops_.loops[shard]->on_thread(); }

bool ServerImpl::run_on(unsigned shard, const std::function<void(Shard&)>& task) const {
    {
        const std::lock_guard lock(lifecycle_);
        if (!threads_running_) {
            if (state() == State::starting) return false;
            task(*core_->shards[shard]);
            return true;
        }
    }
    if (on_loop(shard)) {
        task(*core_->shards[shard]);
        return true;
    }
    if (in_callback()) return false;
    const auto done = std::make_shared<std::promise<void>>();
    auto finished = done->get_future();
    if (!core_->mailboxes[shard]->post([done, task](Shard& s) {
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

Result<void> ServerImpl::start() {
    {
        const std::lock_guard lock(lifecycle_);
        if (state() != State::created) return Error{Status::state, "the server was started before"};
        state_ = State::starting;
    }
    auto restored = add_store();
    if (restored) restored = restore();
    if (!restored) {
        const std::lock_guard lock(lifecycle_);
        for (auto& [id, slot] : listeners_)
            if (slot.socket) slot.socket->close();
        state_ = State::stopped;
        changed_.notify_all();
        return restored;
    }
    {
        const std::lock_guard lock(lifecycle_);
        for (auto& loop : loops_.loops) loop->start();
        threads_running_ = true;
        state_ = State::running;
        for (auto& [id, slot] : listeners_)
            if (slot.socket) slot.socket->start();
    }
    run_on(0, [](Shard& shard) { shard.start(); });
    return {};
}

Status ServerImpl::stop(int64_t drain_ms) {
    const std::lock_guard lock(lifecycle_);
    switch (state()) {
        case State::starting: return Status::state;
        case State::stopping:
        case State::stopped: return Status::ok;
        case State::created:
            for (const auto& entry : *core_->hooks.list()) entry.hook->stop();
            for (auto& [id, slot] : listeners_)
                if (slot.socket) slot.socket->close();
            state_ = State::stopped;
            changed_.notify_all();
            return Status::ok;
        case State::running: break;
    }
    state_ = State::stopping;
    for (auto& [id, slot] : listeners_)
        if (slot.socket) slot.socket->close();
    stopper_ = start_thread("stop", [this, drain_ms] { run_stop(std::max<int64_t>(drain_ms, 0)); });
    return Status::ok;
}

void ServerImpl::run_stop(int64_t drain_ms) {
    using namespace std::chrono;
    const auto wait_for_none = [&](milliseconds limit) {
        const auto until = steady_clock::now() + limit;
        while (core_->connections.load() && steady_clock::now() < until)
            std::this_thread::sleep_for(milliseconds(1));
        return core_->connections.load() == 0;
    };
    for (unsigned i = 0; i < core_->shards.size(); ++i)
        run_on(i, [drain_ms](Shard& shard) { shard.shut_down(drain_ms); });
    if (!wait_for_none(milliseconds(drain_ms))) {
        for (unsigned i = 0; i < core_->shards.size(); ++i)
            run_on(i, [](Shard& shard) { shard.terminate(); });
        wait_for_none(seconds(1));
    }
    for (unsigned i = 0; i < core_->shards.size(); ++i) run_on(i, [](Shard& shard) { shard.terminate(); });
    run_on(0, [](Shard& shard) { shard.finish(); });
    for (auto& loop : loops_.loops) loop->stop();
    for (auto& loop : loops_.loops) loop->join();
    for (const auto& mailbox : core_->mailboxes) mailbox->close();
    for (const auto& entry : *core_->hooks.list()) entry.hook->stop();
    const std::lock_guard lock(lifecycle_);
    threads_running_ = false;
    state_ = State::stopped;
    changed_.notify_all();
}

Status ServerImpl::wait(int64_t timeout_ms) {
    if (in_callback()) return Status::reentrant;
    std::unique_lock lock(lifecycle_);
    if (state() == State::created || state() == State::starting) return Status::state;
    const auto stopped = [&] { return state() == State::stopped; };
    constexpr int64_t kForever = int64_t{1} << 40;  // the sum of a longer one and now is no time
    if (timeout_ms < 0 || timeout_ms > kForever) {
        changed_.wait(lock, stopped);
    } else if (!changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), stopped)) {
        return Status::timeout;
    }
    return Status::ok;
}

void ServerImpl::settle() {
    int quiet = 0;
    while (quiet < 2) {
        bool idle = true;
        for (auto& loop : loops_.loops) {
            std::promise<bool> done;
            auto finished = done.get_future();
            loop->post([&] {
                loop->round();
                done.set_value(loop->shard().idle());
            });
            idle = finished.get() && idle;
        }
        for (const auto& mailbox : core_->mailboxes) idle = mailbox->idle() && idle;
        quiet = idle ? quiet + 1 : 0;
    }
}

Status ServerImpl::advance(int64_t ms) {
    if (!manual_clock_ || ms < 0) return manual_clock_ ? Status::invalid_argument : Status::state;
    if (in_callback()) return Status::reentrant;
    const std::lock_guard lock(advance_mutex_);
    if (state() != State::running) return Status::state;
    if (ms > (int64_t{1} << 52)) return Status::invalid_argument;
    const int64_t target = manual_clock_->monotonic_ms() + ms;
    settle();
    for (;;) {
        int64_t next = target;
        for (unsigned i = 0; i < core_->shards.size(); ++i)
            run_on(i, [&](Shard& shard) { next = std::min(next, shard.next_deadline_ms()); });
        manual_clock_->set(std::max(next, manual_clock_->monotonic_ms()));
        settle();
        if (next >= target) return Status::ok;
    }
}

int64_t ServerImpl::now_unix_ms() const { return clock_->wall_ms(); }

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
    auto added = core_->hooks.add(std::move(hook));
    clear_acl_cache();
    return added;
}

Status ServerImpl::remove_hook(uint64_t handle) {
    const auto hook = core_->hooks.remove(handle);
    if (!hook) return Status::not_found;
    clear_acl_cache();
    if (state() == State::stopped) return Status::ok;  // its stop() was called when the server stopped
    if (in_callback()) {
        // The last shard to pass this point knows that no call is left.
        const auto left = std::make_shared<std::atomic<size_t>>(core_->shards.size());
        for (const auto& mailbox : core_->mailboxes)
            mailbox->post([hook, left](Shard&) {
                if (left->fetch_sub(1) == 1) hook->stop();
            });
        return Status::ok;
    }
    for (unsigned i = 0; i < core_->shards.size(); ++i) run_on(i, [](Shard&) {});
    hook->stop();
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
    if (!added) return added.take_error();
    return {};
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
