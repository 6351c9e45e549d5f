/* Stored state. A store is a hook (hooks.h): at start its stored_* slots push records into the server; while the server
 * runs, store_changes gets every change as part of a batch, one batch per thread and round; load_messages and
 * load_session fetch one client's records. A record is copied at once; its views need to live only until the call
 * returns.
 *
 * What waits for a batch: PUBACK, PUBREC, PUBCOMP, SUBACK and UNSUBACK of what is in it, the CONNACK of a new session,
 * PUBREL, and QoS 2 messages to stored sessions. Everything else goes on. Only sessions that outlive their connection
 * are in it (Session Expiry Interval above 0, Clean Session 0).
 *
 * A store keeps batches in the order in which store_changes was called, those of all threads in one line: a batch may
 * remove what an earlier one of another thread has added. What is on its way from one thread to another and must arrive
 * exactly once is in sessions of the server's own, under client ids that begin with `$comqtt/`; a store keeps and
 * returns them like any other. */
#ifndef COMQTT_STORAGE_H
#define COMQTT_STORAGE_H
#ifndef COMQTT_H_INSIDE
#error "Include <comqtt.h> instead."
#endif

#include "base.h"
#include "packet.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A session. */
typedef struct comqtt_stored_client {
    size_t struct_size;
    comqtt_str id;
    comqtt_str
        username; /**< this and the next two are what hooks judge a session by that has no connection */
    comqtt_str remote;
    comqtt_str listener;
    comqtt_protocol version; /**< 0 = MQTT 5.0 */
    bool clean_start;
    uint32_t session_expiry_s;
    int64_t disconnected_unix_ms; /**< 0 = was connected when stored */
    const comqtt_packet* will;    /**< will not yet sent, a PUBLISH; NULL = none */
    int64_t will_due_unix_ms;     /**< 0 = its delay counts from now */
    /* What load_messages will hand over of the session's messages; all 0 = nothing. */
    uint64_t queued_messages; /**< not sent yet */
    uint64_t
        queued_bytes; /**< comqtt_stored_message sizes of those, near enough: topic, payload, properties */
    uint64_t inflight_messages;  /**< sent, or inbound QoS 2 ids that wait for PUBREL */
    uint64_t last_position;      /**< greatest position of any of its messages */
    int64_t next_expiry_unix_ms; /**< when the first of them expires; 0 = none does */
    uint32_t will_delay_s;       /**< Will Delay Interval, which a PUBLISH cannot carry */
} comqtt_stored_client;

/** A subscription of a session. */
typedef struct comqtt_stored_subscription {
    size_t struct_size;
    comqtt_str client_id;
    comqtt_str filter; /**< `$share/...` included */
    uint8_t qos;
    bool no_local;
    bool retain_as_published;
    uint8_t retain_handling;
    uint32_t identifier; /**< 0 = none */
} comqtt_stored_subscription;

/** Where a stored message stands. */
typedef int32_t comqtt_stored_state;
enum {
    COMQTT_STORED_QUEUED = 0,   /**< not sent yet */
    COMQTT_STORED_SENT = 1,     /**< sent, not acknowledged */
    COMQTT_STORED_RECEIVED = 2, /**< inbound QoS 2 id that waits for PUBREL */
    COMQTT_STORED_RELEASED = 3  /**< PUBREL sent, waits for PUBCOMP */
};

/** A message of a session, or a retained one. */
typedef struct comqtt_stored_message {
    size_t struct_size;
    comqtt_str client_id; /**< whose session holds it; absent for a retained message */
    comqtt_str origin;    /**< client id of the publisher */
    const comqtt_packet*
        packet; /**< a PUBLISH; one of QoS 1 or 2 that was not sent has no packet id yet, which its
                                      wire form needs: give a clone one to encode it */
    int64_t created_unix_ms;
    int64_t sent_unix_ms;
    comqtt_stored_state state;
    uint64_t position; /**< as in comqtt_change; 0 = after the last one */
    comqtt_str
        share; /**< the shared subscription it came through, `$share/...`; absent = none; in sessions of
                                the server's own who it goes to */
    uint8_t published_qos; /**< when it is above that of the packet, which is as delivered */
} comqtt_stored_message;

