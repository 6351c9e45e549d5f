/* What may be called from callbacks: everything but what waits; also freeing the server. */
#include "check.h"
#include "peer.h"

typedef struct inside {
    atomic_int calls;
    atomic_int dropped;
    atomic_bool free_it;
    atomic_bool remove_it;
    uint64_t hook;
    uint64_t subscription;
} inside;

static void drop_inside(void* user) { atomic_fetch_add(&((inside*)user)->dropped, 1); }

static void on_published(void* user, comqtt_event* event, comqtt_client* client,
                         const comqtt_packet* packet) {
    inside* it = user;
    comqtt_server* server = comqtt_event_server(event);
    if (!str_is(comqtt_packet_topic(packet), "go")) return;
    CHECK(comqtt_event_time_unix_ms(event) > 0);
    CHECK(strcmp(comqtt_event_name(event), "on_published") == 0);
    CHECK_STATUS(comqtt_server_start(server, NULL), COMQTT_ERR_REENTRANT);
    CHECK_STATUS(comqtt_server_run(server, NULL), COMQTT_ERR_REENTRANT);
    CHECK_STATUS(comqtt_server_wait(server, 0), COMQTT_ERR_REENTRANT);
    CHECK_STATUS(comqtt_server_advance(server, 1), COMQTT_ERR_REENTRANT);
    CHECK_OK(comqtt_server_publish(server, S("from/callback"), B("x"), 0, false, NULL));
    CHECK(comqtt_server_client_count(server, true) > 0);
    {
        comqtt_client* again = NULL;
        comqtt_packet* note = make_publish(COMQTT_MQTT_5, "note", "direct", 0, 0);
        CHECK_OK(comqtt_server_client(server, comqtt_client_id(client), &again));
        CHECK(again == client);
        comqtt_client_release(again);
        CHECK_OK(comqtt_client_send(client, note));
        comqtt_packet_release(note);
    }
    atomic_fetch_add(&it->calls, 1);
    if (it->remove_it) CHECK_OK(comqtt_server_remove_hook(server, it->hook));
    if (it->free_it) {
        comqtt_server_free(server);
        CHECK_STATUS(comqtt_server_publish(server, S("t"), B(""), 0, false, NULL), COMQTT_ERR_CLOSED);
        CHECK(comqtt_event_server(event) == server);
    }
}

static comqtt_server* server_with(inside* it) {
    comqtt_server* server = NULL;
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_options* options = test_options(false);
    memset(it, 0, sizeof *it);
    table.on_published = on_published;
    CHECK_OK(comqtt_server_new(options, &server, NULL));
    comqtt_options_free(options);
    CHECK_OK(comqtt_server_add_hook(server, &table, it, drop_inside, &it->hook, NULL));
    CHECK_OK(comqtt_server_add_allow_all(server, NULL, NULL));
    CHECK_OK(comqtt_server_start(server, NULL));
    return server;
}

/* Both messages reach the client, in either order. */
static void expect_both(peer* client) {
    int seen = 0;
    for (int i = 0; i < 2; ++i) {
        comqtt_packet* packet = peer_expect(client, COMQTT_PUBLISH);
        if (str_is(comqtt_packet_topic(packet), "from/callback")) seen |= 1;
        if (str_is(comqtt_packet_topic(packet), "note")) seen |= 2;
        comqtt_packet_release(packet);
    }
    CHECK_INT(seen, 3);
}

static void calls_from_a_hook_are_queued(void) {
    inside it;
    comqtt_server* server = server_with(&it);
    peer* client = peer_connect(server, COMQTT_MQTT_5, "c");
    CHECK_INT(peer_subscribe(client, "from/callback", 0), 0);
    peer_send(client, make_publish(COMQTT_MQTT_5, "go", "x", 0, 0));
    expect_both(client);
    CHECK_INT(it.calls, 1);
    peer_close(client);
    comqtt_server_free(server);
    CHECK_INT(it.dropped, 1);
}

