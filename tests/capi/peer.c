#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void need(bool ok, const char* what, comqtt_error* error) {
    if (ok) return;
    printf("cannot go on: %s: %s\n", what, error ? comqtt_error_message(error).ptr : "");
    exit(2);
}

comqtt_options* test_options(bool manual) {
    const char* threads = getenv("COMQTT_TEST_THREADS");
    comqtt_options* options = NULL;
    comqtt_error* error = NULL;
    need(comqtt_options_new(&options) == COMQTT_OK, "options", NULL);
    need(comqtt_options_set_int(options, "threads", threads ? atoi(threads) : 1, &error) == COMQTT_OK,
         "threads", error);
    need(comqtt_options_set_int(options, "sys-topic-resend-interval", 0, &error) == COMQTT_OK, "$SYS", error);
    if (manual)
        need(comqtt_options_set_str(options, "clock", comqtt_str_of("manual"), &error) == COMQTT_OK, "clock",
             error);
    return options;
}

comqtt_server* test_server(comqtt_options* options, bool allow) {
    comqtt_server* server = NULL;
    comqtt_error* error = NULL;
    need(comqtt_server_new(options, &server, &error) == COMQTT_OK, "server", error);
    comqtt_options_free(options);
    if (allow) need(comqtt_server_add_allow_all(server, NULL, &error) == COMQTT_OK, "allow all", error);
    need(comqtt_server_start(server, &error) == COMQTT_OK, "start", error);
    return server;
}

comqtt_server* plain_server(void) { return test_server(test_options(false), true); }
comqtt_server* manual_server(void) { return test_server(test_options(true), true); }

peer* peer_open(comqtt_server* server, comqtt_protocol version) {
    comqtt_error* error = NULL;
    peer* it = calloc(1, sizeof *it);
    need(it != NULL, "memory", NULL);
    it->version = version;
    need(comqtt_pipe_open(server, comqtt_str_of("pipe"), comqtt_str_of("test-peer"), &it->pipe, &error) ==
             COMQTT_OK,
         "pipe", error);
    return it;
}

void peer_close(peer* it) {
    if (!it) return;
    comqtt_pipe_close(it->pipe);
    comqtt_pipe_release(it->pipe);
    free(it);
}

comqtt_status peer_send_bytes(peer* it, const void* bytes, size_t len) {
    return comqtt_pipe_write(it->pipe, comqtt_bytes_of(bytes, len));
}

comqtt_status peer_send(peer* it, comqtt_packet* packet) {
    uint8_t small[2048];
    uint8_t* buffer = small;
    size_t len = 0;
    comqtt_status status = comqtt_packet_encode(packet, NULL, 0, &len);
    if (status == COMQTT_OK && len > sizeof small) buffer = malloc(len);
    if (status == COMQTT_OK)
        status = comqtt_packet_encode(packet, buffer, len > sizeof small ? len : sizeof small, &len);
    if (status == COMQTT_OK) status = peer_send_bytes(it, buffer, len);
    if (buffer != small) free(buffer);
    comqtt_packet_release(packet);
    return status;
}

comqtt_packet* peer_read(peer* it, int64_t timeout_ms) {
    for (;;) {
        comqtt_packet* packet = NULL;
        comqtt_error* error = NULL;
        size_t used = 0;
        size_t got = 0;
        comqtt_status status = comqtt_packet_decode(comqtt_bytes_of(it->bytes, it->used), it->version,
                                                    COMQTT_FROM_SERVER, &packet, &used, &error);
        if (status == COMQTT_OK) {
            memmove(it->bytes, it->bytes + used, it->used - used);
            it->used -= used;
            return packet;
        }
        if (status != COMQTT_ERR_NOT_FOUND)
            printf("the server sent a bad packet: %s\n", comqtt_error_message(error).ptr);
        comqtt_error_free(error);
        if (status != COMQTT_ERR_NOT_FOUND) return NULL;
        status =
            comqtt_pipe_read(it->pipe, it->bytes + it->used, sizeof it->bytes - it->used, timeout_ms, &got);
        if (status != COMQTT_OK) return NULL;
        it->used += got;
    }
}

comqtt_packet* peer_expect(peer* it, comqtt_packet_kind kind) {
    comqtt_packet* packet = peer_read(it, 5000);
    if (packet && comqtt_packet_type(packet) == kind) return packet;
    printf("    wanted a packet of type %d, got %d (reason 0x%02X)\n", kind,
           packet ? comqtt_packet_type(packet) : -1, packet ? comqtt_packet_reason(packet) : 0);
    comqtt_packet_release(packet);
    return NULL;
}

bool peer_expects(peer* it, comqtt_packet_kind kind) {
    comqtt_packet* packet = peer_expect(it, kind);
    comqtt_packet_release(packet);
    return packet != NULL;
}