/** What happened to the stored state. */
typedef int32_t comqtt_change_kind;
enum {
    COMQTT_CHANGE_SESSION_SAVED = 1, /**< session: new, or replaces what was stored of it but its messages */
    COMQTT_CHANGE_SESSION_REMOVED = 2,    /**< client_id: the session with its subscriptions and messages */
    COMQTT_CHANGE_SUBSCRIPTION_SAVED = 3, /**< subscription: new, or replaces the one with the same filter */
    COMQTT_CHANGE_SUBSCRIPTION_REMOVED = 4, /**< client_id, text: the filter */
    COMQTT_CHANGE_MESSAGE_QUEUED =
        5, /**< client_id, position, packet_id (0 = not sent), message_key, message */
    COMQTT_CHANGE_MESSAGE_SENT = 6, /**< client_id, position, packet_id */
    COMQTT_CHANGE_MESSAGE_RELEASED =
        7, /**< client_id, position: PUBREC came, the packet id alone is needed now */
    COMQTT_CHANGE_MESSAGE_REMOVED = 8,   /**< client_id, position: acknowledged, expired or dropped */
    COMQTT_CHANGE_RECEIVED_ADDED = 9,    /**< client_id, packet_id: inbound QoS 2, until PUBREL */
    COMQTT_CHANGE_RECEIVED_REMOVED = 10, /**< client_id, packet_id */
    COMQTT_CHANGE_RETAINED_SAVED = 11,   /**< message: replaces what its topic had */
    COMQTT_CHANGE_RETAINED_REMOVED = 12, /**< text: the topic */
    COMQTT_CHANGE_CLIENT_BLOCKED = 13,   /**< client_id */
    COMQTT_CHANGE_CLIENT_UNBLOCKED = 14  /**< client_id */
};

/** One change. Views and pointers live as long as the batch; what a kind does not name is zero. */
typedef struct comqtt_change {
    size_t struct_size;
    comqtt_change_kind kind;
    comqtt_str client_id; /**< whose session */
    uint64_t position;    /**< of a message in its session: grows with each, also over restarts */
    uint64_t message_key; /**< equal for all sessions that hold the message; unique while the server runs */
    uint16_t packet_id;
    comqtt_str text;
    const comqtt_stored_client* session;
    const comqtt_stored_subscription* subscription;
    const comqtt_stored_message*
        message; /**< packet: a PUBLISH as delivered, with subscription identifiers */
} comqtt_change;

/** A request for one client's records. Views live as long as the request. */
typedef struct comqtt_load_request {
    size_t struct_size;
    comqtt_str client_id;
    bool session;   /**< load_session: client record and subscriptions too */
    uint64_t after; /**< 0 = what is in flight both ways, then the queue from its beginning; otherwise queued
                                messages with a greater position */
    uint32_t max_messages; /**< queued ones to hand over at most; those in flight do not count */
    uint64_t max_bytes;    /**< of the queued ones; the first may be larger */
} comqtt_load_request;

/** A zeroed record with its size set. Since 1.0. */
static inline comqtt_stored_client comqtt_stored_client_init(void) {
    comqtt_stored_client record;
    memset(&record, 0, sizeof record);
    record.struct_size = sizeof record;
    return record;
}
/** A zeroed record with its size set. Since 1.0. */
static inline comqtt_stored_subscription comqtt_stored_subscription_init(void) {
    comqtt_stored_subscription record;
    memset(&record, 0, sizeof record);
    record.struct_size = sizeof record;
    return record;
}
/** A zeroed record with its size set. Since 1.0. */
static inline comqtt_stored_message comqtt_stored_message_init(void) {
    comqtt_stored_message record;
    memset(&record, 0, sizeof record);
    record.struct_size = sizeof record;
    return record;
}

/** A zeroed record with its size set. Since 1.0. */
static inline comqtt_change comqtt_change_init(void) {
    comqtt_change record;
    memset(&record, 0, sizeof record);
    record.struct_size = sizeof record;
    return record;
}
/** A zeroed record with its size set. Since 1.0. */
static inline comqtt_load_request comqtt_load_request_init(void) {
    comqtt_load_request record;
    memset(&record, 0, sizeof record);
    record.struct_size = sizeof record;
    return record;
}

/** Hands over a session; inside stored_clients and stored_client_by_id. Errors: INVALID_ARGUMENT for a record that
 * cannot be, or another kind than the event loads. Since 1.0. */
COMQTT_API comqtt_status comqtt_sink_add_client(comqtt_sink* sink, const comqtt_stored_client* record,
                                                comqtt_error** out_error);
/** Hands over a subscription; inside stored_subscriptions and _by_client. Errors as above; NOT_FOUND when no such
 * session was loaded. Since 1.0. */
