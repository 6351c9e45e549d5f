/* Hooks: a table of functions that see, decide and change what the server does; deferrals; the built-in hooks.
 *
 * Hooks are called in the order added. A slot that no hook fills costs one bit test per event. Every slot gets the
 * hook's `user` first and the event's context second; all it is given dies when it returns. */
#ifndef COMQTT_HOOKS_H
#define COMQTT_HOOKS_H
#ifndef COMQTT_H_INSIDE
#error "Include <comqtt.h> instead."
#endif

#include "base.h"
#include "client.h"
#include "observe.h"
#include "packet.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Answer to a question. The hooks are asked in order; the first ALLOW or DENY decides; all NEXT = denied. */
typedef int32_t comqtt_verdict;
enum {
    COMQTT_NEXT = 0,
    COMQTT_ALLOW = 1,
    COMQTT_DENY = 2,
    COMQTT_VERDICT_PENDING = 3 /**< a deferral taken with comqtt_event_defer will answer */
};

/** Answer to an event that can stop or change something. The first answer that is not PROCEED ends the chain. */
typedef int32_t comqtt_action;
enum {
    COMQTT_PROCEED = 0, /**< go on, with the packet as edited */
    COMQTT_REJECT = 1,  /**< drop silently */
    COMQTT_IGNORE = 2,  /**< acknowledge, do nothing else */
    COMQTT_FAIL = 3,    /**< refuse with the reason of comqtt_event_set_reason */
    COMQTT_ACTION_PENDING = 4
};

/** What on_acl_check asks about. */
typedef int32_t comqtt_access;
enum { COMQTT_READ = 1 /**< subscribe, receive */, COMQTT_WRITE = 2 /**< publish */ };

/** Why a connection ended. */
typedef struct comqtt_disconnect {
    size_t struct_size;
    comqtt_reason reason;
    comqtt_str text; /**< the cause in words; empty for a clean DISCONNECT */
    bool by_client;  /**< the client ended it, by DISCONNECT or by closing */
    bool clean;      /**< the client sent DISCONNECT */
    bool expire;     /**< the session ends with the connection */
} comqtt_disconnect;

/** One receiver of a message. */
typedef struct comqtt_receiver {
    size_t struct_size;
    comqtt_str client_id;
    comqtt_str filter; /**< `$share/...` included */
    bool shared;       /**< member of a shared subscription's group */
    bool chosen;       /**< will get the message */
    uint8_t qos;
} comqtt_receiver;

/** The hook table. Fill in what is wanted, leave the rest NULL; copied by comqtt_server_add_hook. "edit" = the
 * packet may be changed until the callback returns (or its deferral completes). Unless said otherwise an event of
 * an inline client is reported like that of any client. */
