#pragma once
// Server: a broker with its shards, threads and listeners. What capi/ stands on. Every method may be called from
// any thread unless it says otherwise; none blocks on hooks but start, wait, advance, remove_hook and the destructor.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.hpp"
#include "base/pipe.hpp"
#include "base/result.hpp"
#include "hooks/dispatcher.hpp"
#include "mqtt/message.hpp"
#include "server/options.hpp"

namespace comqtt::server {

enum class State : int { created, starting, running, stopping, stopped };

enum class ListenerKind : int { tcp = 1, unix_socket = 2, pipe = 3 };

struct ListenerConfig {
    std::string id;
    ListenerKind kind = ListenerKind::tcp;
    std::string address;  ///< "host:port", ":port", "[v6]:port"; path for a unix socket
    int fd = -1;          ///< >= 0: an already listening socket, owned by the server on success
    int backlog = 1024;
};

struct ListenerInfo {
    std::string id;
    std::string protocol;  ///< "tcp", "unix", "pipe"
    std::string address;   ///< as bound, with the real port
    uint16_t port = 0;
    uint64_t connections = 0;
};

using comqtt::Pipe;

struct InlineMessage {
    hooks::Client& client;  ///< the inline client that subscribed
    uint64_t subscription;  ///< token
    uint32_t identifier;
    hooks::PacketBox& packet;  ///< frozen
};
using InlineHandler = std::function<void(const InlineMessage&)>;

class Server {
public:
    static Result<std::unique_ptr<Server>> create(Options options);
    /// Stops, waits and frees. Not from a callback.
    virtual ~Server() = default;

    virtual const Options& options() const = 0;
    virtual State state() const = 0;
    /// Returns when accepting. On error everything is closed again and the server is `stopped`.
    virtual Result<void> start() = 0;
    /// Asynchronous, idempotent, legal in callbacks. Clients get DISCONNECT 0x8B and up to drain_ms to take it.
    virtual Status stop(int64_t drain_ms) = 0;
    /// ok when stopped, timeout, reentrant in a callback. timeout_ms < 0 = for ever.
    virtual Status wait(int64_t timeout_ms) = 0;
    /// True on a thread that is running one of this server's callbacks.
    virtual bool in_callback() const = 0;
    /// clock=manual only (state otherwise): moves time by `ms`, returns when everything due has happened.
    virtual Status advance(int64_t ms) = 0;
    /// Wall clock of the server, unix ms (virtual with clock=manual).
    virtual int64_t now_unix_ms() const = 0;
    /// Milliseconds that only grow: what ages count by.
    virtual int64_t monotonic_ms() const = 0;

    // Listeners, before or after start.
    virtual Result<void> listen(ListenerConfig config) = 0;
    virtual Result<void> unlisten(std::string_view id, bool disconnect_clients) = 0;
    virtual Result<ListenerInfo> listener(std::string_view id) const = 0;
    virtual std::vector<ListenerInfo> listeners() const = 0;
    /// One connected stream socket, owned by the server on success.
    virtual Result<void> adopt(std::string_view listener_id, int fd, std::string_view remote) = 0;
    /// A new in-memory connection through a listener of kind pipe (made when the id is unknown). Running only.
    virtual Result<Ref<Pipe>> open_pipe(std::string_view listener_id, std::string_view remote) = 0;

    // Hooks. A hook added after start gets events from then on (no stored_*).
    virtual Result<uint64_t> add_hook(std::shared_ptr<hooks::Hook> hook) = 0;
    /// Returns after its running callbacks ended; at once inside a callback.
    virtual Status remove_hook(uint64_t handle) = 0;
    virtual void clear_acl_cache() = 0;

    // Clients.
    virtual Ref<hooks::Client> client(std::string_view id) const = 0;  ///< null = unknown
    virtual std::vector<Ref<hooks::Client>> clients() const = 0;
    virtual Status disconnect(const hooks::Client& client, mqtt::Reason reason) = 0;
    /// Ends the session too.
    virtual Status expire(const hooks::Client& client) = 0;
    /// Sends one packet to this client only (its connection's version decides the form).
    virtual Status send(const hooks::Client& client, const mqtt::Packet& packet) = 0;
    virtual std::vector<hooks::StoredSubscription> subscriptions(const hooks::Client& client) const = 0;
    virtual Status block_client(std::string_view id) = 0;
    virtual Status unblock_client(std::string_view id) = 0;
    virtual std::vector<std::string> blocked_clients() const = 0;

    // Inline. `inline-client: false` -> inline_disabled.
    virtual Result<void> publish(std::string_view topic, ByteView payload, uint8_t qos, bool retain) = 0;
    virtual Result<void> publish(const mqtt::Packet& packet) = 0;
    virtual Result<uint64_t> subscribe(std::string_view filter, uint8_t qos, uint32_t identifier,
                                       InlineHandler handler) = 0;
    /// After it returns (unless inside a callback) the handler is not called any more.
    virtual Status unsubscribe(uint64_t token) = 0;
    virtual Result<Ref<hooks::Client>> new_inline_client(std::string_view id) = 0;
    /// Processes a packet as if received from the client, asynchronously, any type. The packet is validated first.
    virtual Result<void> inject(const hooks::Client& client, const mqtt::Packet& packet) = 0;

    /// Snapshot of the retained messages that match.
    virtual std::vector<mqtt::MessageRef> retained(std::string_view filter) const = 0;
    virtual Status clear_retained(std::string_view topic) = 0;

    virtual MetricsSnapshot metrics() const = 0;
    /// ok when running and the stores commit; state; storage with the reason while one cannot, or is slow.
    virtual Result<void> ready() const = 0;
};

}  // namespace comqtt::server