static void a_hook_can_remove_itself(void) {
    inside it;
    comqtt_server* server = server_with(&it);
    peer* client = peer_connect(server, COMQTT_MQTT_5, "c");
    it.remove_it = true;
    CHECK_INT(peer_subscribe(client, "from/callback", 0), 0);
    peer_send(client, make_publish(COMQTT_MQTT_5, "go", "x", 0, 0));
    expect_both(client);
    EVENTUALLY(it.dropped == 1);
    peer_send(client, make_publish(COMQTT_MQTT_5, "go", "x", 0, 0));
    CHECK(peer_ping(client));
    CHECK_INT(it.calls, 1);
    peer_close(client);
    comqtt_server_free(server);
    CHECK_INT(it.dropped, 1);
}

static void a_callback_can_free_its_server(void) {
    inside it;
    comqtt_server* server = server_with(&it);
    peer* client = peer_connect(server, COMQTT_MQTT_5, "c");
    it.free_it = true;
    peer_send(client, make_publish(COMQTT_MQTT_5, "go", "x", 0, 0));
    CHECK(peer_sees_close(client));
    EVENTUALLY(it.dropped == 1);
    CHECK_INT(it.calls, 1);
    peer_close(client);
}

static void on_message(void* user, uint64_t subscription, comqtt_client* client,
                       const comqtt_packet* packet) {
    inside* it = user;
    comqtt_server* server = (comqtt_server*)(uintptr_t)it->hook; /* kept here by the test */
    (void)client;
    (void)packet;
    CHECK_STATUS(comqtt_server_wait(server, 0), COMQTT_ERR_REENTRANT);
    if (atomic_fetch_add(&it->calls, 1) == 0) {
        CHECK_OK(comqtt_server_publish(server, S("loop"), B("again"), 0, false, NULL));
        CHECK_INT(it->calls, 1); /* not entered recursively */
    } else {
        CHECK_OK(comqtt_server_unsubscribe(server, subscription));
    }
}

static void an_inline_handler_can_publish_and_unsubscribe_itself(void) {
    inside it;
    comqtt_server* server = plain_server();
    memset(&it, 0, sizeof it);
    it.hook = (uint64_t)(uintptr_t)server;
    CHECK_OK(comqtt_server_subscribe(server, S("loop"), 0, 0, on_message, &it, drop_inside, NULL, NULL));
    CHECK_OK(comqtt_server_publish(server, S("loop"), B("first"), 0, false, NULL));
    EVENTUALLY(it.dropped == 1);
    CHECK_OK(comqtt_server_publish(server, S("loop"), B("third"), 0, false, NULL));
    comqtt_server_free(server);
    CHECK_INT(it.calls, 2);
}

static comqtt_status free_in_init(void* user, comqtt_server* server) {
    (void)user;
    comqtt_server_free(server);
    return COMQTT_OK;
}

static void init_can_free_the_server(void) {
    inside it;
    comqtt_server* server = NULL;
    comqtt_hooks table = comqtt_hooks_init();
    memset(&it, 0, sizeof it);
    table.init = free_in_init;
    CHECK_OK(comqtt_server_new(NULL, &server, NULL));
    comqtt_server_add_hook(server, &table, &it, drop_inside, NULL, NULL);
    EVENTUALLY(it.dropped == 1);
}

static void stop_in_callback(void* user, comqtt_event* event, comqtt_client* client,
                             const comqtt_packet* packet) {
    (void)user;
    (void)client;
    (void)packet;
    CHECK_OK(comqtt_server_stop(comqtt_event_server(event), 0));
}

static void a_callback_can_stop_its_server(void) {
    comqtt_server* server = plain_server();
    comqtt_hooks table = comqtt_hooks_init();
    peer* client = peer_connect(server, COMQTT_MQTT_5, "c");
    table.on_published = stop_in_callback;
    CHECK_OK(comqtt_server_add_hook(server, &table, NULL, NULL, NULL, NULL));
    peer_send(client, make_publish(COMQTT_MQTT_5, "go", "x", 0, 0));
    CHECK_OK(comqtt_server_wait(server, 5000));
    CHECK(peer_sees_close(client));
    peer_close(client);
    comqtt_server_free(server);
}

int main(void) {
    RUN(calls_from_a_hook_are_queued);
    RUN(a_hook_can_remove_itself);
    RUN(a_callback_can_free_its_server);
    RUN(an_inline_handler_can_publish_and_unsubscribe_itself);
    RUN(init_can_free_the_server);
    RUN(a_callback_can_stop_its_server);
    return check_summary();
}
