/* Servers come and go: states, several at once, any order of destruction. */
#include <pthread.h>

#include "check.h"
#include "peer.h"

static void a_server_that_was_never_started_can_be_freed(void) {
    comqtt_server* server = NULL;
    CHECK_OK(comqtt_server_new(NULL, &server, NULL));
    CHECK_INT(comqtt_server_state(server), COMQTT_STATE_NEW);
    CHECK_STATUS(comqtt_server_wait(server, 0), COMQTT_ERR_STATE);
    comqtt_server_free(server);
    comqtt_server_free(NULL);
}

static void a_server_goes_through_its_states_once(void) {
    comqtt_error* error = NULL;
    comqtt_server* server = test_server(test_options(false), false);
    CHECK_INT(comqtt_server_state(server), COMQTT_STATE_RUNNING);
    CHECK_STATUS(comqtt_server_start(server, &error), COMQTT_ERR_STATE);
    CHECK(error != NULL && comqtt_error_message(error).len > 0);
    comqtt_error_free(error);
    CHECK_STATUS(comqtt_server_wait(server, 10), COMQTT_ERR_TIMEOUT);
    CHECK_OK(comqtt_server_stop(server, 0));
    CHECK_OK(comqtt_server_stop(server, 0));
    CHECK_OK(comqtt_server_wait(server, 5000));
    CHECK_INT(comqtt_server_state(server), COMQTT_STATE_STOPPED);
    CHECK_OK(comqtt_server_wait(server, 0));
    CHECK_STATUS(comqtt_server_start(server, NULL), COMQTT_ERR_STATE);
    comqtt_server_free(server);
}

static void a_server_is_ready_while_it_runs(void) {
    comqtt_server* server = NULL;
    comqtt_error* error = NULL;
    CHECK_OK(comqtt_server_new(NULL, &server, NULL));
    CHECK_STATUS(comqtt_server_ready(server, &error), COMQTT_ERR_STATE);
    CHECK(comqtt_error_message(error).len > 0);
    comqtt_error_free(error);
    CHECK_OK(comqtt_server_start(server, NULL));
    CHECK_OK(comqtt_server_ready(server, NULL));
    CHECK_OK(comqtt_server_stop(server, 0));
    CHECK_STATUS(comqtt_server_ready(server, NULL), COMQTT_ERR_STATE);
    CHECK_OK(comqtt_server_wait(server, 5000));
    CHECK_STATUS(comqtt_server_ready(server, NULL), COMQTT_ERR_STATE);
    comqtt_server_free(server);
}

static void two_servers_live_apart_and_die_in_any_order(void) {
    for (int order = 0; order < 2; ++order) {
        comqtt_server* one = plain_server();
        comqtt_server* two = plain_server();
        peer* in_one = peer_connect(one, COMQTT_MQTT_5, "same");
        peer* in_two = peer_connect(two, COMQTT_MQTT_3_1_1, "same");
        CHECK_INT(peer_subscribe(in_one, "t", 0), 0);
        CHECK_INT(peer_subscribe(in_two, "t", 0), 0);
        CHECK_OK(comqtt_server_publish(one, S("t"), B("for one"), 0, false, NULL));
        CHECK(peer_gets(in_one, "t", "for one"));
        CHECK(peer_is_quiet(in_two));
        comqtt_server_free(order ? one : two);
        CHECK(peer_ping(order ? in_two : in_one));
        comqtt_server_free(order ? two : one);
        peer_close(in_one);
        peer_close(in_two);
    }
}

static void a_hundred_servers_leave_nothing_behind(void) {
    for (int i = 0; i < 100; ++i) {
        comqtt_server* server = plain_server();
        peer* it = peer_connect(server, COMQTT_MQTT_5, "c");
        if (i % 2) peer_close(it);
        comqtt_server_free(server);
        if (i % 2 == 0) peer_close(it);
    }
    CHECK(true);
}

static void a_failed_start_closes_everything_again(void) {
    comqtt_server* first = plain_server();
    comqtt_server* second = NULL;
    comqtt_error* error = NULL;
    comqtt_listener_config config = comqtt_listener_config_init();
    char address[32];
    config.kind = COMQTT_LISTENER_TCP;
    config.id = S("tcp");
    config.address = S("127.0.0.1:0");
    CHECK_OK(comqtt_server_listen(first, &config, NULL));
    snprintf(address, sizeof address, "127.0.0.1:%u", comqtt_server_listener_port(first, S("tcp")));
    CHECK_OK(comqtt_server_new(NULL, &second, NULL));
    config.address = S(address);
    if (comqtt_server_listen(second, &config, &error) == COMQTT_OK) {
        CHECK_STATUS(comqtt_server_start(second, &error), COMQTT_ERR_ADDRESS_IN_USE);
        CHECK_INT(comqtt_server_state(second), COMQTT_STATE_STOPPED);
    }
    CHECK_STATUS(comqtt_error_status(error), COMQTT_ERR_ADDRESS_IN_USE);
    comqtt_error_free(error);
    comqtt_server_free(second);
    comqtt_server_free(first);
}