bool peer_is_quiet(peer* it) {
    comqtt_packet* packet = peer_read(it, 50);
    if (!packet) return true;
    printf("    wanted nothing, got a packet of type %d\n", comqtt_packet_type(packet));
    comqtt_packet_release(packet);
    return false;
}

bool peer_sees_close(peer* it) {
    size_t got = 0;
    comqtt_status status = COMQTT_OK;
    while (status == COMQTT_OK) status = comqtt_pipe_read(it->pipe, it->bytes, sizeof it->bytes, 5000, &got);
    it->used = 0;
    return status == COMQTT_ERR_CLOSED;
}

static comqtt_packet* make(comqtt_packet_kind kind, comqtt_protocol version) {
    comqtt_packet* packet = NULL;
    need(comqtt_packet_new(kind, version, &packet) == COMQTT_OK, "packet", NULL);
    return packet;
}

comqtt_packet* make_connect(comqtt_protocol version, const char* id) {
    comqtt_packet* packet = make(COMQTT_CONNECT, version);
    comqtt_connect fields = comqtt_connect_init();
    fields.client_id = comqtt_str_of(id);
    fields.clean_start = true;
    need(comqtt_packet_set_connect(packet, &fields) == COMQTT_OK, "CONNECT", NULL);
    return packet;
}

comqtt_packet* make_publish(comqtt_protocol version, const char* topic, const char* payload, uint8_t qos,
                            uint16_t id) {
    comqtt_packet* packet = make(COMQTT_PUBLISH, version);
    comqtt_packet_set_topic(packet, comqtt_str_of(topic));
    comqtt_packet_set_payload(packet, comqtt_bytes_of(payload, strlen(payload)));
    comqtt_packet_set_qos(packet, qos);
    comqtt_packet_set_id(packet, id);
    return packet;
}

comqtt_packet* make_subscribe(comqtt_protocol version, const char* filter, uint8_t qos, uint16_t id) {
    comqtt_packet* packet = make(COMQTT_SUBSCRIBE, version);
    comqtt_subscription entry = comqtt_subscription_init();
    entry.filter = comqtt_str_of(filter);
    entry.qos = qos;
    comqtt_packet_add_filter(packet, &entry);
    comqtt_packet_set_id(packet, id);
    return packet;
}

comqtt_packet* make_ack(comqtt_protocol version, comqtt_packet_kind kind, uint16_t id) {
    comqtt_packet* packet = make(kind, version);
    comqtt_packet_set_id(packet, id);
    return packet;
}

int peer_try_connect(peer* it, comqtt_packet* connect) {
    comqtt_packet* answer;
    int reason;
    if (peer_send(it, connect) != COMQTT_OK) return -1;
    answer = peer_read(it, 5000);
    if (!answer) return -1;
    reason = comqtt_packet_type(answer) == COMQTT_CONNACK ? comqtt_packet_reason(answer) : -1;
    comqtt_packet_release(answer);
    return reason;
}

peer* peer_connect(comqtt_server* server, comqtt_protocol version, const char* id) {
    peer* it = peer_open(server, version);
    need(peer_try_connect(it, make_connect(version, id)) == COMQTT_REASON_SUCCESS, "CONNECT", NULL);
    return it;
}

int peer_subscribe(peer* it, const char* filter, uint8_t qos) {
    comqtt_packet* answer;
    int code = -1;
    if (peer_send(it, make_subscribe(it->version, filter, qos, 77)) != COMQTT_OK) return -1;
    answer = peer_expect(it, COMQTT_SUBACK);
    if (answer && comqtt_packet_reason_codes(answer).len == 1)
        code = comqtt_packet_reason_codes(answer).ptr[0];
    comqtt_packet_release(answer);
    return code;
}

bool peer_ping(peer* it) {
    return peer_send(it, make(COMQTT_PINGREQ, it->version)) == COMQTT_OK && peer_expects(it, COMQTT_PINGRESP);
}

bool peer_gets(peer* it, const char* topic, const char* payload) {
    comqtt_packet* packet = peer_expect(it, COMQTT_PUBLISH);
    comqtt_str got_topic = comqtt_packet_topic(packet);
    comqtt_bytes got = comqtt_packet_payload(packet);
    bool same = packet && got_topic.len == strlen(topic) &&
                memcmp(got_topic.ptr, topic, got_topic.len) == 0 && got.len == strlen(payload) &&
                memcmp(got.ptr, payload, got.len) == 0;
    if (packet && !same)
        printf("    wanted %s: %s, got %.*s: %.*s\n", topic, payload, (int)got_topic.len, got_topic.ptr,
               (int)got.len, (const char*)got.ptr);
    comqtt_packet_release(packet);
    return same;
}