typedef struct comqtt_hooks {
    size_t struct_size;
    uint32_t flags; /**< 0 */
    const char* id; /**< name in logs and errors; NULL = "hook" */

    /** The hook is being added, on the calling thread. Anything but COMQTT_OK keeps it out. */
    comqtt_status (*init)(void* user, comqtt_server* server);
    /** The server has stopped, its start has failed, or the hook was removed. Last call of this table; once after each
     * `init` that was COMQTT_OK. */
    void (*stop)(void* user);

    /** Listeners accept. comqtt_server_start waits for it. */
    void (*on_started)(void* user, comqtt_event* event);
    /** Last event of the server. */
    void (*on_stopped)(void* user, comqtt_event* event);
    /** May this CONNECT come in? After on_connect. Denied: CONNACK 0x86 or the event's reason. */
    comqtt_verdict (*on_connect_authenticate)(void* user, comqtt_event* event, comqtt_client* client,
                                              const comqtt_packet* packet);
    /** May the client publish to this topic name, or subscribe to this filter text? Once per PUBLISH, per SUBSCRIBE
     * filter and, when it receives, per topic; verdicts are cached per session (options limits.acl-cache-*). Not asked
     * for inline clients and wills. */
    comqtt_verdict (*on_acl_check)(void* user, comqtt_event* event, comqtt_client* client, comqtt_str topic,
                                   comqtt_access access);
    /** After each round of $SYS topics. */
    void (*on_sys_info_tick)(void* user, comqtt_event* event, const comqtt_metrics* metrics);
    /** CONNECT was read and is valid; before authentication. REJECT closes without CONNACK, FAIL with one. */
    comqtt_action (*on_connect)(void* user, comqtt_event* event, comqtt_client* client,
                                comqtt_packet* packet);
    /** Authenticated; before the session is found or made and before CONNACK. */
    void (*on_session_establish)(void* user, comqtt_event* event, comqtt_client* client,
                                 const comqtt_packet* packet);
    /** After CONNACK and after messages in flight were sent again. */
    void (*on_session_established)(void* user, comqtt_event* event, comqtt_client* client,
                                   const comqtt_packet* packet);
    /** The connection of a client whose session was established has ended, whatever the cause. */
    void (*on_disconnect)(void* user, comqtt_event* event, comqtt_client* client,
                          const comqtt_disconnect* info);
    /** AUTH was received, or CONNECT with an Authentication Method (shown as an AUTH packet). A hook that knows the
     * method edits the packet and answers PROCEED: with reason COMQTT_REASON_CONTINUE_AUTHENTICATION it goes to the
     * client as it is, with COMQTT_REASON_SUCCESS the exchange has succeeded. FAIL, or no hook that edits, ends it. */
    comqtt_action (*on_auth_packet)(void* user, comqtt_event* event, comqtt_client* client,
                                    comqtt_packet* packet);
    /** Any packet was read, CONNECT included; edit. REJECT and IGNORE drop the packet as if it had not been sent. At
     * CONNECT the client is what the packet says: its id is empty when the server is to give it one, and after an edit
     * of the packet the client is what that says (texts borrowed from the client before are void then). */
    comqtt_action (*on_packet_read)(void* user, comqtt_event* event, comqtt_client* client,
                                    comqtt_packet* packet);
    /** Before a packet to a client is encoded; edit. A hook that fills this slot switches shared encoding off. */
    void (*on_packet_encode)(void* user, comqtt_event* event, comqtt_client* client, comqtt_packet* packet);
    /** A packet was written; `bytes` is its wire form. */
    void (*on_packet_sent)(void* user, comqtt_event* event, comqtt_client* client,
                           const comqtt_packet* packet, comqtt_bytes bytes);
    /** A packet from a client was handled, with `reason` >= 0x80 when it failed. Not for CONNECT. */
    void (*on_packet_processed)(void* user, comqtt_event* event, comqtt_client* client,
                                const comqtt_packet* packet, comqtt_reason reason);
    /** SUBSCRIBE, before its filters are processed; edit. */
    void (*on_subscribe)(void* user, comqtt_event* event, comqtt_client* client, comqtt_packet* packet);
    /** Filters processed, before SUBACK. counts[i] = subscribers now on that filter (in that shared group);
     * `count` entries, as many as codes. */
    void (*on_subscribed)(void* user, comqtt_event* event, comqtt_client* client, const comqtt_packet* packet,
                          comqtt_bytes reason_codes, const int32_t* counts, size_t count);
    /** The receivers of a message were found, one member of each shared group among them; change that with
     * comqtt_selection_choose and comqtt_selection_add. */
    void (*on_select_subscribers)(void* user, comqtt_event* event, comqtt_selection* selection,
                                  const comqtt_packet* packet);
    /** UNSUBSCRIBE, before its filters are processed; edit. */
    void (*on_unsubscribe)(void* user, comqtt_event* event, comqtt_client* client, comqtt_packet* packet);
    /** Filters removed, before UNSUBACK; also when a session ends. */
    void (*on_unsubscribed)(void* user, comqtt_event* event, comqtt_client* client,
                            const comqtt_packet* packet, comqtt_bytes reason_codes, const int32_t* counts,
                            size_t count);
    /** PUBLISH of a client, allowed by the ACL; edit (topic, payload, QoS, RETAIN, properties; the ACL is not asked
     * again). Of an inline client too, whose later messages wait behind a PENDING one. REJECT: dropped, with an acknowledgement all the same, so that the publisher does not stall. IGNORE: taken for
     * published (on_published follows), but neither retained nor delivered. FAIL: dropped, acknowledged with the
     * event's reason (5.0, QoS > 0). Not for wills. */
    comqtt_action (*on_publish)(void* user, comqtt_event* event, comqtt_client* client,
                                comqtt_packet* packet);
    /** After the message was handed to its receivers. */
    void (*on_published)(void* user, comqtt_event* event, comqtt_client* client, const comqtt_packet* packet);
    /** A message will not reach this receiver: too much waits for it already, it does not take what it is sent, or the
     * message is larger than its maximum packet size. It is counted in messages_dropped and logged, too. */
    void (*on_publish_dropped)(void* user, comqtt_event* event, comqtt_client* client,
                               const comqtt_packet* packet);
    /** The retained messages changed: 1 = stored, -1 = removed, 0 = nothing there to remove. */
    void (*on_retain_message)(void* user, comqtt_event* event, comqtt_client* client,
                              const comqtt_packet* packet, int32_t change);
    /** A retained message was sent to this client because it subscribed. */
    void (*on_retain_published)(void* user, comqtt_event* event, comqtt_client* client,
                                const comqtt_packet* packet);
    /** A message with QoS > 0 went in flight, or was sent again. */
    void (*on_qos_publish)(void* user, comqtt_event* event, comqtt_client* client,
                           const comqtt_packet* packet, int64_t sent_unix_ms, int32_t resends);
    /** A QoS 1 or 2 exchange is complete; the packet is the acknowledgement. */
    void (*on_qos_complete)(void* user, comqtt_event* event, comqtt_client* client,
                            const comqtt_packet* packet);
    /** A message in flight or waiting expired, or its session ended. Of a message that only a store holds, counted in
     * inflight_dropped, this is not told: it is not read for that. */
    void (*on_qos_dropped)(void* user, comqtt_event* event, comqtt_client* client,
                           const comqtt_packet* packet);
    /** No packet id is free for a message to this client. */
    void (*on_packet_id_exhausted)(void* user, comqtt_event* event, comqtt_client* client,
                                   const comqtt_packet* packet);
    /** A connection ended without DISCONNECT; edit the will (a PUBLISH). Any answer but PROCEED suppresses it. */
    comqtt_action (*on_will)(void* user, comqtt_event* event, comqtt_client* client, comqtt_packet* packet);
    /** The will was published. */
    void (*on_will_sent)(void* user, comqtt_event* event, comqtt_client* client, const comqtt_packet* packet);
    /** A session ended by expiry. */
    void (*on_client_expired)(void* user, comqtt_event* event, comqtt_client* client);
    /** A retained message expired. */
    void (*on_retained_expired)(void* user, comqtt_event* event, comqtt_str topic);
    /** Start: hand over the stored sessions. COMQTT_OK = this hook has them, NOT_FOUND = it has none (the next one
     * is asked); any other status stops the start. The same for the slots that follow. */
    comqtt_status (*stored_clients)(void* user, comqtt_event* event, comqtt_sink* sink);
    comqtt_status (*stored_subscriptions)(void* user, comqtt_event* event, comqtt_sink* sink);
    comqtt_status (*stored_inflight_messages)(void* user, comqtt_event* event, comqtt_sink* sink);
    comqtt_status (*stored_retained_messages)(void* user, comqtt_event* event, comqtt_sink* sink);
    /** Counters of the last run, into `out_metrics`. */
    comqtt_status (*stored_sys_info)(void* user, comqtt_event* event, comqtt_metrics* out_metrics);
    /** The shared groups that matched a message and the member each was given to. */
    void (*on_published_with_shared_filters)(void* user, comqtt_event* event, const comqtt_packet* packet,
                                             const comqtt_selection* selection);
    /** Lazy loading of one session or topic; answers as above. */
    comqtt_status (*stored_client_by_id)(void* user, comqtt_event* event, comqtt_str client_id,
                                         comqtt_sink* sink);
    comqtt_status (*stored_subscriptions_by_client)(void* user, comqtt_event* event, comqtt_str client_id,
                                                    comqtt_sink* sink);
    comqtt_status (*stored_inflight_by_client)(void* user, comqtt_event* event, comqtt_str client_id,
                                               comqtt_sink* sink);
    comqtt_status (*stored_retained_by_topic)(void* user, comqtt_event* event, comqtt_str topic,
                                              comqtt_sink* sink);
    /** What the server changed of the stored state since the last batch of this thread: storage.h says what is in it
     * and what waits for it. COMQTT_OK = stored; COMQTT_PENDING = comqtt_changes_complete follows, from any thread (keep
     * the batch with comqtt_changes_retain); any other status = not stored. Must not block. */
    comqtt_status (*store_changes)(void* user, comqtt_event* event, comqtt_changes* changes);
    /** A client connected whose session is not known here, for stores that several servers share: fill the request
     * and answer COMQTT_OK, or COMQTT_PENDING and complete it from any thread (keep it with comqtt_load_retain);
     * NOT_FOUND = no such session. Its CONNECT waits. */
    comqtt_status (*load_session)(void* user, comqtt_event* event, comqtt_load* load);
    /** A page of the stored messages of a session is wanted: one that was restored without them, or whose queue has
     * outgrown its place in memory. Answers as above. */
    comqtt_status (*load_messages)(void* user, comqtt_event* event, comqtt_load* load);
} comqtt_hooks;

