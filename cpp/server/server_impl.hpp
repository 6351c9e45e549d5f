#pragma once
// ServerImpl: wires options, shards, loops, listeners and hooks, and runs the start and stop sequences.

#include <condition_variable>
#include <map>
#include <thread>

#include "base/mutex.hpp"
#include "broker/core.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"
#include "server/callback_mark.hpp"
#include "server/offline_turn.hpp"
#include "server/server.hpp"

namespace comqtt::server {

class ServerImpl final : public Server {
public:
    explicit ServerImpl(Options options);
    ~ServerImpl() override;

    const Options& options() const override { return options_; }
    State state() const override { return state_.load(std::memory_order_acquire); }
    Result<void> start() override;
    Status stop(int64_t drain_ms) override;
    Status wait(int64_t timeout_ms) override;
    bool in_callback() const override;
    Status advance(int64_t ms) override;
    int64_t now_unix_ms() const override;
    int64_t monotonic_ms() const override;

    Result<void> listen(ListenerConfig config) override;
    Result<void> unlisten(std::string_view id, bool disconnect_clients) override;
    Result<ListenerInfo> listener(std::string_view id) const override;
    std::vector<ListenerInfo> listeners() const override;
    Result<void> adopt(std::string_view listener_id, int fd, std::string_view remote) override;
    Result<Ref<Pipe>> open_pipe(std::string_view listener_id, std::string_view remote) override;

    Result<uint64_t> add_hook(std::shared_ptr<hooks::Hook> hook) override;
    Status remove_hook(uint64_t handle) override;
    void clear_acl_cache() override;

    Ref<hooks::Client> client(std::string_view id) const override;
    std::vector<Ref<hooks::Client>> clients() const override;
    Status disconnect(const hooks::Client& client, mqtt::Reason reason) override;
    Status expire(const hooks::Client& client) override;
    Status send(const hooks::Client& client, const mqtt::Packet& packet) override;
    std::vector<hooks::StoredSubscription> subscriptions(const hooks::Client& client) const override;
    Status block_client(std::string_view id) override;
    Status unblock_client(std::string_view id) override;
    std::vector<std::string> blocked_clients() const override;

    Result<void> publish(std::string_view topic, ByteView payload, uint8_t qos, bool retain) override;
    Result<void> publish(const mqtt::Packet& packet) override;
    Result<uint64_t> subscribe(std::string_view filter, uint8_t qos, uint32_t identifier,
                               InlineHandler handler) override;
    Status unsubscribe(uint64_t token) override;
    Result<Ref<hooks::Client>> new_inline_client(std::string_view id) override;
    Result<void> inject(const hooks::Client& client, const mqtt::Packet& packet) override;

    std::vector<mqtt::MessageRef> retained(std::string_view filter) const override;
    Status clear_retained(std::string_view topic) override;
    MetricsSnapshot metrics() const override;
    Result<void> ready() const override;

private:
    /// A listener of any kind; `socket` is null for a pipe listener.
    struct Slot {
        ListenerConfig config;
        std::shared_ptr<net::Listener> socket;
        net::ConnectionCount count;
    };
    struct InlineSubscription {
        unsigned shard = 0;
        std::shared_ptr<uint64_t> session;  ///< written on the shard's thread
        std::shared_ptr<std::atomic<bool>> live;
    };

    Result<void> add_store();
    Result<void> restore();
    Result<void> open(Slot& slot) COMQTT_REQUIRES(lifecycle_);
    ListenerInfo info(const Slot& slot) const;
    /// Begins the threads; an error when there are none to be had.
    Result<void> start_threads();
    /// What a failed start leaves: hooks hear of the end, nothing runs.
    void give_up_start();
    void close_listeners() COMQTT_REQUIRES(lifecycle_);
    void run_stop();
    void stop_unstarted();
    void end_hooks();
    void become_stopped();
    Result<void> post_packet(const Ref<hooks::Client>& client, mqtt::Packet packet);
    Status post_to_session(const hooks::Client& client, std::function<void(broker::Shard&, uint64_t)> task);
    bool on_loop(unsigned shard) const;
    bool on_some_loop() const;
    /// Runs the task on the shard's thread and waits; directly when no thread runs. False when it cannot, inside a
    /// callback or while the server starts or ends: the task may be posted then.
    bool run_on(unsigned shard, const std::function<void(broker::Shard&)>& task) const;
    /// The same for a task that calls nobody: inside a callback of that shard it runs at once.
    bool look_at(unsigned shard, const std::function<void(broker::Shard&)>& task) const;
    /// Without threads, in this thread's turn: what was posted meanwhile.
    void drain_offline() const;
    bool settle();

    Options options_;
    std::shared_ptr<Clock> clock_;
    std::shared_ptr<ManualClock> manual_clock_;
    net::Loops loops_;
    std::unique_ptr<broker::Core> core_;
    Ref<hooks::Client> inline_client_;

    std::atomic<State> state_{State::created};
    mutable Mutex lifecycle_;  ///< start, stop, listeners; nothing is called back under it
    mutable OfflineTurn offline_;
    std::condition_variable changed_;
    bool threads_running_ COMQTT_GUARDED_BY(lifecycle_) = false;
    bool stop_requested_ COMQTT_GUARDED_BY(lifecycle_) = false;  ///< while it starts
    std::thread stopper_;
    std::atomic<int64_t> drain_ms_{0};  ///< that clients get when the server stops
    std::map<std::string, Slot, std::less<>> listeners_ COMQTT_GUARDED_BY(lifecycle_);
    Mutex advance_mutex_;

    mutable Mutex inline_mutex_;
    std::map<uint64_t, InlineSubscription> inline_subscriptions_ COMQTT_GUARDED_BY(inline_mutex_);
    uint64_t next_token_ COMQTT_GUARDED_BY(inline_mutex_) = 1;
};

}  // namespace comqtt::server
