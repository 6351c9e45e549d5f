/* Servers: life cycle, listeners, in-memory pipes, look-up of clients, the inline client, retained messages. */
#ifndef COMQTT_SERVER_H
#define COMQTT_SERVER_H
#ifndef COMQTT_H_INSIDE
#error "Include <comqtt.h> instead."
#endif

#include "base.h"
#include "client.h"
#include "options.h"
#include "packet.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Where a server stands in its life. */
typedef int32_t comqtt_state;
enum {
    COMQTT_STATE_NEW = 0,
    COMQTT_STATE_STARTING = 1,
    COMQTT_STATE_RUNNING = 2,
    COMQTT_STATE_STOPPING = 3,
    COMQTT_STATE_STOPPED = 4
};

/** New server. The options are copied (NULL = defaults); nothing is started. Everything is denied until a hook
 * allows it. Errors: CONFIG. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_new(const comqtt_options* options, comqtt_server** out_server,
                                           comqtt_error** out_error);
/** Loads stored state, opens the listeners, starts the threads; returns when the server accepts. On failure
 * everything is closed again, hooks have been told by `stop`, and the server is STOPPED. Errors: STATE (started
 * before), REENTRANT, ADDRESS_IN_USE, ADDRESS, STORAGE, CLOSED (stopped meanwhile). Since 1.0. */
COMQTT_API comqtt_status comqtt_server_start(comqtt_server* server, comqtt_error** out_error);
/** comqtt_server_start, then waits until something stops the server. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_run(comqtt_server* server, comqtt_error** out_error);
/** Begins to stop and returns at once; legal in callbacks and again. Clients get DISCONNECT 0x8B (5.0) and up to
 * `drain_ms` to take it; called again with less, they get less. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_stop(comqtt_server* server, int64_t drain_ms);
/** Waits until the server is STOPPED; timeout_ms < 0 = for ever. Errors: TIMEOUT; REENTRANT in a callback; STATE
 * when it was never started or stopped. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_wait(comqtt_server* server, int64_t timeout_ms);
/** Stops, waits and frees; NULL is ignored. Legal while clients, packets, deferrals and pipes of the server are
 * still held: their operations then answer CLOSED. Inside a callback it returns at once: the server stops now and is
 * freed after the last callback. The handle is invalid after the call. Since 1.0. */
COMQTT_API void comqtt_server_free(comqtt_server* server);

/** Where the server stands; STOPPED for NULL. Since 1.0. */
COMQTT_API comqtt_state comqtt_server_state(const comqtt_server* server);
/** COMQTT_OK when running and the stores commit; STATE when not running; STORAGE with the reason while a store cannot
 * commit or is slow. Any thread. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_ready(const comqtt_server* server, comqtt_error** out_error);
/** The options in force, read-only, borrowed from the server. NULL for NULL. Since 1.0. */
COMQTT_API const comqtt_options* comqtt_server_options(const comqtt_server* server);
/** Moves the clock of a server made with option clock=manual by `ms` and returns when everything that fell due has
 * happened. Errors: STATE for a server with another clock or not running; INVALID_ARGUMENT below 0; REENTRANT.
 * Since 1.0. */
COMQTT_API comqtt_status comqtt_server_advance(comqtt_server* server, int64_t ms);
/** The server's clock, unix ms. Since 1.0. */
COMQTT_API int64_t comqtt_server_now_unix_ms(const comqtt_server* server);

/** What a listener listens on. */
typedef int32_t comqtt_listener_kind;
enum {
    COMQTT_LISTENER_TCP = 1,
    COMQTT_LISTENER_UNIX = 2,
    COMQTT_LISTENER_PIPE = 3 /**< in-memory; comqtt_pipe_open connects to it */
};

/** A listener to be. */
typedef struct comqtt_listener_config {
    size_t struct_size;
    comqtt_str id; /**< unique in the server */
    comqtt_listener_kind kind;
    comqtt_str address; /**< TCP: "host:port", ":port", "[v6]:port", port 0 = any; UNIX: path */
    int32_t backlog;    /**< 0 = 1024 */
} comqtt_listener_config;