/** Size of the table in version 1.0. */
#define COMQTT_HOOKS_SIZE_1_0 \
    (offsetof(comqtt_hooks, load_messages) + sizeof(((comqtt_hooks*)0)->load_messages))

/** An empty table with its size set. Since 1.0. */
static inline comqtt_hooks comqtt_hooks_init(void) {
    comqtt_hooks table;
    memset(&table, 0, sizeof table);
    table.struct_size = sizeof table;
    return table;
}
/** A zeroed record with its size set. Since 1.0. */
static inline comqtt_receiver comqtt_receiver_init(void) {
    comqtt_receiver record;
    memset(&record, 0, sizeof record);
    record.struct_size = sizeof record;
    return record;
}

/** Adds a hook behind those that are there; legal before and after start (stored_* are asked at start only). The
 * table is copied; `drop(user)` runs after the hook's last callback. `*out_hook` (may be NULL) gets its number.
 * Errors: UNSUPPORTED for a table with slots this library does not know; CALLBACK when init failed; CLOSED. Since
 * 1.0. */
COMQTT_API comqtt_status comqtt_server_add_hook(comqtt_server* server, const comqtt_hooks* hooks, void* user,
                                                comqtt_drop_fn drop, uint64_t* out_hook,
                                                comqtt_error** out_error);
