/* Small promises of the header: what a hook's edits may not break, what may not be sent, when calls are refused. */
#include "check.h"
#include "peer.h"

typedef struct editor {
    uint8_t qos;
    const char* topic;
    atomic_int stopped;
    comqtt_server* other;
} editor;

static comqtt_action edit(void* user, comqtt_event* event, comqtt_client* client, comqtt_packet* packet) {
    editor* it = user;
    (void)event;
    (void)client;
    CHECK_OK(comqtt_packet_set_qos(packet, it->qos));
    if (it->topic) CHECK_OK(comqtt_packet_set_topic(packet, S(it->topic)));
    if (it->other) {
        CHECK_STATUS(comqtt_server_start(it->other, NULL), COMQTT_ERR_REENTRANT);
        CHECK_STATUS(comqtt_server_wait(it->other, 10), COMQTT_ERR_REENTRANT);
    }
    return COMQTT_PROCEED;
}
static void on_stop(void* user) { atomic_fetch_add(&((editor*)user)->stopped, 1); }

static comqtt_server* server_with(editor* it, uint64_t* out_hook) {
    comqtt_server* server = plain_server();
    comqtt_hooks table = comqtt_hooks_init();
    table.on_publish = edit;
    table.stop = on_stop;
    CHECK_OK(comqtt_server_add_hook(server, &table, it, NULL, out_hook, NULL));
    return server;
}

static void the_publisher_is_answered_by_the_qos_it_used(void) {
    editor it = {0};
    comqtt_server* server = server_with(&it, NULL);
    peer* client = peer_connect(server, COMQTT_MQTT_5, "c");
    for (it.qos = 0; it.qos < 3; ++it.qos) {
        peer_send(client, make_publish(COMQTT_MQTT_5, "t", "x", 1, 5));
        CHECK(peer_expects(client, COMQTT_PUBACK));
        peer_send(client, make_publish(COMQTT_MQTT_5, "t", "x", 2, 6));
        CHECK(peer_expects(client, COMQTT_PUBREC));
        peer_send(client, make_ack(COMQTT_MQTT_5, COMQTT_PUBREL, 6));
        CHECK(peer_expects(client, COMQTT_PUBCOMP));
    }
    peer_close(client);
    comqtt_server_free(server);
}

static void an_edit_that_cannot_be_is_refused(void) {
    editor it = {.topic = "a/#"};
    comqtt_server* server = server_with(&it, NULL);
    peer* client = peer_connect(server, COMQTT_MQTT_5, "c");
    comqtt_packet* ack;
    CHECK_INT(peer_subscribe(client, "#", 0), 0);
    peer_send(client, make_publish(COMQTT_MQTT_5, "t", "x", 1, 5));
    ack = peer_expect(client, COMQTT_PUBACK);
    CHECK_INT(comqtt_packet_reason(ack), COMQTT_REASON_IMPLEMENTATION_SPECIFIC_ERROR);
    comqtt_packet_release(ack);
    it.topic = "b";
    peer_send(client, make_publish(COMQTT_MQTT_5, "t", "x", 0, 0));
    CHECK(peer_gets(client, "b", "x"));
    peer_close(client);
    comqtt_server_free(server);
}

static void only_what_a_server_may_send_is_sent(void) {
    comqtt_server* server = plain_server();
    peer* it = peer_connect(server, COMQTT_MQTT_5, "c");
    comqtt_client* client = NULL;
    comqtt_packet* packet = make_subscribe(COMQTT_MQTT_5, "t", 0, 1);
    CHECK_OK(comqtt_server_client(server, S("c"), &client));
    CHECK_STATUS(comqtt_client_send(client, packet), COMQTT_ERR_PROTOCOL);
    comqtt_packet_release(packet);
    packet = make_publish(COMQTT_MQTT_5, "a/#", "x", 0, 0);
    CHECK_STATUS(comqtt_client_send(client, packet), COMQTT_ERR_PROTOCOL);
    comqtt_packet_release(packet);
    packet = make_publish(COMQTT_MQTT_5, "a", "x", 1, 0);
    CHECK_OK(comqtt_client_send(client, packet));
    CHECK(peer_gets(it, "a", "x"));
    peer_close(it);
    EVENTUALLY(!comqtt_client_is_connected(client));
    CHECK_STATUS(comqtt_client_send(client, packet), COMQTT_ERR_CLOSED);
    comqtt_packet_release(packet);
    comqtt_client_release(client);
    comqtt_server_free(server);
}