/** A zeroed record with its size set. Since 1.0. */
static inline comqtt_listener_config comqtt_listener_config_init(void) {
    comqtt_listener_config record;
    memset(&record, 0, sizeof record);
    record.struct_size = sizeof record;
    return record;
}

/** What is known of a listener; views live as long as the callback. */
typedef struct comqtt_listener_info {
    size_t struct_size;
    comqtt_str id;
    comqtt_str protocol; /**< "tcp", "unix", "pipe" */
    comqtt_str address;  /**< as bound */
    uint16_t port;       /**< as bound; 0 for others than TCP */
    uint64_t connections;
} comqtt_listener_info;

/** Receives one listener. Return false to end the list. */
typedef bool (*comqtt_listener_fn)(void* user, const comqtt_listener_info* info);

/** Adds a listener, before or after start; the address is bound here, connections are accepted from start on. Errors: EXISTS for an id in
 * use; ADDRESS, ADDRESS_IN_USE, IO; CLOSED once stopping. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_listen(comqtt_server* server, const comqtt_listener_config* config,
                                              comqtt_error** out_error);
/** Adds an already listening stream socket (of kind TCP or UNIX), owned by the server on success. Errors as above.
 * Since 1.0. */
COMQTT_API comqtt_status comqtt_server_listen_fd(comqtt_server* server, comqtt_str id,
                                                 comqtt_listener_kind kind, int fd, comqtt_error** out_error);
/** Closes a listener; its clients stay unless `disconnect_clients`. Errors: NOT_FOUND. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_unlisten(comqtt_server* server, comqtt_str id, bool disconnect_clients,
                                                comqtt_error** out_error);
/** Bound port of a TCP listener; 0 when there is none of that id. Since 1.0. */
COMQTT_API uint16_t comqtt_server_listener_port(const comqtt_server* server, comqtt_str id);
/** Calls `fn` for each listener. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_each_listener(const comqtt_server* server, comqtt_listener_fn fn,
                                                     void* user);
/** Takes one connected stream socket, owned by the server on success, as if listener `listener_id` had accepted it.
 * `remote` names the peer (absent = asked of the socket). Errors: STATE unless running; NOT_FOUND; IO. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_adopt(comqtt_server* server, comqtt_str listener_id, int fd,
                                             comqtt_str remote, comqtt_error** out_error);

/** Opens an in-memory connection to the server: the caller writes what a client would send. The listener is of kind
 * PIPE and is made when there is none of that id. The pipe is counted and belongs to the caller. Errors: STATE
 * unless running; EXISTS when the id is another kind of listener. Since 1.0. */
COMQTT_API comqtt_status comqtt_pipe_open(comqtt_server* server, comqtt_str listener_id, comqtt_str remote,
                                          comqtt_pipe** out_pipe, comqtt_error** out_error);
/** Adds a count. Returns its argument. Since 1.0. */
COMQTT_API comqtt_pipe* comqtt_pipe_retain(comqtt_pipe* pipe);
/** Gives a count back; the last one closes the connection. NULL is ignored. Since 1.0. */
COMQTT_API void comqtt_pipe_release(comqtt_pipe* pipe);
/** Sends bytes to the server, all or none. Errors: CLOSED; QUEUE_FULL when the server has too much unread: read, and
 * try again or write less. Since 1.0. */
COMQTT_API comqtt_status comqtt_pipe_write(comqtt_pipe* pipe, comqtt_bytes bytes);
/** Reads up to `capacity` bytes from the server; waits up to timeout_ms for the first (0 = not at all, < 0 = for
 * ever). Errors: TIMEOUT; CLOSED when the server has closed and all was read; REENTRANT for a wait in a callback.
 * Since 1.0. */
COMQTT_API comqtt_status comqtt_pipe_read(comqtt_pipe* pipe, uint8_t* buffer, size_t capacity,
                                          int64_t timeout_ms, size_t* out_len);
/** Closes the connection as a client does that vanishes. Since 1.0. */
COMQTT_API comqtt_status comqtt_pipe_close(comqtt_pipe* pipe);

