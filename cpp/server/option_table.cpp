#include "server/option_table.hpp"

namespace comqtt::server {

namespace {

constexpr const char* kClockWords[] = {"system", "manual", nullptr};
constexpr const char* kBackpressureWords[] = {"wait", "drop", nullptr};
constexpr const char* kFailureWords[] = {"refuse", "proceed", nullptr};
constexpr const char* kQueueWords[] = {"drop-oldest", "drop-newest", "refuse", nullptr};
constexpr const char* kDurabilityWords[] = {"strict", "relaxed", nullptr};
constexpr const char* kSyncWords[] = {"full", "normal", "off", nullptr};
constexpr const char* kDamageWords[] = {"rename", "stop", nullptr};
constexpr const char* kLogWords[] = {"debug", "info", "warn", "error", "off", nullptr};

#define COMQTT_ACCESS(member)                                                   \
    [](const Options& o) -> int64_t { return static_cast<int64_t>(o.member); }, \
        [](Options& o, int64_t v) { o.member = static_cast<decltype(o.member)>(v); }
#define COMQTT_INTEGER(key, member, default_text, low, high, line) \
    { {key, OptionType::integer, default_text, low, high, line}, COMQTT_ACCESS(member), nullptr }
#define COMQTT_BOOLEAN(key, member, default_text, line) \
    { {key, OptionType::boolean, default_text, 0, 1, line}, COMQTT_ACCESS(member), nullptr }
#define COMQTT_WORD(key, member, default_text, list, high, line) \
    { {key, OptionType::text, default_text, 0, high, line}, COMQTT_ACCESS(member), list }
#define COMQTT_TEXT(key, member, default_text, low, high, line)                            \
    {                                                                                      \
        {key, OptionType::text, default_text, low, high, line}, nullptr, nullptr, nullptr, \
            [](Options& o) -> std::string& { return o.member; }                            \
    }

constexpr int64_t kU16 = 65'535;
constexpr int64_t kU32 = 4'294'967'295;
constexpr int64_t kBytes = int64_t{1} << 50;
constexpr int64_t kDay = 86'400'000;

const OptionRow kTable[] = {
    COMQTT_INTEGER("threads", threads, "0", 0, 64, "threads (shards) that serve clients; 0 = one per core"),
    COMQTT_WORD("clock", clock, "system", kClockWords, 1, "system, or manual: time moves by advance only"),
    COMQTT_WORD("log-level", log_level, "info", kLogWords, 4, "least level that reaches the log callback"),
    COMQTT_BOOLEAN("inline-client", broker.inline_client, "true",
                   "allow publish and subscribe by the host program"),
    COMQTT_INTEGER("sys-topic-resend-interval", broker.sys_topic_resend_interval_s, "1", 0, 86'400,
                   "seconds between $SYS publications; 0 = none"),
    COMQTT_INTEGER("client-read-buffer-size", client_read_buffer_size, "262144", 4096, 16'777'216,
                   "bytes of the read buffer that each thread has for all its clients"),
    COMQTT_INTEGER("client-write-buffer-size", client_write_buffer_size, "65536", 4096, 1'048'576,
                   "bytes of an output chunk; a client holds one only while bytes wait for it"),
    COMQTT_INTEGER("node-id", broker.node_id, "0", 0, kU32, "number of this node in messages' origin"),
    COMQTT_WORD("backpressure", broker.backpressure, "wait", kBackpressureWords, 1,
                "wait: publishers are not read while a receiver is full; drop: QoS 0 is dropped for it"),
    COMQTT_WORD("queue-policy", broker.queue_policy, "drop-oldest", kQueueWords, 2,
                "what a full session queue loses; refuse: its publishers get 0x97"),
    COMQTT_WORD(
        "hooks.on-failure", broker.on_hook_failure, "refuse", kFailureWords, 1,
        "what a hook that fails makes of an event it could refuse; proceed: as if it had not been asked"),

    COMQTT_INTEGER(
        "capabilities.maximum-session-expiry-interval", broker.capabilities.maximum_session_expiry_interval,
        "4294967295", 0, kU32,
        "seconds a session may outlive its connection; also the lifetime of 3.x persistent sessions"),
    COMQTT_INTEGER("capabilities.maximum-message-expiry-interval",
                   broker.capabilities.maximum_message_expiry_interval, "0", 0, kU32,
                   "seconds a message may wait in a session queue; 0 = no limit"),
    COMQTT_INTEGER("capabilities.receive-maximum", broker.capabilities.receive_maximum, "1024", 1, kU16,
                   "QoS 1 and 2 messages a client may have unacknowledged at the server"),
    COMQTT_INTEGER("capabilities.maximum-qos", broker.capabilities.maximum_qos, "2", 0, 2, "greatest QoS"),
    COMQTT_BOOLEAN("capabilities.retain-available", broker.capabilities.retain_available, "true",
                   "retained messages are supported"),
    COMQTT_INTEGER("capabilities.maximum-packet-size", broker.capabilities.maximum_packet_size, "0", 0,
                   268'435'460, "bytes of the largest packet accepted; 0 = the protocol's limit"),
    COMQTT_INTEGER("capabilities.topic-alias-maximum", broker.capabilities.topic_alias_maximum, "65535", 0,
                   kU16, "topic aliases a client may set"),
    COMQTT_BOOLEAN("capabilities.wildcard-sub-available", broker.capabilities.wildcard_sub_available, "true",
                   "filters with wildcards are supported"),
    COMQTT_BOOLEAN("capabilities.sub-id-available", broker.capabilities.sub_id_available, "true",
                   "subscription identifiers are supported"),
    COMQTT_BOOLEAN("capabilities.shared-sub-available", broker.capabilities.shared_sub_available, "true",
                   "shared subscriptions are supported"),
    COMQTT_INTEGER("capabilities.minimum-protocol-version", broker.capabilities.minimum_protocol_version, "3",
                   3, 5, "3 = MQTT 3.1, 4 = 3.1.1, 5 = 5.0"),
    COMQTT_INTEGER(
        "capabilities.maximum-client-writes-pending", broker.capabilities.maximum_client_writes_pending,
        "8192", 1, 1'000'000'000,
        "messages that may wait for one offline client; publishers wait at half of it for an online one"),

    COMQTT_BOOLEAN("capabilities.compatibilities.obscure-not-authorized",
                   broker.compatibilities.obscure_not_authorized, "false", "SUBACK 0x80 instead of 0x87"),
    COMQTT_BOOLEAN("capabilities.compatibilities.passive-client-disconnect",
                   broker.compatibilities.passive_client_disconnect, "false",
                   "a client disconnected by the API gets DISCONNECT and keeps its connection"),
    COMQTT_BOOLEAN("capabilities.compatibilities.always-return-response",
                   broker.compatibilities.always_return_response, "false",
                   "Response Information in CONNACK also when not asked for"),
    COMQTT_BOOLEAN("capabilities.compatibilities.restore-sys-info-restart",
                   broker.compatibilities.restore_sys_info_restart, "false",
                   "counters go on from their stored values at start"),
    COMQTT_BOOLEAN("capabilities.compatibilities.no-inherited-properties-on-ack",
                   broker.compatibilities.no_inherited_properties_on_ack, "true",
                   "acknowledgements carry no user properties of the packet they answer"),

    COMQTT_INTEGER("storage-way", storage_way, "0", 0, 1,
                   "where sessions and retained messages are kept: 0 = memory only, 1 = SQLite file"),
    COMQTT_TEXT("storage-path", store.path, "comqtt.db", 1, 4096, "the SQLite file"),
    COMQTT_WORD("storage.durability", store.durability, "strict", kDurabilityWords, 1,
                "strict: acknowledged means committed; relaxed: committed within the flush interval"),
    COMQTT_WORD(
        "storage.sync", store.sync, "full", kSyncWords, 2,
        "full: a commit survives power loss; normal: the end of the process; off: left to the system"),
    COMQTT_INTEGER("storage.commit-window-ms", store.commit_window_ms, "0", 0, 60'000,
                   "milliseconds each commit waits for more to go with it"),
    COMQTT_INTEGER("storage.flush-interval-ms", store.flush_interval_ms, "1000", 1, kDay,
                   "milliseconds until a commit when durability is relaxed"),
    COMQTT_INTEGER("storage.retry-ms", store.retry_ms, "500", 1, kDay,
                   "milliseconds between attempts while the disk fails"),
    COMQTT_INTEGER("storage.cache-bytes", store.cache_bytes, "33554432", 65'536, kBytes,
                   "bytes of the store's page cache"),
    COMQTT_WORD("storage.on-damage", store.on_damage, "rename", kDamageWords, 1,
                "a damaged store is renamed and a new one begun, or the start fails"),
    COMQTT_BOOLEAN("storage.counters", store.counters, "false", "counters of $SYS are stored too"),
    COMQTT_INTEGER("storage.slow-ms", broker.limits.slow_store_ms, "5000", 1, kDay,
                   "milliseconds a commit may take before the server counts as not ready"),

    COMQTT_INTEGER("limits.uncommitted-bytes", broker.limits.uncommitted_bytes, "67108864", 65'536, kBytes,
                   "bytes that wait for the store above which QoS 1 and 2 publishers are not read"),
    COMQTT_INTEGER("limits.client-held-acks", broker.limits.client_held_acks, "2048", 1, kU32,
                   "acknowledgements that may wait for the store for one client; then it is not read"),
    COMQTT_INTEGER("limits.held-acks", broker.limits.held_acks, "1000000", 1, kBytes,
                   "acknowledgements that may wait for the store for all clients"),
    COMQTT_INTEGER("limits.client-queue-memory", broker.limits.client_queue_memory, "262144", 4096, kBytes,
                   "bytes of one session's queue kept in memory; with a store, the rest is on disk only"),
    COMQTT_INTEGER("limits.queue-memory", broker.limits.queue_memory, "268435456", 4096, kBytes,
                   "bytes of all session queues kept in memory; with a store, the rest is on disk only"),
    COMQTT_INTEGER("limits.connections", broker.limits.connections, "1000000", 1, kU32,
                   "network connections"),
    COMQTT_INTEGER("limits.sessions", broker.limits.sessions, "10000000", 1, kU32,
                   "sessions, connected or not"),
    COMQTT_INTEGER("limits.subscriptions-per-client", broker.limits.subscriptions_per_client, "100000", 0,
                   kU32, "subscriptions of one client"),
    COMQTT_INTEGER("limits.client-subscription-bytes", broker.limits.client_subscription_bytes, "16777216",
                   65'536, kBytes, "bytes of the filters of one client"),
    COMQTT_INTEGER("limits.topic-levels", broker.limits.topic_levels, "128", 1, kU16,
                   "levels of a topic or filter"),
    COMQTT_INTEGER("limits.topic-length", broker.limits.topic_length, "65535", 1, kU16,
                   "bytes of a topic or filter"),
    COMQTT_INTEGER("limits.user-properties", broker.limits.user_properties, "1024", 0, 1'000'000,
                   "user properties of one packet"),
    COMQTT_INTEGER("limits.client-queued-bytes", broker.limits.client_queued_bytes, "67108864", 4096, kBytes,
                   "bytes that may wait for one client, queue and output each"),
    COMQTT_INTEGER("limits.queued-bytes", broker.limits.queued_bytes, "1073741824", 4096, kBytes,
                   "bytes that may wait in all session queues"),
    COMQTT_INTEGER("limits.queued-messages", broker.limits.queued_messages, "100000000", 1, kBytes,
                   "messages that may wait in all session queues"),
    COMQTT_INTEGER("limits.high-mark-bytes", broker.limits.high_mark_bytes, "1048576", 4096, kBytes,
                   "bytes waiting for one client above which its publishers are not read"),
    COMQTT_INTEGER("limits.handover-bytes", broker.limits.handover_bytes, "16777216", 65'536, kBytes,
                   "bytes on their way to another thread above which publishers are not read"),
    COMQTT_INTEGER("limits.retained-messages", broker.limits.retained_messages, "10000000", 0, kBytes,
                   "retained messages, the server's own in $SYS not among them"),
    COMQTT_INTEGER("limits.retained-bytes", broker.limits.retained_bytes, "4294967296", 0, kBytes,
                   "bytes of retained messages"),
    COMQTT_INTEGER("limits.inflight", broker.limits.inflight, "65535", 1, kU16,
                   "QoS 1 and 2 messages in flight to one client, below its Receive Maximum"),
    COMQTT_INTEGER("limits.topic-alias-bytes", broker.limits.topic_alias_bytes, "65536", 0, kU32,
                   "bytes of topics that one client's aliases may hold"),
    COMQTT_INTEGER("limits.outbound-aliases", broker.limits.outbound_aliases, "64", 1, kU16,
                   "topic aliases the server sets on one connection, below the client's maximum"),
    COMQTT_INTEGER("limits.connect-timeout-ms", broker.limits.connect_timeout_ms, "10000", 1, kDay,
                   "milliseconds for CONNECT to arrive"),
    COMQTT_INTEGER("limits.connect-packet-size", broker.limits.connect_packet_size, "65536", 64, 268'435'460,
                   "bytes of the largest CONNECT"),
    COMQTT_INTEGER("limits.connecting-bytes", broker.limits.connecting_bytes, "268435456", 4096, kBytes,
                   "bytes of CONNECTs that have arrived in part only, of all connections"),
    COMQTT_INTEGER("limits.patience-ms", broker.limits.patience_ms, "50", 1, kDay,
                   "milliseconds that publishers wait, once, for a full receiver that takes nothing"),
    COMQTT_INTEGER("limits.idle-wait-percent", broker.limits.idle_wait_percent, "2", 0, 100,
                   "per cent of a publisher's time that it may wait for receivers that take nothing"),
    COMQTT_INTEGER("limits.idle-receivers", broker.limits.idle_receivers, "65536", 0, kU32,
                   "client ids, users and addresses of such receivers that are remembered"),
    COMQTT_INTEGER("limits.idle-memory-ms", broker.limits.idle_memory_ms, "60000", 0, kDay,
                   "milliseconds for which they are, and are waited for a quarter of that time only"),
    COMQTT_INTEGER("limits.stuck-timeout-ms", broker.limits.stuck_timeout_ms, "5000", 1, kDay,
                   "milliseconds between two signs of progress for which a slow receiver is waited for"),
    COMQTT_INTEGER("limits.stuck-disconnect-ms", broker.limits.stuck_disconnect_ms, "30000", 1, kDay,
                   "milliseconds without progress after which a full receiver is disconnected"),
    COMQTT_INTEGER("limits.close-timeout-ms", broker.limits.close_timeout_ms, "2000", 1, kDay,
                   "milliseconds for a client to take the last packet and close"),
    COMQTT_INTEGER("limits.takeover-timeout-ms", broker.limits.takeover_timeout_ms, "2000", 1, kDay,
                   "milliseconds a CONNECT waits for what its client sent on the connection before"),
    COMQTT_INTEGER("limits.takeover-bytes", broker.limits.takeover_bytes, "16777216", 0, kBytes,
                   "bytes of that which are read at most; 0 = none"),
    COMQTT_INTEGER("limits.deferral-timeout-ms", broker.limits.deferral_timeout_ms, "10000", 1, kDay,
                   "milliseconds for a PENDING verdict; then it is DENY"),
    COMQTT_INTEGER("limits.deferrals", broker.limits.deferrals, "100000", 1, kU32,
                   "PENDING verdicts at one time"),
    COMQTT_INTEGER("limits.acl-cache-size", broker.limits.acl_cache_size, "1024", 0, 1'048'576,
                   "ACL verdicts kept per client; 0 = hooks are asked each time"),
    COMQTT_INTEGER("limits.acl-cache-lifetime-ms", broker.limits.acl_cache_lifetime_ms, "10000", 1, kDay,
                   "milliseconds an ACL verdict is kept"),
    COMQTT_INTEGER("limits.routes", broker.limits.routes, "524288", 16, 16'777'216,
                   "topics whose receivers each thread remembers"),
    COMQTT_INTEGER("limits.route-bytes", broker.limits.route_bytes, "268435456", 65'536, kBytes,
                   "bytes of the topics and receivers that each thread remembers"),
    COMQTT_INTEGER("limits.blocked-clients", broker.limits.blocked_clients, "1000000", 0, kU32,
                   "client ids that may be blocked"),
};

}  // namespace

std::span<const OptionRow> option_table() { return kTable; }

}  // namespace comqtt::server
