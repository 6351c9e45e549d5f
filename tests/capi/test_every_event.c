/* Every slot of the hook table fires, none but those named in the end. */
#include "check.h"
#include "peer.h"
#include "recorder.h"

static void provoke_connection_events(comqtt_server* server) {
    peer* it = peer_open(server, COMQTT_MQTT_5);
    comqtt_packet* connect = make_connect(COMQTT_MQTT_5, "c");
    comqtt_packet* packet = NULL;
    comqtt_connect fields = comqtt_connect_init();
    comqtt_packet_connect(connect, &fields);
    fields.has_will = true;
    fields.will_topic = S("will");
    comqtt_packet_set_connect(connect, &fields);
    CHECK_OK(comqtt_packet_set_prop_str(connect, COMQTT_SECTION_PACKET, COMQTT_PROP_AUTHENTICATION_METHOD,
                                        S("m")));
    CHECK_INT(peer_try_connect(it, connect), 0);
    CHECK_OK(comqtt_packet_new(COMQTT_AUTH, COMQTT_MQTT_5, &packet));
    comqtt_packet_set_reason(packet, COMQTT_REASON_REAUTHENTICATE);
    comqtt_packet_set_prop_str(packet, COMQTT_SECTION_PACKET, COMQTT_PROP_AUTHENTICATION_METHOD, S("m"));
    peer_send(it, packet);
    sleep_ms(20);
    peer_close(it);
}

static void provoke_message_events(comqtt_server* server) {
    peer* it = peer_connect(server, COMQTT_MQTT_5, "d");
    comqtt_packet* packet;
    comqtt_subscription entry = comqtt_subscription_init();
    CHECK_INT(peer_subscribe(it, "$share/g/s", 0), 0);
    CHECK_INT(peer_subscribe(it, "t", 1), 1);
    packet = make_publish(COMQTT_MQTT_5, "kept", "x", 0, 0);
    comqtt_packet_set_retain_flag(packet, true);
    comqtt_packet_set_prop_int(packet, COMQTT_SECTION_PACKET, COMQTT_PROP_MESSAGE_EXPIRY_INTERVAL, 5);
    peer_send(it, packet);
    CHECK_INT(peer_subscribe(it, "kept", 0), 0);
    CHECK(peer_gets(it, "kept", "x"));
    peer_send(it, make_publish(COMQTT_MQTT_5, "s", "x", 0, 0));
    CHECK(peer_gets(it, "s", "x"));
    peer_send(it, make_publish(COMQTT_MQTT_5, "t", "x", 1, 1)); /* comes back, stays unacknowledged */
    CHECK(peer_expects(it, COMQTT_PUBLISH) || true);
    packet = NULL;
    CHECK_OK(comqtt_packet_new(COMQTT_UNSUBSCRIBE, COMQTT_MQTT_5, &packet));
    entry.filter = S("kept");
    comqtt_packet_add_filter(packet, &entry);
    comqtt_packet_set_id(packet, 9);
    peer_send(it, packet);
    sleep_ms(20);
    peer_close(it);
}

/* A session without a connection whose queue overflows, then expires. */
static void provoke_drop_and_expiry(comqtt_server* server) {
    peer* it = peer_open(server, COMQTT_MQTT_5);
    comqtt_packet* connect = make_connect(COMQTT_MQTT_5, "e");
    comqtt_packet_set_prop_int(connect, COMQTT_SECTION_PACKET, COMQTT_PROP_SESSION_EXPIRY_INTERVAL, 10);
    CHECK_INT(peer_try_connect(it, connect), 0);
    CHECK_INT(peer_subscribe(it, "q", 1), 1);
    peer_close(it);
    for (int i = 0; i < 10; ++i) CHECK_OK(comqtt_server_publish(server, S("q"), B("x"), 1, false, NULL));
    for (int i = 0; i < 20; ++i) CHECK_OK(comqtt_server_advance(server, 1000));
}

/* A client that never acknowledges until no packet id is left. */
static void provoke_packet_id_exhaustion(comqtt_server* server) {
    peer* it = peer_connect(server, COMQTT_MQTT_3_1_1, "f");
    comqtt_client* client = NULL;
    size_t got = 0;
    int sent = 0;
    CHECK_INT(peer_subscribe(it, "ids", 1), 1);
    CHECK_OK(comqtt_server_client(server, S("f"), &client));
    while (comqtt_client_inflight_count(client) < 65535 && sent++ < 400000) {
        while (comqtt_server_publish(server, S("ids"), B("x"), 1, false, NULL) == COMQTT_ERR_QUEUE_FULL)
            sleep_ms(1);
        if (sent % 500 == 0)
            while (comqtt_pipe_read(it->pipe, it->bytes, sizeof it->bytes, 1, &got) == COMQTT_OK) {
            }
    }
    for (int i = 0; i < 4; ++i) CHECK_OK(comqtt_server_publish(server, S("ids"), B("x"), 1, false, NULL));
    EVENTUALLY(comqtt_client_queued_count(client) > 1);
    while (comqtt_pipe_read(it->pipe, it->bytes, sizeof it->bytes, 50, &got) == COMQTT_OK) {
    }
    comqtt_client_release(client);
    /* The first message that waits takes the id of this one; then none is free for the next. */
    peer_send(it, make_ack(COMQTT_MQTT_3_1_1, COMQTT_PUBACK, 1));
    sleep_ms(50);
    peer_close(it);
}