COMQTT_API comqtt_status comqtt_sink_add_subscription(comqtt_sink* sink,
                                                      const comqtt_stored_subscription* record,
                                                      comqtt_error** out_error);
/** Hands over a message; inside stored_inflight_messages, stored_retained_messages and their lazy forms. Errors as
 * above. Since 1.0. */
COMQTT_API comqtt_status comqtt_sink_add_message(comqtt_sink* sink, const comqtt_stored_message* record,
                                                 comqtt_error** out_error);
/** Hands over a client id that may not connect; inside stored_clients. Errors as above. Since 1.0. */
COMQTT_API comqtt_status comqtt_sink_add_blocked(comqtt_sink* sink, comqtt_str client_id,
                                                 comqtt_error** out_error);

/** Number of changes in a batch. Any thread. 0 for NULL. Since 1.0. */
COMQTT_API size_t comqtt_changes_count(const comqtt_changes* changes);
/** Change `index`, in the order they happened. Any thread; one thread at a time reads a batch. Errors: NOT_FOUND past
 * the end. Since 1.0. */
COMQTT_API comqtt_status comqtt_changes_at(const comqtt_changes* changes, size_t index,
                                           comqtt_change* out_change);
/** Number of the server's thread that made the batch. Since 1.0. */
COMQTT_API unsigned comqtt_changes_thread(const comqtt_changes* changes);
/** Adds to the count of a batch; without it the batch ends with store_changes. Any thread. Since 1.0. */
COMQTT_API comqtt_changes* comqtt_changes_retain(comqtt_changes* changes);
/** Takes from the count. A batch answered with PENDING and gone without an answer was not stored. Any thread; NULL is
 * ignored. Since 1.0. */
COMQTT_API void comqtt_changes_release(comqtt_changes* changes);
/** Ends a batch answered with PENDING: COMQTT_OK = committed, what waited for it goes out; QUEUE_FULL = no room, its
 * publishers get 0x97 Quota exceeded; any other status = not stored, they get 0x83. Where MQTT has no such answer the
 * client is disconnected. Does not take from the count. Any thread. Errors: STATE when answered before; CLOSED once the
 * server is freed. Since 1.0. */
COMQTT_API comqtt_status comqtt_changes_complete(comqtt_changes* changes, comqtt_status status,
                                                 comqtt_str text);
/** Tells that a batch cannot be stored for now and is tried again: its publishers wait, new QoS 1 and 2 messages,
 * subscriptions and sessions are refused (`status` as above), the server is not ready, until some batch is committed.
 * Any thread. Errors as above. Since 1.0. */
COMQTT_API comqtt_status comqtt_changes_report(comqtt_changes* changes, comqtt_status status,
                                               comqtt_str text);

/** What is wanted. Any thread. Since 1.0. */
COMQTT_API comqtt_status comqtt_load_read(const comqtt_load* load, comqtt_load_request* out_request);
/** Adds to the count of a request; without it the request ends with its callback. Any thread. Since 1.0. */
COMQTT_API comqtt_load* comqtt_load_retain(comqtt_load* load);
/** Takes from the count. A request answered with PENDING and gone without an answer has failed. NULL is ignored. Any
 * thread. Since 1.0. */
COMQTT_API void comqtt_load_release(comqtt_load* load);
/** Hands over the session; load_session only. One thread at a time, in the callback or until completed. Errors:
 * INVALID_ARGUMENT for a record that cannot be or of another client; STATE when answered; CLOSED once the server is
 * freed. Since 1.0. */
COMQTT_API comqtt_status comqtt_load_add_client(comqtt_load* load, const comqtt_stored_client* record,
                                                comqtt_error** out_error);
/** Hands over a subscription; load_session only. Errors as above. Since 1.0. */
COMQTT_API comqtt_status comqtt_load_add_subscription(comqtt_load* load,
                                                      const comqtt_stored_subscription* record,
                                                      comqtt_error** out_error);
/** Hands over a message, in ascending position. Errors as above. Since 1.0. */
COMQTT_API comqtt_status comqtt_load_add_message(comqtt_load* load, const comqtt_stored_message* record,
                                                 comqtt_error** out_error);
/** Ends a request answered with PENDING: COMQTT_OK, NOT_FOUND, or an error, which refuses the client for now. Does not
 * take from the count. Any thread. Errors: STATE when answered before; CLOSED once the server is freed. Since 1.0. */
COMQTT_API comqtt_status comqtt_load_complete(comqtt_load* load, comqtt_status status, comqtt_str text);

#ifdef __cplusplus
}
#endif
#endif