static void a_stopped_server_takes_no_hooks_and_stops_each_once(void) {
    editor it = {0};
    uint64_t hook = 0;
    comqtt_server* server = server_with(&it, &hook);
    CHECK_OK(comqtt_server_stop(server, 0));
    CHECK_OK(comqtt_server_wait(server, 5000));
    CHECK_INT(it.stopped, 1);
    CHECK_STATUS(comqtt_server_add_allow_all(server, NULL, NULL), COMQTT_ERR_CLOSED);
    CHECK_OK(comqtt_server_remove_hook(server, hook));
    CHECK_INT(it.stopped, 1);
    comqtt_server_free(server);
    CHECK_INT(it.stopped, 1);
}

static void a_callback_does_not_wait_for_another_server(void) {
    comqtt_server* other = NULL;
    editor it = {0};
    comqtt_server* server = server_with(&it, NULL);
    peer* client = peer_connect(server, COMQTT_MQTT_5, "c");
    CHECK_OK(comqtt_server_new(NULL, &other, NULL));
    it.other = other;
    peer_send(client, make_publish(COMQTT_MQTT_5, "t", "x", 1, 5));
    CHECK(peer_expects(client, COMQTT_PUBACK));
    peer_close(client);
    comqtt_server_free(server);
    comqtt_server_free(other);
}

static bool is_gone(comqtt_server* server, const char* id) {
    comqtt_client* found = NULL;
    if (comqtt_server_client(server, S(id), &found) == COMQTT_ERR_NOT_FOUND) return true;
    comqtt_client_release(found);
    return false;
}

static void an_inline_client_ends_when_it_is_told_to(void) {
    comqtt_server* server = plain_server();
    for (int i = 0; i < 3; ++i) {
        comqtt_client* mine = NULL;
        CHECK_OK(comqtt_server_new_inline_client(server, S("mine"), &mine, NULL));
        CHECK_OK(comqtt_client_expire(mine));
        EVENTUALLY(is_gone(server, "mine"));
        comqtt_client_release(mine);
    }
    comqtt_server_free(server);
}

static void time_that_does_not_fit_is_refused(void) {
    comqtt_server* server = manual_server();
    int64_t now = comqtt_server_now_unix_ms(server);
    CHECK_STATUS(comqtt_server_advance(server, INT64_MAX), COMQTT_ERR_INVALID_ARGUMENT);
    CHECK_INT(comqtt_server_now_unix_ms(server) - now, 0);
    comqtt_server_free(server);
}

static void a_socket_path_has_no_zero_byte(void) {
    comqtt_server* server = plain_server();
    comqtt_listener_config config = comqtt_listener_config_init();
    config.id = S("u");
    config.kind = COMQTT_LISTENER_UNIX;
    config.address.ptr = "/tmp/x\0y";
    config.address.len = 8;
    CHECK_STATUS(comqtt_server_listen(server, &config, NULL), COMQTT_ERR_ADDRESS);
    comqtt_server_free(server);
}

int main(void) {
    RUN(the_publisher_is_answered_by_the_qos_it_used);
    RUN(an_edit_that_cannot_be_is_refused);
    RUN(only_what_a_server_may_send_is_sent);
    RUN(a_stopped_server_takes_no_hooks_and_stops_each_once);
    RUN(a_callback_does_not_wait_for_another_server);
    RUN(an_inline_client_ends_when_it_is_told_to);
    RUN(time_that_does_not_fit_is_refused);
    RUN(a_socket_path_has_no_zero_byte);
    return check_summary();
}
