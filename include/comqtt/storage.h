/* Stored state: records that a storage hook hands to the server when it starts. A record is copied at once; its
 * views need to live only until the call returns. */
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
    comqtt_str username;
    comqtt_str remote;
    comqtt_str listener;
    comqtt_protocol version; /**< 0 = MQTT 5.0 */
    bool clean_start;
    uint32_t session_expiry_s;
    int64_t disconnected_unix_ms; /**< 0 = was connected when stored */
    const comqtt_packet* will;    /**< delayed will not yet sent, a PUBLISH; NULL = none */
    int64_t will_due_unix_ms;
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
    comqtt_str client_id;        /**< whose session holds it; absent for a retained message */
    comqtt_str origin;           /**< client id of the publisher */
    const comqtt_packet* packet; /**< a PUBLISH */
    int64_t created_unix_ms;
    int64_t sent_unix_ms;
    comqtt_stored_state state;
} comqtt_stored_message;

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

#ifdef __cplusplus
}
#endif
#endif
