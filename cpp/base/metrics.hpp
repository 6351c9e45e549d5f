#pragma once
// Counters. Each shard owns one block and is its only writer, so an increment is a plain load and store;
// a snapshot adds the blocks up.

#include <atomic>
#include <cstdint>

namespace comqtt {

// X(member, kind, help). kind: counter | gauge. The first group carries the names of $SYS and of the stat JSON.
#define COMQTT_METRICS(X)                                                                             \
    X(bytes_received, counter, "Bytes received from clients")                                         \
    X(bytes_sent, counter, "Bytes sent to clients")                                                   \
    X(clients_connected, gauge, "Clients connected now")                                              \
    X(clients_disconnected, gauge, "Sessions without a connection")                                   \
    X(clients_maximum, gauge, "Most clients connected at one time")                                   \
    X(clients_total, gauge, "Sessions, connected or not")                                             \
    X(packets_received, counter, "Control packets received")                                          \
    X(packets_sent, counter, "Control packets sent")                                                  \
    X(messages_received, counter, "PUBLISH packets received")                                         \
    X(messages_sent, counter, "PUBLISH packets sent")                                                 \
    X(messages_dropped, counter, "Deliveries dropped: no room, too large, or not to be stored")       \
    X(inflight, gauge, "QoS 1 and 2 messages sent and not yet acknowledged")                          \
    X(inflight_dropped, counter, "In-flight or queued messages that expired or were cleared")         \
    X(retained, gauge, "Retained messages")                                                           \
    X(subscriptions, gauge, "Subscriptions of all sessions")                                          \
    X(retained_bytes, gauge, "Bytes of retained messages")                                            \
    X(queued_messages, gauge, "Messages waiting in session queues")                                   \
    X(queued_bytes, gauge, "Bytes waiting in session queues and connection outputs")                  \
    X(connections, gauge, "Network connections, before CONNECT included")                             \
    X(connections_accepted, counter, "Network connections accepted")                                  \
    X(connections_refused, counter, "Connections refused by a limit or with an error CONNACK")        \
    X(protocol_errors, counter, "Connections closed for malformed packets or protocol errors")        \
    X(connect_timeouts, counter, "Connections closed because CONNECT did not arrive in time")         \
    X(keep_alive_timeouts, counter, "Connections closed because the client was silent")               \
    X(quota_exceeded, counter, "Requests refused by a quota or limit")                                \
    X(auth_denied, counter, "CONNECTs that no hook allowed")                                          \
    X(acl_denied, counter, "Publishes, subscriptions and deliveries that no hook allowed")            \
    X(deferrals_pending, gauge, "Verdicts being waited for")                                          \
    X(deferrals_expired, counter, "Verdicts that did not come in time")                               \
    X(takeovers, counter, "Connections ended because their client id connected again")                \
    X(backpressure_pauses, counter, "Times a publisher was not read because a receiver was full")     \
    X(stuck_consumers, counter, "Receivers no longer waited for because they stayed full")            \
    X(handover_bytes, gauge, "Bytes on their way between shards")                                     \
    X(routes, gauge, "Routes cached")                                                                 \
    X(route_misses, counter, "Topic look-ups that asked the subscription index")                      \
    X(store_rounds, counter, "Batches of changes handed to the stores")                               \
    X(store_changes, counter, "Changes handed to the stores")                                         \
    X(store_failures, counter, "Times a store reported that it could not commit")                     \
    X(store_refusals, counter, "Requests refused because the stores could not commit")                \
    X(uncommitted_bytes, gauge, "Bytes handed to the stores and not yet committed")                   \
    X(acks_held, gauge, "Packets that wait for the stores")                                           \
    X(stored_bytes, gauge, "Bytes of session queues that only the stores hold")                       \
    X(pages_loaded, counter, "Pages of stored messages read back")                                    \
    X(publishes_refused, counter, "Messages refused because a session queue was full")                \
    X(retained_replays, gauge, "Subscriptions whose retained messages are on their way")              \
    X(hook_failures, counter, "Callbacks of hooks that failed")                                       \
    X(deferrals_misused, counter, "Deferrals used again after they were answered")                    \
    X(memory_failures, counter, "Connections and requests given up because memory was out")           \
    X(inflight_bytes, gauge, "Bytes of QoS 1 and 2 messages in flight, each message once")            \
    X(waits_refused, counter, "Times a publisher had no time left for a receiver that takes nothing") \
    X(route_bytes, gauge, "Bytes of the routes cached")

/// One value of a block: written by one thread, read by any.
class Counter {
public:
    [[gnu::always_inline]] void add(uint64_t n = 1) {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    [[gnu::always_inline]] void sub(uint64_t n = 1) {
        value_.store(value_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
    }
    void set(uint64_t n) { value_.store(n, std::memory_order_relaxed); }
    uint64_t get() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<uint64_t> value_{0};
};

/// The counters of one shard.
struct Metrics {
#define COMQTT_METRIC_MEMBER(member, kind, help) Counter member;
    COMQTT_METRICS(COMQTT_METRIC_MEMBER)
#undef COMQTT_METRIC_MEMBER
};

/// Values of all shards added up, and what only the server knows.
struct MetricsSnapshot {
#define COMQTT_METRIC_VALUE(member, kind, help) int64_t member = 0;
    COMQTT_METRICS(COMQTT_METRIC_VALUE)
#undef COMQTT_METRIC_VALUE
    int64_t time_s = 0;     ///< unix seconds
    int64_t started_s = 0;  ///< unix seconds
    int64_t uptime_s = 0;
    int64_t memory_alloc = 0;  ///< resident bytes of the process
    int64_t threads = 0;       ///< of this server
};

}  // namespace comqtt
