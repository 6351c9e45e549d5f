/* The documented order of events for each kind of exchange. */
#include "check.h"
#include "peer.h"
#include "recorder.h"

static recorder* notes;

/* A server with the recorder before allow-all, which decides. */
static comqtt_server* recorded_server_of(comqtt_options* options) {
    comqtt_server* server = NULL;
    comqtt_hooks table = recorder_table();
    CHECK_OK(comqtt_server_new(options, &server, NULL));
    comqtt_options_free(options);
    notes = recorder_new();
    CHECK_OK(comqtt_server_add_hook(server, &table, notes, NULL, NULL, NULL));
    CHECK_OK(comqtt_server_add_allow_all(server, NULL, NULL));
    CHECK_OK(comqtt_server_start(server, NULL));
    return server;
}
static comqtt_server* recorded_server(bool manual) { return recorded_server_of(test_options(manual)); }

static void done(comqtt_server* server) {
    comqtt_server_free(server);
    recorder_free(notes);
}

static void expect_sequence(const char* client, const char* wanted, int line) {
    char* got = recorder_sequence(notes, client, false);
    if (!check_report(strcmp(got, wanted) == 0, __FILE__, line, "order of events"))
        printf("    got    %s\n    wanted %s\n", got, wanted);
    free(got);
}
#define EXPECT_SEQUENCE(client, wanted) expect_sequence(client, wanted, __LINE__)

static bool waits_for(const char* event, unsigned count) {
    for (int i = 0; i < 5000 && recorder_count(notes, event) < count; ++i) sleep_ms(1);
    return recorder_count(notes, event) >= count;
}

/* The client's PUBLISHes and SUBSCRIBEs have been handled; what the ping itself records is taken off the end. */
static void expect_after_ping(peer* it, const char* client, const char* wanted, int line) {
    const char* tail = " packet_read:12 packet_processed:12";
    char with_ping[2048];
    CHECK(peer_ping(it));
    snprintf(with_ping, sizeof with_ping, "%s%s", wanted, wanted[0] ? tail : tail + 1);
    for (int i = 0; i < 2000; ++i) {
        char* got = recorder_sequence(notes, client, false);
        bool ended = strstr(got, "packet_processed:12") != NULL;
        free(got);
        if (ended) break;
        sleep_ms(1);
    }
    expect_sequence(client, with_ping, line);
    recorder_clear(notes);
}
#define EXPECT_AFTER_PING(it, client, wanted) expect_after_ping(it, client, wanted, __LINE__)

static void connect_and_disconnect(void) {
    comqtt_server* server = recorded_server(false);
    peer* it = peer_connect(server, COMQTT_MQTT_5, "c");
    CHECK(waits_for("on_session_established", 1));
    EXPECT_SEQUENCE(
        NULL,
        "stored_clients stored_subscriptions stored_inflight_messages stored_retained_messages "
        "stored_sys_info started packet_read:1 connect:1 connect_authenticate:1 session_establish:1 "
        "session_established:1");
    recorder_clear(notes);
    CHECK_OK(peer_send(it, make_ack(COMQTT_MQTT_5, COMQTT_DISCONNECT, 0)));
    CHECK(peer_sees_close(it));
    CHECK(waits_for("on_unsubscribed", 1));
    EXPECT_SEQUENCE("c", "packet_read:14 packet_processed:14 disconnect:00:clean unsubscribed:10");
    peer_close(it);
    done(server);
}