/** Finds a client by its id: connected, or a session without a connection. `*out_client` is retained for the
 * caller. Errors: NOT_FOUND; CLOSED. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_client(comqtt_server* server, comqtt_str id,
                                              comqtt_client** out_client);
/** Calls `fn` for each client there is when the call begins. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_each_client(comqtt_server* server, comqtt_client_fn fn, void* user);
/** Number of clients; of connected ones only if asked. Since 1.0. */
COMQTT_API size_t comqtt_server_client_count(const comqtt_server* server, bool connected_only);
/** Blocks a client id: it is disconnected and refused (0x8A) from now on. Errors: QUOTA as QUEUE_FULL. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_block_client(comqtt_server* server, comqtt_str id);
/** Errors: NOT_FOUND. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_unblock_client(comqtt_server* server, comqtt_str id);
/** Calls `fn` for each blocked client id. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_each_blocked(const comqtt_server* server, comqtt_str_fn fn,
                                                    void* user);

/** Publishes a message as the client "inline": hooks see it, the ACL is not asked, `$SYS` topics are allowed. `qos`
 * is the most that subscribers get. Returns when it is on its way. Errors: INLINE_DISABLED; PROTOCOL for a topic
 * name that cannot be; QUEUE_FULL, with reason 0x97 when it is to be retained, its topic is not yet, and the server
 * holds as many retained messages as it may; STATE before the start, CLOSED after the end. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_publish(comqtt_server* server, comqtt_str topic, comqtt_bytes payload,
                                               uint8_t qos, bool retain, comqtt_error** out_error);
/** The same with a PUBLISH of any properties; copies it. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_publish_packet(comqtt_server* server, const comqtt_packet* packet,
                                                      comqtt_error** out_error);

/** Receives a message of an inline subscription. `subscription` is what comqtt_server_subscribe stored; the client
 * and the frozen packet are borrowed. */
typedef void (*comqtt_message_fn)(void* user, uint64_t subscription, comqtt_client* client,
                                  const comqtt_packet* packet);

/** Subscribes inside the process: no ACL; retained messages come first. `identifier` (0 = none) appears in the
 * packets as Subscription Identifier. Also before the start. Errors: INLINE_DISABLED; PROTOCOL for an invalid filter;
 * CLOSED after the end. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_subscribe(comqtt_server* server, comqtt_str filter, uint8_t qos,
                                                 uint32_t identifier, comqtt_message_fn fn, void* user,
                                                 comqtt_drop_fn drop, uint64_t* out_subscription,
                                                 comqtt_error** out_error);
/** Ends an inline subscription; when it returns (outside callbacks) `fn` is not called any more. Errors: NOT_FOUND.
 * Since 1.0. */
COMQTT_API comqtt_status comqtt_server_unsubscribe(comqtt_server* server, uint64_t subscription);
/** Makes another inline client, for comqtt_server_inject; retained for the caller. It is there until
 * comqtt_client_expire or the server's end. Errors: EXISTS. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_new_inline_client(comqtt_server* server, comqtt_str id,
                                                         comqtt_client** out_client,
                                                         comqtt_error** out_error);
/** Processes a copy of `packet`, of any type, as if `client` had sent it; returns when it is queued behind what the
 * client sent before. Its version is taken to be the client's. Errors: PROTOCOL for a packet that breaks a rule;
 * CLOSED; INVALID_ARGUMENT for a client of another server. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_inject(comqtt_server* server, comqtt_client* client,
                                              const comqtt_packet* packet, comqtt_error** out_error);

/** Receives one packet of a list, borrowed. Return false to end the list. */
typedef bool (*comqtt_packet_fn)(void* user, const comqtt_packet* packet);

/** Calls `fn` with each retained message whose topic matches `filter`, as a frozen PUBLISH. Errors: PROTOCOL for an
 * invalid filter. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_each_retained(comqtt_server* server, comqtt_str filter,
                                                     comqtt_packet_fn fn, void* user);
/** Removes the retained message of a topic. Errors: NOT_FOUND when there is none; inside a callback that may not be
 * known yet and be OK; INVALID_ARGUMENT for a topic name that cannot be; CLOSED after the end. Since 1.0. */
COMQTT_API comqtt_status comqtt_server_clear_retained(comqtt_server* server, comqtt_str topic);

#ifdef __cplusplus
}
#endif
#endif
