/* A server whose clock the test moves: keep alive, session expiry, will delay, message expiry, connect timeout. */
#include "check.h"
#include "peer.h"

static comqtt_packet* connect_with(const char* id, bool clean, uint32_t session_expiry) {
    comqtt_packet* packet = make_connect(COMQTT_MQTT_5, id);
    comqtt_connect fields = comqtt_connect_init();
    comqtt_packet_connect(packet, &fields);
    fields.clean_start = clean;
    comqtt_packet_set_connect(packet, &fields);
    comqtt_packet_set_prop_int(packet, COMQTT_SECTION_PACKET, COMQTT_PROP_SESSION_EXPIRY_INTERVAL,
                               session_expiry);
    return packet;
}

/* CONNECT; tells whether a session was there. -1 = refused. */
static int resume(comqtt_server* server, const char* id, uint32_t session_expiry) {
    peer* it = peer_open(server, COMQTT_MQTT_5);
    comqtt_packet* answer;
    int present = -1;
    peer_send(it, connect_with(id, false, session_expiry));
    answer = peer_expect(it, COMQTT_CONNACK);
    if (answer && comqtt_packet_reason(answer) == 0) present = comqtt_packet_session_present(answer);
    comqtt_packet_release(answer);
    peer_close(it);
    return present;
}

static void time_stands_still_until_it_is_moved(void) {
    comqtt_server* server = manual_server();
    int64_t before = comqtt_server_now_unix_ms(server);
    sleep_ms(5);
    CHECK_INT(comqtt_server_now_unix_ms(server), before);
    CHECK_OK(comqtt_server_advance(server, 86400000));
    CHECK_INT(comqtt_server_now_unix_ms(server), before + 86400000);
    CHECK_STATUS(comqtt_server_advance(server, -1), COMQTT_ERR_INVALID_ARGUMENT);
    comqtt_server_free(server);
    server = plain_server();
    CHECK_STATUS(comqtt_server_advance(server, 1), COMQTT_ERR_STATE);
    comqtt_server_free(server);
}

static void a_silent_client_is_disconnected_after_one_and_a_half_keep_alives(void) {
    comqtt_server* server = manual_server();
    peer* it = peer_open(server, COMQTT_MQTT_5);
    comqtt_packet* connect = make_connect(COMQTT_MQTT_5, "silent");
    comqtt_connect fields = comqtt_connect_init();
    comqtt_packet* last;
    comqtt_packet_connect(connect, &fields);
    fields.keep_alive = 10;
    comqtt_packet_set_connect(connect, &fields);
    CHECK_INT(peer_try_connect(it, connect), 0);
    CHECK_OK(comqtt_server_advance(server, 14000));
    CHECK(peer_ping(it));
    CHECK_OK(comqtt_server_advance(server, 14000));
    CHECK(peer_is_quiet(it));
    CHECK_OK(comqtt_server_advance(server, 2500));
    last = peer_expect(it, COMQTT_DISCONNECT);
    CHECK_INT(comqtt_packet_reason(last), COMQTT_REASON_KEEP_ALIVE_TIMEOUT);
    comqtt_packet_release(last);
    CHECK(peer_sees_close(it));
    peer_close(it);
    comqtt_server_free(server);
}

static void a_session_lives_as_long_as_its_expiry_interval(void) {
    comqtt_server* server = manual_server();
    CHECK_INT(resume(server, "keeper", 60), 0);
    CHECK_OK(comqtt_server_advance(server, 58000));
    CHECK_INT(resume(server, "keeper", 60), 1);
    CHECK_OK(comqtt_server_advance(server, 62000));
    CHECK_INT(resume(server, "keeper", 60), 0);
    comqtt_server_free(server);
}