/** Removes a hook; returns after its running callbacks have ended, at once inside a callback. Errors: NOT_FOUND;
 * CLOSED. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_remove_hook(comqtt_server* server, uint64_t hook);
/** Forgets every cached ACL verdict, after rules changed. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_clear_acl_cache(comqtt_server* server);

/** The server an event belongs to, borrowed. Since 1.0. */
COMQTT_API comqtt_server* comqtt_event_server(const comqtt_event* event);
/** Name of the event's slot, e.g. "on_publish". Static; NULL for NULL. Since 1.0. */
COMQTT_API const char* comqtt_event_name(const comqtt_event* event);
/** The server's clock, unix ms. Since 1.0. */
COMQTT_API int64_t comqtt_event_time_unix_ms(const comqtt_event* event);
/** Reason code and Reason String to use when the answer is DENY or FAIL; `text` may be absent. Since 1.0. */
COMQTT_API comqtt_status comqtt_event_set_reason(comqtt_event* event, comqtt_reason reason, comqtt_str text);
/** In on_acl_check: the answer ALLOW or DENY holds for every topic of this client with this access, until the verdict's
 * lifetime (limits.acl-cache-lifetime-ms) is over; spares asking once for each topic. Heeded when no hook was asked
 * before this one. Errors: STATE in other events. Since 1.0. */
COMQTT_API comqtt_status comqtt_event_set_for_all_topics(comqtt_event* event);
/** The callback itself failed: `message` is logged with the hook, the event and the client (not more than ten lines a
 * second; the metric hook_failures counts all), and whatever the callback answers, an event that can refuse refuses:
 * on_connect_authenticate and on_acl_check deny (the verdict is not cached), on_connect, on_auth_packet and on_publish
 * FAIL, on_subscribe refuses all filters, on_packet_read refuses a CONNECT, PUBLISH or SUBSCRIBE and drops any other
 * packet, on_will keeps the will back. The reason of a FAIL is the event's, or
 * COMQTT_REASON_IMPLEMENTATION_SPECIFIC_ERROR. The hooks behind are not asked. A thrown exception, an answer that does not exist and PENDING without a deferral count as
 * failures too. With option hooks.on-failure=proceed a failed callback counts as NEXT or PROCEED. Since 1.0. */
COMQTT_API comqtt_status comqtt_event_fail(comqtt_event* event, comqtt_str message);

/** Takes the token behind a PENDING answer, owned by the caller: complete or release it, then or later, from any
 * thread, also before the callback has returned; and answer PENDING. While it is pending the client's input waits
 * and everyone else goes on. After the option limits.deferral-timeout-ms the answer is DENY / FAIL. NULL when the
 * event cannot wait (only questions and on_connect, on_auth_packet, on_publish can), when too many are waiting,
 * or when this call was given one already. Since 1.0. */