static void publish_of_each_qos(void) {
    comqtt_server* server = recorded_server(false);
    peer* it = peer_connect(server, COMQTT_MQTT_5, "c");
    CHECK(waits_for("on_session_established", 1));
    recorder_clear(notes);
    peer_send(it, make_publish(COMQTT_MQTT_5, "zero", "x", 0, 0));
    EXPECT_AFTER_PING(it, "c", "packet_read:3 acl_check:write:zero publish:3 published:3 packet_processed:3");
    peer_send(it, make_publish(COMQTT_MQTT_5, "one", "x", 1, 1));
    CHECK(peer_expects(it, COMQTT_PUBACK));
    EXPECT_AFTER_PING(it, "c",
                      "packet_read:3 acl_check:write:one publish:3 qos_publish:4 qos_complete:4 published:3 "
                      "packet_processed:3");
    peer_send(it, make_publish(COMQTT_MQTT_5, "two", "x", 2, 2));
    CHECK(peer_expects(it, COMQTT_PUBREC));
    peer_send(it, make_ack(COMQTT_MQTT_5, COMQTT_PUBREL, 2));
    CHECK(peer_expects(it, COMQTT_PUBCOMP));
    EXPECT_AFTER_PING(it, "c",
                      "packet_read:3 acl_check:write:two publish:3 qos_publish:5 published:3 "
                      "packet_processed:3 packet_read:6 qos_complete:7 packet_processed:6");
    peer_close(it);
    done(server);
}

static void subscribe_with_a_retained_message_and_unsubscribe(void) {
    comqtt_options* options = test_options(false);
    comqtt_server* server;
    peer* it;
    comqtt_packet* packet = make_publish(COMQTT_MQTT_5, "kept", "x", 0, 0);
    CHECK_OK(comqtt_options_set_int(options, "threads", 1, NULL)); /* what another shard keeps comes later */
    server = recorded_server_of(options);
    it = peer_connect(server, COMQTT_MQTT_5, "c");
    CHECK(waits_for("on_session_established", 1));
    recorder_clear(notes);
    comqtt_packet_set_retain_flag(packet, true);
    peer_send(it, packet);
    EXPECT_AFTER_PING(
        it, "c",
        "packet_read:3 acl_check:write:kept publish:3 retain_message:1 published:3 packet_processed:3");
    CHECK_INT(peer_subscribe(it, "kept", 0), 0);
    CHECK(peer_gets(it, "kept", "x"));
    EXPECT_AFTER_PING(it, "c",
                      "packet_read:8 subscribe:8 acl_check:read:kept subscribed:0,1 acl_check:read:kept "
                      "retain_published:3 packet_processed:8");
    packet = NULL;
    CHECK_OK(comqtt_packet_new(COMQTT_UNSUBSCRIBE, COMQTT_MQTT_5, &packet));
    {
        comqtt_subscription entry = comqtt_subscription_init();
        entry.filter = S("kept");
        comqtt_packet_add_filter(packet, &entry);
        comqtt_packet_set_id(packet, 9);
    }
    peer_send(it, packet);
    CHECK(peer_expects(it, COMQTT_UNSUBACK));
    EXPECT_AFTER_PING(it, "c", "packet_read:10 unsubscribe:10 unsubscribed:10 packet_processed:10");
    peer_close(it);
    done(server);
}

static void delivery_of_each_qos(void) {
    comqtt_server* server = recorded_server(false);
    peer* it = peer_connect(server, COMQTT_MQTT_5, "c");
    comqtt_packet* packet;
    uint16_t id;
    CHECK_INT(peer_subscribe(it, "one", 1), 1);
    CHECK_INT(peer_subscribe(it, "two", 2), 2);
    CHECK(peer_ping(it));
    EVENTUALLY(recorder_count(notes, "on_packet_processed") == 3);
    recorder_clear(notes);
    CHECK_OK(comqtt_server_publish(server, S("one"), B("x"), 1, false, NULL));
    packet = peer_expect(it, COMQTT_PUBLISH);
    id = comqtt_packet_id(packet);
    comqtt_packet_release(packet);
    peer_send(it, make_ack(COMQTT_MQTT_5, COMQTT_PUBACK, id));
    EXPECT_AFTER_PING(it, "c",
                      "acl_check:read:one qos_publish:3 packet_read:4 qos_complete:4 packet_processed:4");
    CHECK_OK(comqtt_server_publish(server, S("two"), B("x"), 2, false, NULL));
    packet = peer_expect(it, COMQTT_PUBLISH);
    id = comqtt_packet_id(packet);
    comqtt_packet_release(packet);
    peer_send(it, make_ack(COMQTT_MQTT_5, COMQTT_PUBREC, id));
    CHECK(peer_expects(it, COMQTT_PUBREL));
    peer_send(it, make_ack(COMQTT_MQTT_5, COMQTT_PUBCOMP, id));
    EXPECT_AFTER_PING(
        it, "c",
        "acl_check:read:two qos_publish:3 packet_read:5 packet_processed:5 packet_read:7 qos_complete:7 "
        "packet_processed:7");
    peer_close(it);
    done(server);
}

