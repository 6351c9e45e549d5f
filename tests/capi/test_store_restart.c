/* A second server goes on with what the first one stored: at once, by pages, or when the client comes. */
#include "check.h"
#include "peer.h"
#include "store.h"

static peer* resume(comqtt_server* server, const char* id, bool present) {
    peer* made = peer_open(server, COMQTT_MQTT_5);
    comqtt_packet* packet = make_connect(COMQTT_MQTT_5, id);
    comqtt_connect fields = comqtt_connect_init();
    comqtt_packet_connect(packet, &fields);
    fields.clean_start = false;
    comqtt_packet_set_connect(packet, &fields);
    comqtt_packet_set_prop_int(packet, COMQTT_SECTION_PACKET, COMQTT_PROP_SESSION_EXPIRY_INTERVAL, 1000);
    CHECK_OK(peer_send(made, packet));
    packet = peer_expect(made, COMQTT_CONNACK);
    CHECK_INT(comqtt_packet_reason(packet), 0);
    CHECK_INT(comqtt_packet_session_present(packet), present);
    comqtt_packet_release(packet);
    return made;
}

/* Publishes with QoS 1, payloads "1" to "count", each acknowledged. */
static void publish_numbers(comqtt_server* server, const char* topic, int count) {
    peer* publisher = peer_connect(server, COMQTT_MQTT_5, "publisher");
    for (int i = 1; i <= count; ++i) {
        char payload[16];
        comqtt_packet* answer;
        snprintf(payload, sizeof payload, "%d", i);
        CHECK_OK(peer_send(publisher, make_publish(COMQTT_MQTT_5, topic, payload, 1, (uint16_t)i)));
        answer = peer_expect(publisher, COMQTT_PUBACK);
        CHECK_INT(comqtt_packet_reason(answer), 0);
        comqtt_packet_release(answer);
    }
    peer_close(publisher);
}

/* The next packet is this message; gives its packet id. */
static uint16_t expect_message(peer* it, const char* payload, bool dup) {
    comqtt_packet* packet = peer_expect(it, COMQTT_PUBLISH);
    uint16_t id = comqtt_packet_id(packet);
    if (packet) {
        if (!CHECK(bytes_are(comqtt_packet_payload(packet), payload)))
            printf("    wanted %s, got %.*s\n", payload, (int)comqtt_packet_payload(packet).len,
                   (const char*)comqtt_packet_payload(packet).ptr);
        CHECK_INT(comqtt_packet_dup(packet), dup);
    }
    comqtt_packet_release(packet);
    return id;
}

static void acknowledge(peer* it, comqtt_packet_kind kind, uint16_t id) {
    CHECK_OK(peer_send(it, make_ack(COMQTT_MQTT_5, kind, id)));
}

static void expect_ack(peer* it, comqtt_packet_kind kind, uint16_t id) {
    comqtt_packet* packet = peer_expect(it, kind);
    CHECK_INT(comqtt_packet_id(packet), id);
    CHECK_INT(comqtt_packet_reason(packet), 0);
    comqtt_packet_release(packet);
}

static void make_offline(store* disk, comqtt_server* server, const char* id, const char* filter) {
    peer* client = resume(server, id, false);
    CHECK_INT(peer_subscribe(client, filter, 2), 2);
    peer_close(client);
    EVENTUALLY(store_is_offline(disk, id));
}

/* What was sent comes again with DUP and its packet id, then the queue in order. */
static void sessions_go_on_where_they_were(bool lazy) {
    store* disk = store_new();
    comqtt_server* server = store_server(disk, NULL);
    peer* client;
    uint16_t first, second;
    make_offline(disk, server, "s", "t/+");
    publish_numbers(server, "t/x", 2);
    client = resume(server, "s", true);
    first = expect_message(client, "1", false);
    second = expect_message(client, "2", false);
    peer_close(client);
    EVENTUALLY(store_is_offline(disk, "s"));
    publish_numbers(server, "t/x", 4);
    comqtt_server_free(server);
    CHECK_INT(store_count(disk, ROW_MESSAGE, "s"), 6);

    disk->lazy = lazy;
    server = store_server(disk, NULL);
    client = resume(server, "s", true);
    CHECK_INT(expect_message(client, "1", true), first);
    CHECK_INT(expect_message(client, "2", true), second);
    for (int i = 1; i <= 4; ++i) {
        char payload[16];
        snprintf(payload, sizeof payload, "%d", i);
        acknowledge(client, COMQTT_PUBACK, expect_message(client, payload, false));
    }
    acknowledge(client, COMQTT_PUBACK, first);
    acknowledge(client, COMQTT_PUBACK, second);
    EVENTUALLY(store_count(disk, ROW_MESSAGE, "s") == 0);
    CHECK_INT(atomic_load(&disk->pages) > 0, lazy);
    publish_numbers(server, "t/y", 1); /* the subscription is there */
    expect_message(client, "1", false);
    peer_close(client);
    comqtt_server_free(server);
    store_free(disk);
}
static void sessions_come_back_with_their_messages(void) { sessions_go_on_where_they_were(false); }
static void sessions_come_back_and_messages_when_they_are_wanted(void) {
    sessions_go_on_where_they_were(true);
}