COMQTT_API comqtt_deferral* comqtt_event_defer(comqtt_event* event);
/** Answers, and ends the token whatever is returned: using it again is a mistake that is answered by STATE (NULL, true)
 * and counted in the metric deferrals_misused. `answer` is a comqtt_verdict or comqtt_action by the event
 * (not PENDING); `reason` and `text` as in comqtt_event_set_reason, used when `reason` is not 0 or `text` is not
 * absent. Errors: CANCELLED (the client has gone; one that closed behind its PUBLISH goes when that is answered),
 * TIMEOUT (too late), CLOSED (the server has gone), INVALID_ARGUMENT (an answer that does not exist; taken as DENY / FAIL). Since 1.0. */
COMQTT_API comqtt_status comqtt_deferral_complete(comqtt_deferral* deferral, int32_t answer,
                                                  comqtt_reason reason, comqtt_str text);
/** The same, with the answer held back for `delay_ms` of the server's clock, which slows down guessing; for no longer
 * than limits.deferral-timeout-ms. Since 1.0. */
COMQTT_API comqtt_status comqtt_deferral_complete_after(comqtt_deferral* deferral, int64_t delay_ms,
                                                        int32_t answer, comqtt_reason reason,
                                                        comqtt_str text);
/** Gives up: DENY / FAIL. Ends the token; NULL is ignored. Since 1.0. */
COMQTT_API void comqtt_deferral_release(comqtt_deferral* deferral);
/** The client that waits, borrowed from the token. Since 1.0. */
COMQTT_API comqtt_client* comqtt_deferral_client(const comqtt_deferral* deferral);
/** The packet in question, borrowed from the token; editable where the event's is, until the token is completed.
 * NULL for on_acl_check of a delivery. Since 1.0. */
COMQTT_API comqtt_packet* comqtt_deferral_packet(const comqtt_deferral* deferral);
/** True when nobody waits any more. Since 1.0. */
COMQTT_API bool comqtt_deferral_is_cancelled(const comqtt_deferral* deferral);
/** Calls `fn(user)` once if the token is cancelled or times out, on any thread, at once if it is already; then
 * `drop(user)`. The token still has to be completed or released. Since 1.0. */
COMQTT_API comqtt_status comqtt_deferral_on_cancel(comqtt_deferral* deferral, void (*fn)(void* user),
                                                   void* user, comqtt_drop_fn drop);

/** Number of receivers in a selection. Since 1.0. */
COMQTT_API size_t comqtt_selection_count(const comqtt_selection* selection);
/** Receiver `index`; views die with the callback. Errors: NOT_FOUND past the end. Since 1.0. */
COMQTT_API comqtt_status comqtt_selection_receiver(const comqtt_selection* selection, size_t index,
                                                   comqtt_receiver* out_receiver);
/** Gives the message to a receiver, or not. In a shared group choosing one member takes the others' turn away.
 * Errors: NOT_FOUND; STATE outside on_select_subscribers. Since 1.0. */
COMQTT_API comqtt_status comqtt_selection_choose(comqtt_selection* selection, size_t index, bool chosen);
/** Gives the message to one more client, subscribed or not, with at most `qos`; its read ACL is asked as for a
 * subscription. One that is chosen already keeps the greater QoS; one without a session is passed over. Errors:
 * INVALID_ARGUMENT for an empty id or a QoS above 2; STATE outside on_select_subscribers. Since 1.0. */
COMQTT_API comqtt_status comqtt_selection_add(comqtt_selection* selection, comqtt_str client_id, uint8_t qos);

/** Settings of the debug hook. */
typedef struct comqtt_debug_config {
    size_t struct_size;
    bool show_packet_data; /**< payloads and the fields of each packet */
    bool show_pings;
    bool show_passwords;
} comqtt_debug_config;

/** A zeroed record with its size set. Since 1.0. */
static inline comqtt_debug_config comqtt_debug_config_init(void) {
    comqtt_debug_config record;
    memset(&record, 0, sizeof record);
    record.struct_size = sizeof record;
    return record;
}

/** Built-in hook "allow-all-auth": everyone may do everything. Errors as comqtt_server_add_hook. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_add_allow_all(comqtt_server* server, uint64_t* out_hook,
                                                     comqtt_error** out_error);
/** Built-in hook "allow-loopback": clients from a loopback address, a unix socket or a pipe may do everything; about
 * others it answers NEXT. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_add_allow_loopback(comqtt_server* server, uint64_t* out_hook,
                                                          comqtt_error** out_error);
/** Built-in hook "debug": logs what goes on, at level debug. `config` NULL = all false. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_add_debug_hook(comqtt_server* server,
                                                      const comqtt_debug_config* config, uint64_t* out_hook,
                                                      comqtt_error** out_error);

#ifdef __cplusplus
}
#endif
#endif