static void a_shared_match_selects_then_reports(void) {
    comqtt_server* server = recorded_server(false);
    peer* it = peer_connect(server, COMQTT_MQTT_5, "c");
    char* got;
    CHECK_INT(peer_subscribe(it, "$share/g/s", 0), 0);
    CHECK(peer_ping(it));
    recorder_clear(notes);
    peer_send(it, make_publish(COMQTT_MQTT_5, "s", "x", 0, 0));
    CHECK(peer_gets(it, "s", "x"));
    CHECK(peer_ping(it));
    got = recorder_sequence(notes, NULL, false);
    {
        const char* publish = strstr(got, "publish:3");
        const char* select = strstr(got, "select_subscribers:1");
        const char* report = strstr(got, "published_with_shared_filters:1");
        const char* published = strstr(got, "published:3");
        if (!CHECK(publish && select && report && published && publish < select && select < report &&
                   report < published))
            printf("    got %s\n", got);
    }
    free(got);
    peer_close(it);
    done(server);
}

static void an_abnormal_end_sends_the_will_before_the_disconnect_event(void) {
    comqtt_server* server = recorded_server(false);
    peer* it = peer_open(server, COMQTT_MQTT_5);
    comqtt_packet* connect = make_connect(COMQTT_MQTT_5, "c");
    comqtt_connect fields = comqtt_connect_init();
    char* got;
    comqtt_packet_connect(connect, &fields);
    fields.has_will = true;
    fields.will_retain = true;
    fields.will_topic = S("will");
    fields.will_payload = B("x");
    comqtt_packet_set_connect(connect, &fields);
    CHECK_INT(peer_try_connect(it, connect), 0);
    CHECK(waits_for("on_session_established", 1));
    recorder_clear(notes);
    peer_close(it);
    CHECK(waits_for("on_unsubscribed", 1));
    got = recorder_sequence(notes, "c", false);
    {
        const char* will = strstr(got, "will:3");
        const char* retain = strstr(got, "retain_message:1");
        const char* sent = strstr(got, "will_sent:3");
        const char* end = strstr(got, "disconnect:");
        const char* unsubscribed = strstr(got, "unsubscribed:10");
        if (!CHECK(will && retain && sent && end && unsubscribed && will < retain && retain < sent &&
                   sent < end && end < unsubscribed))
            printf("    got %s\n", got);
        CHECK(strstr(got, "publish:3") == NULL);
    }
    free(got);
    done(server);
}

/* Each packet to the client is encoded, then sent; the CONNACK before the session counts as established. */
static void packets_are_encoded_before_they_are_sent(void) {
    comqtt_server* server = recorded_server(false);
    peer* it = peer_connect(server, COMQTT_MQTT_5, "c");
    char* got;
    const char* encode;
    const char* sent;
    CHECK(peer_ping(it));
    EVENTUALLY(recorder_count(notes, "on_packet_sent") == 2);
    got = recorder_sequence(notes, "c", true);
    encode = strstr(got, "packet_encode:2");
    sent = strstr(got, "packet_sent:2");
    if (!CHECK(encode && sent && encode < sent && encode < strstr(got, "session_established:1")))
        printf("    got %s\n", got);
    encode = strstr(got, "packet_encode:13");
    sent = strstr(got, "packet_sent:13");
    CHECK(encode && sent && encode < sent);
    free(got);
    CHECK_INT(recorder_count(notes, "on_packet_encode"), 2);
    peer_close(it);
    done(server);
}

int main(void) {
    RUN(connect_and_disconnect);
    RUN(publish_of_each_qos);
    RUN(subscribe_with_a_retained_message_and_unsubscribe);
    RUN(delivery_of_each_qos);
    RUN(a_shared_match_selects_then_reports);
    RUN(an_abnormal_end_sends_the_will_before_the_disconnect_event);
    RUN(packets_are_encoded_before_they_are_sent);
    return check_summary();
}