static void a_queue_comes_back_page_by_page(void) {
    store* disk = store_new();
    comqtt_server* server = store_server(disk, NULL);
    comqtt_client* session = NULL;
    peer* client;
    make_offline(disk, server, "s", "t");
    publish_numbers(server, "t", 20);
    comqtt_server_free(server);
    disk->lazy = disk->page_of_one = true;
    server = store_server(disk, NULL);
    CHECK_OK(comqtt_server_client(server, S("s"), &session));
    CHECK_INT(comqtt_client_queued_count(session), 20);
    comqtt_client_release(session);
    CHECK_INT(atomic_load(&disk->pages), 0);
    publish_numbers(server, "t", 1); /* goes behind what is not loaded */
    client = resume(server, "s", true);
    for (int i = 1; i <= 21; ++i) {
        char payload[16];
        snprintf(payload, sizeof payload, "%d", i == 21 ? 1 : i);
        acknowledge(client, COMQTT_PUBACK, expect_message(client, payload, false));
    }
    EVENTUALLY(store_count(disk, ROW_MESSAGE, "s") == 0);
    CHECK(atomic_load(&disk->pages) >= 20);
    peer_close(client);
    comqtt_server_free(server);
    store_free(disk);
}

/* A queue that is longer than its place in memory lives in the store. */
static void a_queue_that_outgrows_its_memory_keeps_its_order(void) {
    store* disk = store_new();
    comqtt_options* options = test_options(true);
    comqtt_server* server;
    peer* client;
    CHECK_OK(comqtt_options_set_int(options, "limits.client-queue-memory", 4096, NULL));
    server = store_server(disk, options);
    make_offline(disk, server, "s", "t");
    publish_numbers(server, "t", 200);
    CHECK_INT(store_count(disk, ROW_MESSAGE, "s"), 200);
    client = resume(server, "s", true);
    for (int i = 1; i <= 200; ++i) {
        char payload[16];
        snprintf(payload, sizeof payload, "%d", i);
        acknowledge(client, COMQTT_PUBACK, expect_message(client, payload, false));
    }
    CHECK(atomic_load(&disk->pages) > 0);
    EVENTUALLY(store_count(disk, ROW_MESSAGE, "s") == 0);
    peer_close(client);
    comqtt_server_free(server);
    store_free(disk);
}

/* QoS 2 both ways: an id that waits for PUBREL is not taken for a new message; PUBREL is sent again. */
static void qos_2_goes_on_in_the_middle(bool lazy) {
    store* disk = store_new();
    comqtt_server* server = store_server(disk, NULL);
    peer* sender = resume(server, "sender", false);
    peer* receiver = resume(server, "receiver", false);
    comqtt_packet* packet;
    uint16_t id;
    CHECK_INT(peer_subscribe(receiver, "t", 2), 2);
    CHECK_OK(peer_send(sender, make_publish(COMQTT_MQTT_5, "t", "once", 2, 9)));
    expect_ack(sender, COMQTT_PUBREC, 9);
    id = expect_message(receiver, "once", false);
    acknowledge(receiver, COMQTT_PUBREC, id);
    expect_ack(receiver, COMQTT_PUBREL, id);
    peer_close(sender);
    peer_close(receiver);
    comqtt_server_free(server);
    CHECK_INT(store_count(disk, ROW_RECEIVED, "sender"), 1);

    disk->lazy = lazy;
    server = store_server(disk, NULL);
    receiver = resume(server, "receiver", true);
    expect_ack(receiver, COMQTT_PUBREL, id);
    sender = resume(server, "sender", true);
    packet = make_publish(COMQTT_MQTT_5, "t", "once", 2, 9);
    comqtt_packet_set_dup(packet, true);
    CHECK_OK(peer_send(sender, packet));
    expect_ack(sender, COMQTT_PUBREC, 9);
    acknowledge(sender, COMQTT_PUBREL, 9);
    expect_ack(sender, COMQTT_PUBCOMP, 9);
    acknowledge(receiver, COMQTT_PUBCOMP, id);
    CHECK(peer_ping(receiver)); /* and no second message */
    EVENTUALLY(store_count(disk, ROW_RECEIVED, NULL) == 0 && store_count(disk, ROW_MESSAGE, NULL) == 0);
    peer_close(sender);
    peer_close(receiver);
    comqtt_server_free(server);
    store_free(disk);
}
static void qos_2_comes_back_with_its_session(void) { qos_2_goes_on_in_the_middle(false); }
static void qos_2_comes_back_when_it_is_wanted(void) { qos_2_goes_on_in_the_middle(true); }

