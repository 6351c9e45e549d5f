/* Clients: what the server knows of a connection, an inline client or a session without a connection.
 *
 * A client given to a callback lives as long as the callback unless retained. A retained client may outlive its
 * connection and its server: its accessors then give the last values, its operations COMQTT_ERR_CLOSED. Identity
 * never changes; counters and times are read while the server writes them, each value by itself. All functions: any
 * thread. */
#ifndef COMQTT_CLIENT_H
#define COMQTT_CLIENT_H
#ifndef COMQTT_H_INSIDE
#error "Include <comqtt.h> instead."
#endif

#include "base.h"
#include "packet.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Receives one client of a list, borrowed. Return false to end the list. */
typedef bool (*comqtt_client_fn)(void* user, comqtt_client* client);
/** Receives one subscription of a list, borrowed. Return false to end the list. */
typedef bool (*comqtt_subscription_fn)(void* user, const comqtt_subscription* subscription);

/** Adds a count. Returns its argument; NULL gives NULL. Since 1.0. */
COMQTT_API comqtt_client* comqtt_client_retain(const comqtt_client* client);
/** Gives a count back; NULL is ignored. Since 1.0. */
COMQTT_API void comqtt_client_release(comqtt_client* client);

/** Client identifier; empty in on_packet_read of a CONNECT that has none. Since 1.0. */
COMQTT_API comqtt_str comqtt_client_id(const comqtt_client* client);
/** User name of CONNECT; empty when it had none. Since 1.0. */
COMQTT_API comqtt_str comqtt_client_username(const comqtt_client* client);
/** Peer: "ip:port", "[v6]:port", or what the transport calls it. Since 1.0. */
COMQTT_API comqtt_str comqtt_client_remote(const comqtt_client* client);
/** Id of the listener the connection came through. Since 1.0. */
COMQTT_API comqtt_str comqtt_client_listener(const comqtt_client* client);
/** Protocol version. Since 1.0. */
COMQTT_API comqtt_protocol comqtt_client_version(const comqtt_client* client);
/** Clean Start flag of CONNECT. Since 1.0. */
COMQTT_API bool comqtt_client_clean_start(const comqtt_client* client);
/** True for clients made by comqtt_server_new_inline_client and the server's own. Since 1.0. */
COMQTT_API bool comqtt_client_is_inline(const comqtt_client* client);
/** True while the connection lasts. Since 1.0. */
COMQTT_API bool comqtt_client_is_connected(const comqtt_client* client);
/** Keep alive in force, seconds; 0 = none. Since 1.0. */
COMQTT_API uint16_t comqtt_client_keep_alive(const comqtt_client* client);
/** Replaces the keep alive; a 5.0 client is told by Server Keep Alive in its CONNACK. Errors: STATE once the
 * session exists: legal in on_connect and on_connect_authenticate. Since 1.0. */
COMQTT_API comqtt_status comqtt_client_set_keep_alive(comqtt_client* client, uint16_t seconds);
/** When CONNECT came, unix ms. Since 1.0. */
COMQTT_API int64_t comqtt_client_connected_unix_ms(const comqtt_client* client);
/** When the connection ended, unix ms; 0 = it has not. Since 1.0. */
COMQTT_API int64_t comqtt_client_disconnected_unix_ms(const comqtt_client* client);
/** Session Expiry Interval in force, seconds; 0xFFFFFFFF = never. Since 1.0. */
COMQTT_API uint32_t comqtt_client_session_expiry_s(const comqtt_client* client);
/** Bytes received on this connection. Since 1.0. */
COMQTT_API uint64_t comqtt_client_bytes_in(const comqtt_client* client);
/** Bytes sent on this connection. Since 1.0. */
COMQTT_API uint64_t comqtt_client_bytes_out(const comqtt_client* client);
/** QoS 1 and 2 messages sent and not yet acknowledged. Since 1.0. */
COMQTT_API uint32_t comqtt_client_inflight_count(const comqtt_client* client);
/** Messages waiting in the session's queue. Since 1.0. */
COMQTT_API uint32_t comqtt_client_queued_count(const comqtt_client* client);
/** The will as the client sent it, as a new PUBLISH with the will properties, owned by the caller. Errors:
 * NOT_FOUND when there is none. Since 1.0. */
COMQTT_API comqtt_status comqtt_client_will(const comqtt_client* client, comqtt_packet** out_packet);

/** The application's pointer. Since 1.0. */
COMQTT_API void* comqtt_client_user(const comqtt_client* client);
/** Sets the application's pointer; the former one is dropped, this one when the client dies or on failure. Since
 * 1.0. */
COMQTT_API comqtt_status comqtt_client_set_user(comqtt_client* client, void* user, comqtt_drop_fn drop);

/** Ends the connection: DISCONNECT with `reason` for 5.0 clients, then close. The will follows the specification.
 * Returns at once. Errors: CLOSED when there is no connection or the server is gone. Since 1.0. */
COMQTT_API comqtt_status comqtt_client_disconnect(comqtt_client* client, comqtt_reason reason);
/** Ends the connection and the session. Returns at once. Errors: CLOSED. Since 1.0. */
COMQTT_API comqtt_status comqtt_client_expire(comqtt_client* client);
/** Sends a packet to this client only, in the form of its version; copies it. It passes neither ACL nor routing. A
 * PUBLISH with QoS 1 or 2 gets a packet id and is tracked like any other. Errors: CLOSED; PROTOCOL for a packet
 * that a server may not send; QUEUE_FULL. Since 1.0. */
COMQTT_API comqtt_status comqtt_client_send(comqtt_client* client, const comqtt_packet* packet);
/** Calls `fn` for each subscription of the client's session. Errors: CLOSED. Since 1.0. */
COMQTT_API comqtt_status comqtt_client_each_subscription(const comqtt_client* client,
                                                         comqtt_subscription_fn fn, void* user);

#ifdef __cplusplus
}
#endif
#endif
