#pragma once
// Config: every setting the broker core obeys, with its default. server/options.cpp maps option keys to these.

#include <cstdint>

#include "hooks/dispatcher.hpp"

namespace comqtt::broker {

enum class BackpressurePolicy : uint8_t { wait, drop };
enum class QueuePolicy : uint8_t { drop_oldest, drop_newest, refuse };

struct Capabilities {
    uint32_t maximum_session_expiry_interval = 4294967295;  ///< seconds
    uint32_t maximum_message_expiry_interval = 0;  ///< seconds a queued message may live; 0 = no limit
    uint32_t receive_maximum = 1024;
    uint32_t maximum_qos = 2;
    bool retain_available = true;
    uint32_t maximum_packet_size = 0;  ///< 0 = the protocol's own
    uint32_t topic_alias_maximum = 65535;
    bool wildcard_sub_available = true;
    bool sub_id_available = true;
    bool shared_sub_available = true;
    uint32_t minimum_protocol_version = 3;
    uint32_t maximum_client_writes_pending = 8192;  ///< messages waiting for one client
};

struct Compatibilities {
    bool obscure_not_authorized = false;
    bool passive_client_disconnect = false;
    bool always_return_response = false;
    bool restore_sys_info_restart = false;
    bool no_inherited_properties_on_ack = true;
};

struct Limits {
    uint32_t connections = 1'000'000;
    uint32_t subscriptions_per_client = 100'000;
    uint64_t client_subscription_bytes = 16ull << 20;  ///< filters of one client
    uint32_t topic_levels = 128;
    uint32_t topic_length = 65'535;
    uint32_t user_properties = 1024;
    uint64_t client_queued_bytes = 64ull << 20;  ///< one session's queue and its output, each
    uint64_t queued_bytes = 1ull << 30;          ///< the same of all sessions
    uint64_t queued_messages = 100'000'000;      ///< of all session queues
    uint64_t uncommitted_bytes = 64ull << 20;    ///< handed to a store and not yet committed
    uint32_t client_held_acks = 2048;            ///< of one client, waiting for a store
    uint64_t held_acks = 1'000'000;              ///< of all clients
    uint64_t client_queue_memory = 256ull
                                   << 10;   ///< of one session's queue; with a store, the rest is on disk
    uint64_t queue_memory = 256ull << 20;   ///< the same of all sessions
    uint64_t high_mark_bytes = 1ull << 20;  ///< output of one client above which publishers wait
    uint64_t handover_bytes = 16ull << 20;  ///< on their way from one shard to another
    uint64_t retained_messages = 10'000'000;
    uint64_t retained_bytes = 4ull << 30;
    uint32_t inflight = 65'535;           ///< outbound QoS 1/2 per client, below its Receive Maximum
    uint32_t topic_alias_bytes = 65'536;  ///< topics a client's inbound aliases may hold
    uint32_t outbound_aliases = 64;       ///< per connection, below the client's Topic Alias Maximum
    uint32_t connect_timeout_ms = 10'000;
    uint32_t connect_packet_size = 65'536;  ///< CONNECT, before authentication
    uint64_t connecting_bytes = 256ull
                                << 20;  ///< of CONNECTs that have not arrived as a whole, all connections
    uint32_t patience_ms = 50;          ///< a full receiver that takes nothing is waited for this long, once
    uint32_t idle_wait_percent = 2;     ///< of a publisher's time that it may wait for such
    uint32_t idle_receivers = 65'536;   ///< client ids, users and addresses remembered for it
    uint32_t idle_memory_ms = 60'000;   ///< this long
    uint32_t stuck_timeout_ms = 5'000;  ///< a full receiver that is slower than this is not waited for
    uint32_t stuck_disconnect_ms = 30'000;  ///< full without any progress this long: disconnected
    uint32_t close_timeout_ms = 2'000;      ///< to take the last packet and close
    uint32_t takeover_timeout_ms = 2'000;   ///< for what the old connection has sent and waits for
    uint64_t takeover_bytes = 16ull << 20;  ///< of that at most
    uint32_t deferral_timeout_ms = 10'000;
    uint32_t deferrals = 100'000;    ///< pending at one time, per server
    uint32_t acl_cache_size = 1024;  ///< verdicts per client; 0 = ask each time
    uint32_t acl_cache_lifetime_ms = 10'000;
    uint32_t routes = 524'288;            ///< cached routes of one shard
    uint64_t route_bytes = 256ull << 20;  ///< of those; one may be above
    uint32_t sessions = 10'000'000;
    uint32_t blocked_clients = 1'000'000;
    uint32_t slow_store_ms = 5'000;  ///< a commit that takes longer makes the server not ready
};

struct Config {
    Capabilities capabilities;
    Compatibilities compatibilities;
    Limits limits;
    BackpressurePolicy backpressure = BackpressurePolicy::wait;
    QueuePolicy queue_policy = QueuePolicy::drop_oldest;
    hooks::OnFailure on_hook_failure = hooks::OnFailure::refuse;
    uint32_t sys_topic_resend_interval_s = 1;  ///< 0 = no $SYS topics
    bool inline_client = true;
    uint32_t node_id = 0;
};

}  // namespace comqtt::broker