static void a_delayed_will_waits_and_is_taken_back_by_a_return(void) {
    comqtt_server* server = manual_server();
    peer* watcher = peer_connect(server, COMQTT_MQTT_5, "watcher");
    CHECK_INT(peer_subscribe(watcher, "wills/#", 0), 0);
    for (int returns = 0; returns < 2; ++returns) {
        peer* it = peer_open(server, COMQTT_MQTT_5);
        comqtt_packet* connect = connect_with("mortal", true, 100);
        comqtt_connect fields = comqtt_connect_init();
        comqtt_packet_connect(connect, &fields);
        fields.has_will = true;
        fields.will_topic = S("wills/mortal");
        fields.will_payload = B("gone");
        comqtt_packet_set_connect(connect, &fields);
        CHECK_OK(
            comqtt_packet_set_prop_int(connect, COMQTT_SECTION_WILL, COMQTT_PROP_WILL_DELAY_INTERVAL, 10));
        CHECK_INT(peer_try_connect(it, connect), 0);
        peer_close(it);
        CHECK(peer_is_quiet(watcher));
        CHECK_OK(comqtt_server_advance(server, 9000));
        CHECK(peer_is_quiet(watcher));
        if (returns) CHECK_INT(resume(server, "mortal", 100), 1);
        CHECK_OK(comqtt_server_advance(server, 2000));
        if (returns)
            CHECK(peer_is_quiet(watcher));
        else
            CHECK(peer_gets(watcher, "wills/mortal", "gone"));
    }
    peer_close(watcher);
    comqtt_server_free(server);
}

static void a_queued_message_expires_and_its_interval_counts_down(void) {
    comqtt_server* server = manual_server();
    peer* it = peer_open(server, COMQTT_MQTT_5);
    comqtt_packet* message;
    uint32_t left = 0;
    CHECK_INT(peer_try_connect(it, connect_with("sleeper", true, 1000)), 0);
    CHECK_INT(peer_subscribe(it, "t", 1), 1);
    peer_close(it);
    for (int i = 0; i < 2; ++i) {
        message = make_publish(COMQTT_MQTT_5, "t", i ? "long" : "short", 1, 0);
        comqtt_packet_set_prop_int(message, COMQTT_SECTION_PACKET, COMQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                   i ? 100 : 10);
        CHECK_OK(comqtt_server_publish_packet(server, message, NULL));
        comqtt_packet_release(message);
    }
    CHECK_OK(comqtt_server_advance(server, 30000));
    it = peer_open(server, COMQTT_MQTT_5);
    CHECK_INT(peer_try_connect(it, connect_with("sleeper", false, 1000)), 0);
    message = peer_expect(it, COMQTT_PUBLISH);
    CHECK(bytes_are(comqtt_packet_payload(message), "long"));
    CHECK(comqtt_packet_prop_int(message, COMQTT_SECTION_PACKET, COMQTT_PROP_MESSAGE_EXPIRY_INTERVAL, &left));
    CHECK_INT(left, 70);
    comqtt_packet_release(message);
    CHECK(peer_is_quiet(it));
    peer_close(it);
    comqtt_server_free(server);
}

static void a_connection_that_says_nothing_is_closed(void) {
    comqtt_server* server = manual_server();
    peer* it = peer_open(server, COMQTT_MQTT_5);
    CHECK_OK(comqtt_server_advance(server, 9000));
    CHECK(peer_is_quiet(it));
    CHECK_OK(comqtt_server_advance(server, 2000));
    CHECK(peer_sees_close(it));
    peer_close(it);
    comqtt_server_free(server);
}

int main(void) {
    RUN(time_stands_still_until_it_is_moved);
    RUN(a_silent_client_is_disconnected_after_one_and_a_half_keep_alives);
    RUN(a_session_lives_as_long_as_its_expiry_interval);
    RUN(a_delayed_will_waits_and_is_taken_back_by_a_return);
    RUN(a_queued_message_expires_and_its_interval_counts_down);
    RUN(a_connection_that_says_nothing_is_closed);
    return check_summary();
}