static void what_outlives_its_server_answers_closed(void) {
    comqtt_server* server = plain_server();
    peer* it = peer_connect(server, COMQTT_MQTT_5, "survivor");
    comqtt_client* client = NULL;
    comqtt_packet* packet = make_publish(COMQTT_MQTT_5, "t", "x", 0, 0);
    uint8_t byte;
    size_t got = 0;
    CHECK_OK(comqtt_server_client(server, S("survivor"), &client));
    comqtt_server_free(server);
    CHECK_STR(comqtt_client_id(client), "survivor");
    CHECK(!comqtt_client_is_connected(client));
    CHECK_STATUS(comqtt_client_disconnect(client, COMQTT_REASON_ADMINISTRATIVE_ACTION), COMQTT_ERR_CLOSED);
    CHECK_STATUS(comqtt_client_send(client, packet), COMQTT_ERR_CLOSED);
    CHECK_STATUS(comqtt_client_expire(client), COMQTT_ERR_CLOSED);
    CHECK_STATUS(comqtt_pipe_write(it->pipe, B("x")), COMQTT_ERR_CLOSED);
    while (comqtt_pipe_read(it->pipe, &byte, 1, 0, &got) == COMQTT_OK) {
    }
    CHECK_STATUS(comqtt_pipe_read(it->pipe, &byte, 1, 1000, &got), COMQTT_ERR_CLOSED);
    comqtt_client_release(client);
    comqtt_packet_release(packet);
    peer_close(it);
}

static void* run_it(void* argument) {
    comqtt_status status = comqtt_server_run((comqtt_server*)argument, NULL);
    return status == COMQTT_OK ? argument : NULL;
}

static void run_returns_when_another_thread_stops_the_server(void) {
    comqtt_server* server = NULL;
    pthread_t thread;
    void* result = NULL;
    comqtt_options* options = test_options(false);
    CHECK_OK(comqtt_server_new(options, &server, NULL));
    comqtt_options_free(options);
    pthread_create(&thread, NULL, run_it, server);
    EVENTUALLY(comqtt_server_state(server) == COMQTT_STATE_RUNNING);
    CHECK_OK(comqtt_server_stop(server, 0));
    pthread_join(thread, &result);
    CHECK(result == server);
    comqtt_server_free(server);
}

static void stop_tells_clients_and_lets_them_take_it(void) {
    comqtt_server* server = plain_server();
    peer* five = peer_connect(server, COMQTT_MQTT_5, "five");
    peer* three = peer_connect(server, COMQTT_MQTT_3_1_1, "three");
    comqtt_packet* last;
    CHECK_OK(comqtt_server_stop(server, 1000));
    last = peer_expect(five, COMQTT_DISCONNECT);
    CHECK_INT(comqtt_packet_reason(last), COMQTT_REASON_SERVER_SHUTTING_DOWN);
    comqtt_packet_release(last);
    CHECK(peer_sees_close(five));
    CHECK(peer_sees_close(three));
    CHECK_OK(comqtt_server_wait(server, 5000));
    peer_close(five);
    peer_close(three);
    comqtt_server_free(server);
}

typedef struct ending {
    atomic_int inits, stops, events_after, dropped;
    comqtt_status stored; /* what stored_clients answers */
    bool stop_it;         /* stored_clients stops the server */
} ending;
static comqtt_status ending_init(void* user, comqtt_server* server) {
    (void)server;
    atomic_fetch_add(&((ending*)user)->inits, 1);
    return COMQTT_OK;
}
static void ending_stop(void* user) { atomic_fetch_add(&((ending*)user)->stops, 1); }
static void ending_dropped(void* user) { atomic_fetch_add(&((ending*)user)->dropped, 1); }
static comqtt_status ending_stored(void* user, comqtt_event* event, comqtt_sink* sink) {
    ending* it = user;
    (void)sink;
    if (it->stops) atomic_fetch_add(&it->events_after, 1);
    if (it->stop_it) CHECK_OK(comqtt_server_stop(comqtt_event_server(event), 0));
    return it->stored;
}
static void ending_unsubscribed(void* user, comqtt_event* event, comqtt_client* client,
                                const comqtt_packet* packet, comqtt_bytes codes, const int32_t* counts,
                                size_t count) {
    ending* it = user;
    (void)event;
    (void)client;
    (void)packet;
    (void)codes;
    (void)counts;
    (void)count;
    if (it->stops) atomic_fetch_add(&it->events_after, 1);
}
static void ignore_message(void* user, uint64_t subscription, comqtt_client* client,
                           const comqtt_packet* packet) {
    (void)user;
    (void)subscription;
    (void)client;
    (void)packet;
}
static comqtt_server* ending_server(ending* it) {
    comqtt_server* server = NULL;
    comqtt_hooks table = comqtt_hooks_init();
    memset(it, 0, sizeof *it);
    it->stored = COMQTT_ERR_NOT_FOUND;
    table.init = ending_init;
    table.stop = ending_stop;
    table.stored_clients = ending_stored;
    table.on_unsubscribed = ending_unsubscribed;
    CHECK_OK(comqtt_server_new(NULL, &server, NULL));
    CHECK_OK(comqtt_server_add_hook(server, &table, it, ending_dropped, NULL, NULL));
    return server;
}