static comqtt_status stored_clients(void* user, comqtt_event* event, comqtt_sink* sink) {
    comqtt_stored_client record = comqtt_stored_client_init();
    (void)user;
    (void)event;
    record.id = S("shelved");
    record.session_expiry_s = 1000;
    record.queued_messages = 1;
    record.last_position = 1;
    return comqtt_sink_add_client(sink, &record, NULL);
}

static void connect_stored(comqtt_server* server, const char* id) {
    peer* it = peer_open(server, COMQTT_MQTT_5);
    comqtt_packet* connect = make_connect(COMQTT_MQTT_5, id);
    comqtt_connect fields = comqtt_connect_init();
    comqtt_packet_connect(connect, &fields);
    fields.clean_start = false;
    comqtt_packet_set_connect(connect, &fields);
    CHECK_INT(peer_try_connect(it, connect), 0);
    peer_close(it);
}

static void every_slot_fires(void) {
    comqtt_server* server = NULL;
    comqtt_options* options = test_options(true);
    comqtt_hooks table = recorder_table();
    comqtt_hooks shelf = comqtt_hooks_init();
    recorder* notes = recorder_new();
    shelf.stored_clients = stored_clients;
    CHECK_OK(comqtt_options_set_int(options, "sys-topic-resend-interval", 1, NULL));
    CHECK_OK(comqtt_options_set_int(options, "capabilities.maximum-client-writes-pending", 4, NULL));
    CHECK_OK(comqtt_server_new(options, &server, NULL));
    comqtt_options_free(options);
    CHECK_OK(comqtt_server_add_hook(server, &table, notes, NULL, NULL, NULL));
    CHECK_OK(comqtt_server_add_hook(server, &shelf, NULL, NULL, NULL, NULL));
    CHECK_OK(comqtt_server_add_allow_all(server, NULL, NULL));
    CHECK_OK(comqtt_server_start(server, NULL));
    provoke_connection_events(server);
    provoke_message_events(server);
    provoke_drop_and_expiry(server);
    connect_stored(server, "stored-elsewhere");
    connect_stored(server, "shelved");
    provoke_packet_id_exhaustion(server);
    comqtt_server_free(server);
    for (size_t i = 0; i < RECORDER_EVENTS; ++i)
        if (!check_report(recorder_count(notes, recorder_names[i]) > 0, __FILE__, __LINE__, "the slot fires"))
            printf("    %s\n", recorder_names[i]);
    recorder_free(notes);
}

/* Reads until the answer to a PINGREQ, and acknowledges what comes. */
static void settle(peer* it) {
    comqtt_packet* ping = NULL;
    bool done = false;
    CHECK_OK(comqtt_packet_new(COMQTT_PINGREQ, COMQTT_MQTT_5, &ping));
    peer_send(it, ping);
    while (!done) {
        comqtt_packet* packet = peer_read(it, 5000);
        if (!CHECK(packet != NULL)) return;
        done = comqtt_packet_type(packet) == COMQTT_PINGRESP;
        if (comqtt_packet_type(packet) == COMQTT_PUBLISH && comqtt_packet_qos(packet) == 1)
            peer_send(it, make_ack(COMQTT_MQTT_5, COMQTT_PUBACK, comqtt_packet_id(packet)));
        comqtt_packet_release(packet);
    }
}

/* Messages of a client, of each kind that the broker may handle in a way of its own. */
static void exchange_messages(comqtt_server* server) {
    peer* it = peer_connect(server, COMQTT_MQTT_5, "c");
    comqtt_packet* packet = make_publish(COMQTT_MQTT_5, "kept", "x", 0, 0);
    comqtt_packet_set_retain_flag(packet, true);
    CHECK_INT(peer_subscribe(it, "$share/g/s", 0), 0);
    CHECK_INT(peer_subscribe(it, "t", 1), 1);
    peer_send(it, packet);
    for (int i = 0; i < 3; ++i) {
        peer_send(it, make_publish(COMQTT_MQTT_5, "s", "x", 0, 0));
        peer_send(it, make_publish(COMQTT_MQTT_5, "t", "x", 0, 0));
        peer_send(it, make_publish(COMQTT_MQTT_5, "t", "x", 1, (uint16_t)(1 + i)));
        settle(it);
    }
    settle(it);
    CHECK_INT(peer_subscribe(it, "kept", 0), 0);
    settle(it);
    peer_close(it);
}

static recorder* notes_of_an_exchange(const char* slot) {
    comqtt_server* server = NULL;
    comqtt_options* options = test_options(true);
    comqtt_hooks table = recorder_table_of(slot);
    recorder* notes = recorder_new();
    CHECK_OK(comqtt_server_new(options, &server, NULL));
    comqtt_options_free(options);
    CHECK_OK(comqtt_server_add_hook(server, &table, notes, NULL, NULL, NULL));
    CHECK_OK(comqtt_server_add_allow_all(server, NULL, NULL));
    CHECK_OK(comqtt_server_start(server, NULL));
    exchange_messages(server);
    comqtt_server_free(server);
    return notes;
}

static void a_slot_fires_as_often_when_no_other_is_filled(void) {
    recorder* together = notes_of_an_exchange(NULL);
    for (size_t i = 0; i < RECORDER_EVENTS; ++i) {
        const char* slot = recorder_names[i];
        recorder* alone;
        if (strncmp(slot, "on_", 3) != 0) continue;
        alone = notes_of_an_exchange(slot);
        if (!CHECK_INT(recorder_count(alone, slot), recorder_count(together, slot))) printf("    %s\n", slot);
        recorder_free(alone);
    }
    recorder_free(together);
}

int main(void) {
    RUN(a_slot_fires_as_often_when_no_other_is_filled);
    RUN(every_slot_fires);
    return check_summary();
}
