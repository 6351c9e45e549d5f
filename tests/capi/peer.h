/* A small MQTT client over an in-memory pipe, made of comqtt_packet_encode and _decode, and the servers it talks to. */
#ifndef COMQTT_TESTS_PEER_H
#define COMQTT_TESTS_PEER_H

#include <comqtt.h>

typedef struct peer {
    comqtt_pipe* pipe;
    comqtt_protocol version;
    size_t used;
    uint8_t bytes[70000];
} peer;

/* Options: one thread, or COMQTT_TEST_THREADS of them; with the clock moved by comqtt_server_advance when `manual`. */
comqtt_options* test_options(bool manual);
/* A running server made of the options, which are freed; everyone may do everything when `allow`. Ends the program on
 * failure. */
comqtt_server* test_server(comqtt_options* options, bool allow);
/* Both, for the common case: allow-all, system clock. */
comqtt_server* plain_server(void);
comqtt_server* manual_server(void);

/* Opens a pipe; nothing is sent. */
peer* peer_open(comqtt_server* server, comqtt_protocol version);
void peer_close(peer* it);
/* Sends a packet and releases it. */
comqtt_status peer_send(peer* it, comqtt_packet* packet);
comqtt_status peer_send_bytes(peer* it, const void* bytes, size_t len);
/* Next packet from the server, owned by the caller; NULL after timeout_ms or at the end. */
comqtt_packet* peer_read(peer* it, int64_t timeout_ms);
/* Next packet must be of that type; NULL (and a message) otherwise. */
comqtt_packet* peer_expect(peer* it, comqtt_packet_kind kind);
/* The same, released; false when it did not come. */
bool peer_expects(peer* it, comqtt_packet_kind kind);
/* True when nothing comes within a short while. */
bool peer_is_quiet(peer* it);
/* Reads until the server has closed; false when it does not within five seconds. */
bool peer_sees_close(peer* it);

/* CONNECT with a clean session, keep alive 0. */
comqtt_packet* make_connect(comqtt_protocol version, const char* id);
comqtt_packet* make_publish(comqtt_protocol version, const char* topic, const char* payload, uint8_t qos,
                            uint16_t id);
comqtt_packet* make_subscribe(comqtt_protocol version, const char* filter, uint8_t qos, uint16_t id);
comqtt_packet* make_ack(comqtt_protocol version, comqtt_packet_kind kind, uint16_t id);
/* Opens, connects and takes the CONNACK, which must be a success. */
peer* peer_connect(comqtt_server* server, comqtt_protocol version, const char* id);
/* Sends CONNECT and gives the reason of the CONNACK; -1 when there was none. */
int peer_try_connect(peer* it, comqtt_packet* connect);
/* SUBSCRIBE, SUBACK; gives the reason code. */
int peer_subscribe(peer* it, const char* filter, uint8_t qos);
/* PINGREQ, PINGRESP: everything sent before has been handled. */
bool peer_ping(peer* it);
/* The next packet is a PUBLISH with this topic and payload. */
bool peer_gets(peer* it, const char* topic, const char* payload);

#endif