static void a_failed_start_calls_stop_of_every_hook(void) {
    ending first, second;
    comqtt_server* server = ending_server(&first);
    comqtt_hooks table = comqtt_hooks_init();
    memset(&second, 0, sizeof second);
    table.init = ending_init;
    table.stop = ending_stop;
    CHECK_OK(comqtt_server_add_hook(server, &table, &second, ending_dropped, NULL, NULL));
    first.stored = COMQTT_ERR_STORAGE;
    CHECK_STATUS(comqtt_server_start(server, NULL), COMQTT_ERR_STORAGE);
    CHECK_INT(comqtt_server_state(server), COMQTT_STATE_STOPPED);
    CHECK_INT(first.inits, 1);
    CHECK_INT(first.stops, 1);
    CHECK_INT(second.stops, 1);
    CHECK_OK(comqtt_server_wait(server, 0));
    comqtt_server_free(server);
    CHECK_INT(first.stops, 1);
    CHECK_INT(second.stops, 1);
    CHECK_INT(first.dropped + second.dropped, 2);
}

static void a_server_may_be_stopped_while_it_starts(void) {
    ending it;
    comqtt_server* server = ending_server(&it);
    it.stop_it = true;
    CHECK_STATUS(comqtt_server_start(server, NULL), COMQTT_ERR_CLOSED);
    CHECK_INT(comqtt_server_state(server), COMQTT_STATE_STOPPED);
    CHECK_INT(it.stops, 1);
    comqtt_server_free(server);
    CHECK_INT(it.stops, 1);
}

static void stop_is_the_last_call_of_a_hook(void) {
    ending it;
    uint64_t subscription = 0;
    comqtt_server* server = ending_server(&it);
    CHECK_OK(comqtt_server_subscribe(server, S("t"), 0, 0, ignore_message, NULL, NULL, &subscription, NULL));
    CHECK_OK(comqtt_server_start(server, NULL));
    CHECK_OK(comqtt_server_stop(server, 0));
    CHECK_OK(comqtt_server_wait(server, -1));
    CHECK_INT(it.stops, 1);
    comqtt_server_unsubscribe(server, subscription);
    CHECK_STATUS(comqtt_server_clear_retained(server, S("t")), COMQTT_ERR_CLOSED);
    comqtt_server_free(server);
    CHECK_INT(it.events_after, 0);
    CHECK_INT(it.stops, 1);
    server = ending_server(&it); /* the same for one that never ran */
    CHECK_OK(comqtt_server_subscribe(server, S("t"), 0, 0, ignore_message, NULL, NULL, &subscription, NULL));
    CHECK_OK(comqtt_server_stop(server, 0));
    CHECK_OK(comqtt_server_wait(server, -1));
    CHECK_INT(it.stops, 1);
    comqtt_server_unsubscribe(server, subscription);
    comqtt_server_free(server);
    CHECK_INT(it.events_after, 0);
    CHECK_INT(it.stops, 1);
}

int main(void) {
    RUN(a_server_that_was_never_started_can_be_freed);
    RUN(a_server_goes_through_its_states_once);
    RUN(a_server_is_ready_while_it_runs);
    RUN(two_servers_live_apart_and_die_in_any_order);
    RUN(a_hundred_servers_leave_nothing_behind);
    RUN(a_failed_start_closes_everything_again);
    RUN(what_outlives_its_server_answers_closed);
    RUN(run_returns_when_another_thread_stops_the_server);
    RUN(stop_tells_clients_and_lets_them_take_it);
    RUN(a_failed_start_calls_stop_of_every_hook);
    RUN(a_server_may_be_stopped_while_it_starts);
    RUN(stop_is_the_last_call_of_a_hook);
    return check_summary();
}
