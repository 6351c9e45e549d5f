/* Metrics: what a server counts. */
#ifndef COMQTT_OBSERVE_H
#define COMQTT_OBSERVE_H
#ifndef COMQTT_H_INSIDE
#error "Include <comqtt.h> instead."
#endif

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Values of a server. comqtt_metrics_each has the names and a line of help for each. New members are appended. */
typedef struct comqtt_metrics {
    size_t struct_size;
    int64_t time_s;    /**< unix seconds */
    int64_t started_s; /**< unix seconds */
    int64_t uptime_s;
    int64_t memory_alloc; /**< resident bytes of the process */
    int64_t threads;      /**< of this server */
    int64_t bytes_received;
    int64_t bytes_sent;
    int64_t clients_connected;
    int64_t clients_disconnected;
    int64_t clients_maximum;
    int64_t clients_total;
    int64_t packets_received;
    int64_t packets_sent;
    int64_t messages_received;
    int64_t messages_sent;
    int64_t messages_dropped;
    int64_t inflight;
    int64_t inflight_dropped;
    int64_t retained;
    int64_t subscriptions;
    int64_t retained_bytes;
    int64_t queued_messages;
    int64_t queued_bytes;
    int64_t connections;
    int64_t connections_accepted;
    int64_t connections_refused;
    int64_t protocol_errors;
    int64_t connect_timeouts;
    int64_t keep_alive_timeouts;
    int64_t quota_exceeded;
    int64_t auth_denied;
    int64_t acl_denied;
    int64_t deferrals_pending;
    int64_t deferrals_expired;
    int64_t takeovers;
    int64_t backpressure_pauses;
    int64_t stuck_consumers;
    int64_t handover_bytes;
    int64_t routes;
    int64_t route_misses;
    int64_t store_rounds;
    int64_t store_changes;
    int64_t store_failures;
    int64_t store_refusals;
    int64_t uncommitted_bytes;
    int64_t acks_held;
    int64_t stored_bytes;
    int64_t pages_loaded;
    int64_t publishes_refused;
    int64_t retained_replays;
    int64_t hook_failures;
    int64_t deferrals_misused;
    int64_t memory_failures;
    int64_t inflight_bytes;
    int64_t waits_refused;
    int64_t route_bytes;
} comqtt_metrics;

/** A zeroed record with its size set. Since 1.0. */
static inline comqtt_metrics comqtt_metrics_init(void) {
    comqtt_metrics record;
    memset(&record, 0, sizeof record);
    record.struct_size = sizeof record;
    return record;
}

/** Kind of a metric. */
typedef int32_t comqtt_metric_kind;
enum { COMQTT_METRIC_COUNTER = 0, COMQTT_METRIC_GAUGE = 1 };

/** Receives one metric: its name, kind, one line of help (both static) and value. Return false to end the list. */
typedef bool (*comqtt_metric_fn)(void* user, const char* name, comqtt_metric_kind kind, const char* help,
                                 int64_t value);

/** Snapshot of a server's metrics; struct_size must be set. Each value is current, the set is not one instant.
 * Errors: CLOSED. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_metrics(const comqtt_server* server, comqtt_metrics* out_metrics);
/** Calls `fn` for every member of a record, in order, so that an exporter needs no code per metric. Since 1.0. */
COMQTT_API comqtt_status comqtt_metrics_each(const comqtt_metrics* metrics, comqtt_metric_fn fn, void* user);

#ifdef __cplusplus
}
#endif
#endif