static void retained_messages_blocks_and_wills_come_back(void) {
    store* disk = store_new();
    comqtt_server* server = store_server(disk, NULL);
    peer* client = peer_open(server, COMQTT_MQTT_5);
    comqtt_packet* packet = make_connect(COMQTT_MQTT_5, "mortal");
    comqtt_connect fields = comqtt_connect_init();
    CHECK_OK(comqtt_server_publish(server, S("kept"), B("still here"), 1, true, NULL));
    CHECK_OK(comqtt_server_publish(server, S("gone"), B("x"), 1, true, NULL));
    EVENTUALLY(store_count(disk, ROW_RETAINED, NULL) == 2);
    CHECK_OK(comqtt_server_clear_retained(server, S("gone")));
    CHECK_OK(comqtt_server_block_client(server, S("bad")));
    CHECK_OK(comqtt_server_block_client(server, S("forgiven")));
    CHECK_OK(comqtt_server_unblock_client(server, S("forgiven")));
    comqtt_packet_connect(packet, &fields);
    fields.has_will = true;
    fields.will_topic = S("wills");
    fields.will_payload = B("last words");
    comqtt_packet_set_connect(packet, &fields);
    comqtt_packet_set_prop_int(packet, COMQTT_SECTION_PACKET, COMQTT_PROP_SESSION_EXPIRY_INTERVAL, 1000);
    comqtt_packet_set_prop_int(packet, COMQTT_SECTION_WILL, COMQTT_PROP_WILL_DELAY_INTERVAL, 60);
    CHECK_INT(peer_try_connect(client, packet), 0);
    peer_close(client);
    EVENTUALLY(store_count(disk, ROW_RETAINED, NULL) == 1 && store_count(disk, ROW_BLOCKED, NULL) == 1);
    EVENTUALLY(store_is_offline(disk, "mortal"));
    comqtt_server_free(server);

    server = store_server(disk, NULL);
    client = peer_open(server, COMQTT_MQTT_5);
    CHECK_INT(peer_try_connect(client, make_connect(COMQTT_MQTT_5, "bad")), COMQTT_REASON_BANNED);
    peer_close(client);
    client = peer_connect(server, COMQTT_MQTT_5, "forgiven");
    CHECK_INT(peer_subscribe(client, "#", 0), 0);
    CHECK(peer_gets(client, "kept", "still here"));
    CHECK_OK(comqtt_server_advance(server, 61000));
    CHECK(peer_gets(client, "wills", "last words"));
    peer_close(client);
    comqtt_server_free(server);
    store_free(disk);
}

static void a_session_that_has_ended_does_not_come_back(void) {
    store* disk = store_new();
    comqtt_server* server = store_server(disk, NULL);
    peer* client;
    make_offline(disk, server, "s", "t");
    publish_numbers(server, "t", 3);
    make_offline(disk, server, "old", "t");
    client = peer_connect(server, COMQTT_MQTT_5, "s"); /* a clean start */
    peer_close(client);
    CHECK_OK(comqtt_server_advance(server, 1001000)); /* the other one expires */
    EVENTUALLY(store_count(disk, ROW_SESSION, NULL) == 0);
    CHECK_INT(disk->count, 0);
    comqtt_server_free(server);
    server = store_server(disk, NULL);
    client = resume(server, "s", false);
    peer_close(client);
    comqtt_server_free(server);
    store_free(disk);
}

/* Stores that several servers share: a session is asked for when its client comes. */
static void a_session_is_loaded_when_its_client_comes(void) {
    store* disk = store_new();
    comqtt_server* server = store_server(disk, NULL);
    comqtt_packet* packet = make_connect(COMQTT_MQTT_5, "s");
    comqtt_connect fields = comqtt_connect_init();
    comqtt_stored_client stranger = comqtt_stored_client_init();
    peer* client;
    make_offline(disk, server, "s", "t");
    publish_numbers(server, "t", 3);
    comqtt_server_free(server);

    disk->shared = true;
    server = store_server(disk, NULL);
    CHECK_INT(comqtt_server_client_count(server, false), 0);
    peer_close(resume(server, "unknown", false));
    atomic_store(&disk->hold, true);
    comqtt_packet_connect(packet, &fields);
    fields.clean_start = false;
    comqtt_packet_set_connect(packet, &fields);
    comqtt_packet_set_prop_int(packet, COMQTT_SECTION_PACKET, COMQTT_PROP_SESSION_EXPIRY_INTERVAL, 1000);
    client = peer_open(server, COMQTT_MQTT_5);
    CHECK_OK(peer_send(client, packet));
    EVENTUALLY(store_held_loads(disk) == 1);
    CHECK(peer_read(client, 0) == NULL);
    atomic_store(&disk->hold, false);
    stranger.id = S("stranger");
    CHECK_STATUS(comqtt_load_add_client(disk->held_loads[0], &stranger, NULL), COMQTT_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(comqtt_load_add_client(disk->held_loads[0], NULL, NULL), COMQTT_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(comqtt_load_complete(disk->held_loads[0], COMQTT_PENDING, S("")),
                 COMQTT_ERR_INVALID_ARGUMENT);
    CHECK_INT(store_finish_loads(disk, COMQTT_OK), 1);
    packet = peer_expect(client, COMQTT_CONNACK);
    CHECK(comqtt_packet_session_present(packet));
    comqtt_packet_release(packet);
    for (int i = 1; i <= 3; ++i) {
        char payload[16];
        snprintf(payload, sizeof payload, "%d", i);
        acknowledge(client, COMQTT_PUBACK, expect_message(client, payload, false));
    }
    EVENTUALLY(store_count(disk, ROW_MESSAGE, "s") == 0);
    peer_close(client);
    comqtt_server_free(server);
    store_free(disk);
}

static void a_session_that_cannot_be_loaded_refuses_its_client(void) {
    store* disk = store_new();
    comqtt_server* server = store_server(disk, NULL);
    comqtt_load* kept;
    comqtt_load_request wanted = comqtt_load_request_init();
    comqtt_packet* packet = make_connect(COMQTT_MQTT_5, "s");
    comqtt_connect fields = comqtt_connect_init();
    peer* client = peer_open(server, COMQTT_MQTT_5);
    disk->shared = true;
    atomic_store(&disk->hold, true);
    comqtt_packet_connect(packet, &fields);
    fields.clean_start = false;
    comqtt_packet_set_connect(packet, &fields);
    CHECK_OK(peer_send(client, packet));
    EVENTUALLY(store_held_loads(disk) == 1);
    kept = comqtt_load_retain(disk->held_loads[0]);
    CHECK_OK(comqtt_load_read(kept, &wanted));
    CHECK_STR(wanted.client_id, "s");
    CHECK(wanted.session);
    CHECK_INT(wanted.after, 0);
    CHECK(wanted.max_messages > 0 && wanted.max_bytes > 0);
    store_finish_loads(disk, COMQTT_ERR_IO);
    packet = peer_expect(client, COMQTT_CONNACK);
    CHECK_INT(comqtt_packet_reason(packet), COMQTT_REASON_SERVER_UNAVAILABLE);
    comqtt_packet_release(packet);
    CHECK_STATUS(comqtt_load_complete(kept, COMQTT_OK, S("")), COMQTT_ERR_STATE);
    peer_close(client);
    comqtt_server_free(server);
    CHECK_STATUS(comqtt_load_complete(kept, COMQTT_OK, S("")), COMQTT_ERR_CLOSED);
    CHECK_STATUS(comqtt_load_add_message(kept, NULL, NULL), COMQTT_ERR_CLOSED);
    CHECK_OK(comqtt_load_read(kept, &wanted));
    CHECK_STR(wanted.client_id, "s");
    comqtt_load_release(kept);
    store_free(disk);
}

int main(void) {
    RUN(sessions_come_back_with_their_messages);
    RUN(sessions_come_back_and_messages_when_they_are_wanted);
    RUN(a_queue_comes_back_page_by_page);
    RUN(a_queue_that_outgrows_its_memory_keeps_its_order);
    RUN(qos_2_comes_back_with_its_session);
    RUN(qos_2_comes_back_when_it_is_wanted);
    RUN(retained_messages_blocks_and_wills_come_back);
    RUN(a_session_that_has_ended_does_not_come_back);
    RUN(a_session_is_loaded_when_its_client_comes);
    RUN(a_session_that_cannot_be_loaded_refuses_its_client);
    return check_summary();
}
