/* What a hook may change: edits, refusals, verdicts, failures, its own comings and goings. */
#include "check.h"
#include "peer.h"

/* One hook of the test, switched by its members. */
typedef struct powers {
    comqtt_verdict authenticate;
    comqtt_verdict acl;
    comqtt_action connect;
    comqtt_action read;
    comqtt_action publish;
    comqtt_action will;
    comqtt_reason reason;
    const char* reason_text;
    bool fail;
    const char* new_payload;
    const char* new_topic;
    const char* new_filter;
    uint16_t keep_alive;
    bool for_all;
    atomic_int calls;
    atomic_int dropped;
    atomic_int stopped;
} powers;

static void give_reason(powers* it, comqtt_event* event) {
    atomic_fetch_add(&it->calls, 1);
    if (it->reason) CHECK_OK(comqtt_event_set_reason(event, it->reason, S(it->reason_text)));
    if (it->fail) CHECK_OK(comqtt_event_fail(event, S("the test says so")));
}
static comqtt_verdict authenticate(void* user, comqtt_event* event, comqtt_client* client,
                                   const comqtt_packet* packet) {
    (void)client;
    (void)packet;
    give_reason(user, event);
    return ((powers*)user)->authenticate;
}
static comqtt_verdict acl(void* user, comqtt_event* event, comqtt_client* client, comqtt_str topic,
                          comqtt_access access) {
    (void)client;
    (void)topic;
    (void)access;
    give_reason(user, event);
    if (((powers*)user)->for_all) CHECK_OK(comqtt_event_set_for_all_topics(event));
    return ((powers*)user)->acl;
}
static comqtt_action on_connect(void* user, comqtt_event* event, comqtt_client* client,
                                comqtt_packet* packet) {
    powers* it = user;
    (void)packet;
    give_reason(it, event);
    if (it->keep_alive) CHECK_OK(comqtt_client_set_keep_alive(client, it->keep_alive));
    return it->connect;
}
static comqtt_action on_read(void* user, comqtt_event* event, comqtt_client* client, comqtt_packet* packet) {
    powers* it = user;
    (void)client;
    if (comqtt_packet_type(packet) != COMQTT_PUBLISH) return COMQTT_PROCEED;
    give_reason(it, event);
    if (it->new_payload) CHECK_OK(comqtt_packet_set_payload(packet, B(it->new_payload)));
    return it->read;
}
static comqtt_action on_publish(void* user, comqtt_event* event, comqtt_client* client,
                                comqtt_packet* packet) {
    powers* it = user;
    (void)client;
    give_reason(it, event);
    if (it->new_payload) CHECK_OK(comqtt_packet_set_payload(packet, B(it->new_payload)));
    if (it->new_topic) CHECK_OK(comqtt_packet_set_topic(packet, S(it->new_topic)));
    return it->publish;
}
static comqtt_action on_will(void* user, comqtt_event* event, comqtt_client* client, comqtt_packet* packet) {
    powers* it = user;
    (void)client;
    give_reason(it, event);
    if (it->new_payload) CHECK_OK(comqtt_packet_set_payload(packet, B(it->new_payload)));
    return it->will;
}
static void on_subscribe(void* user, comqtt_event* event, comqtt_client* client, comqtt_packet* packet) {
    powers* it = user;
    comqtt_subscription entry = comqtt_subscription_init();
    (void)event;
    (void)client;
    CHECK_OK(comqtt_packet_filter(packet, 0, &entry));
    entry.filter = S(it->new_filter);
    CHECK_OK(comqtt_packet_set_filter(packet, 0, &entry));
}
static void on_encode(void* user, comqtt_event* event, comqtt_client* client, comqtt_packet* packet) {
    powers* it = user;
    (void)event;
    if (comqtt_packet_type(packet) != COMQTT_PUBLISH) return;
    CHECK_OK(comqtt_packet_set_payload(
        packet, comqtt_bytes_of(comqtt_client_id(client).ptr, comqtt_client_id(client).len)));
    atomic_fetch_add(&it->calls, 1);
}
static void on_published(void* user, comqtt_event* event, comqtt_client* client,
                         const comqtt_packet* packet) {
    (void)user;
    (void)event;
    (void)client;
    CHECK(comqtt_packet_is_frozen(packet));
    CHECK_STATUS(comqtt_packet_set_qos((comqtt_packet*)packet, 1), COMQTT_ERR_STATE);
}
static void drop_powers(void* user) { atomic_fetch_add(&((powers*)user)->dropped, 1); }
static void on_stop(void* user) { atomic_fetch_add(&((powers*)user)->stopped, 1); }

/* A running server with one hook of these slots; then allow-all when `allow`. */
static comqtt_server* server_with(comqtt_hooks table, powers* it, bool allow) {
    comqtt_server* server = NULL;
    comqtt_options* options = test_options(false);
    CHECK_OK(comqtt_server_new(options, &server, NULL));
    comqtt_options_free(options);
    CHECK_OK(comqtt_server_add_hook(server, &table, it, drop_powers, NULL, NULL));
    if (allow) CHECK_OK(comqtt_server_add_allow_all(server, NULL, NULL));
    CHECK_OK(comqtt_server_start(server, NULL));
    return server;
}

static int connack_of(comqtt_server* server, comqtt_protocol version) {
    peer* it = peer_open(server, version);
    int reason = peer_try_connect(it, make_connect(version, "c"));
    peer_close(it);
    return reason;
}

static void nothing_is_allowed_until_a_hook_allows_it(void) {
    comqtt_server* server = test_server(test_options(false), false);
    CHECK_INT(connack_of(server, COMQTT_MQTT_5), COMQTT_REASON_BAD_USER_NAME_OR_PASSWORD);
    CHECK_OK(comqtt_server_add_allow_all(server, NULL, NULL));
    CHECK_INT(connack_of(server, COMQTT_MQTT_5), COMQTT_REASON_SUCCESS);
    comqtt_server_free(server);
}

static void the_first_verdict_that_is_not_next_decides(void) {
    powers it = {.authenticate = COMQTT_DENY};
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_server* server;
    table.on_connect_authenticate = authenticate;
    server = server_with(table, &it, true);
    CHECK_INT(connack_of(server, COMQTT_MQTT_5), COMQTT_REASON_BAD_USER_NAME_OR_PASSWORD);
    it.reason = COMQTT_REASON_BANNED;
    it.reason_text = "not today";
    CHECK_INT(connack_of(server, COMQTT_MQTT_5), COMQTT_REASON_BANNED);
    it.reason = 0;
    it.authenticate = COMQTT_NEXT;
    CHECK_INT(connack_of(server, COMQTT_MQTT_5), COMQTT_REASON_SUCCESS);
    it.authenticate = COMQTT_ALLOW;
    CHECK_INT(connack_of(server, COMQTT_MQTT_5), COMQTT_REASON_SUCCESS);
    it.fail = true; /* a failed callback denies, whoever would allow behind it */
    CHECK_INT(connack_of(server, COMQTT_MQTT_5), COMQTT_REASON_BAD_USER_NAME_OR_PASSWORD);
    it.fail = false;
    it.authenticate = 99;
    CHECK_INT(connack_of(server, COMQTT_MQTT_5), COMQTT_REASON_BAD_USER_NAME_OR_PASSWORD);
    it.authenticate = COMQTT_VERDICT_PENDING; /* without a deferral: a failure too */
    CHECK_INT(connack_of(server, COMQTT_MQTT_5), COMQTT_REASON_BAD_USER_NAME_OR_PASSWORD);
    comqtt_server_free(server);
    CHECK_INT(it.dropped, 1);
}

static void acl_denial_refuses_publish_and_subscribe(void) {
    powers it = {.acl = COMQTT_DENY};
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_server* server;
    peer* client;
    comqtt_packet* ack;
    table.on_acl_check = acl;
    server = server_with(table, &it, true);
    client = peer_connect(server, COMQTT_MQTT_5, "c");
    CHECK_INT(peer_subscribe(client, "t", 1), COMQTT_REASON_NOT_AUTHORIZED);
    peer_send(client, make_publish(COMQTT_MQTT_5, "t", "x", 1, 1));
    ack = peer_expect(client, COMQTT_PUBACK);
    CHECK_INT(comqtt_packet_reason(ack), COMQTT_REASON_NOT_AUTHORIZED);
    comqtt_packet_release(ack);
    it.acl = COMQTT_NEXT;
    CHECK_OK(comqtt_server_clear_acl_cache(server));
    CHECK_INT(peer_subscribe(client, "t", 1), 1);
    peer_close(client);
    comqtt_server_free(server);
}

static void verdicts_are_cached_per_session(void) {
    powers it = {.acl = COMQTT_ALLOW};
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_server* server;
    peer* client;
    table.on_acl_check = acl;
    server = server_with(table, &it, true);
    client = peer_connect(server, COMQTT_MQTT_5, "c");
    for (int i = 0; i < 5; ++i) peer_send(client, make_publish(COMQTT_MQTT_5, "t", "x", 0, 0));
    CHECK(peer_ping(client));
    CHECK_INT(it.calls, 1);
    CHECK_OK(comqtt_server_clear_acl_cache(server));
    peer_send(client, make_publish(COMQTT_MQTT_5, "t", "x", 0, 0));
    CHECK(peer_ping(client));
    CHECK_INT(it.calls, 2);
    peer_close(client);
    comqtt_server_free(server);
}

static void a_verdict_for_all_topics_is_asked_for_once(void) {
    powers it = {.acl = COMQTT_ALLOW};
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_server* server;
    peer* client;
    char topic[] = "t0";
    table.on_acl_check = acl;
    server = server_with(table, &it, true);
    client = peer_connect(server, COMQTT_MQTT_5, "c");
    for (int i = 0; i < 5; ++i, ++topic[1]) peer_send(client, make_publish(COMQTT_MQTT_5, topic, "x", 0, 0));
    CHECK(peer_ping(client));
    CHECK_INT(it.calls, 5);
    it.for_all = true;
    for (int i = 0; i < 4; ++i, ++topic[1]) peer_send(client, make_publish(COMQTT_MQTT_5, topic, "x", 0, 0));
    CHECK(peer_ping(client));
    CHECK_INT(it.calls, 6);
    CHECK_INT(peer_subscribe(client, "t", 0), 0); /* the other access */
    CHECK_INT(it.calls, 7);
    peer_close(client);
    comqtt_server_free(server);
}

static void on_connect_can_refuse_and_set_the_keep_alive(void) {
    powers it = {.keep_alive = 60};
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_server* server;
    peer* client;
    comqtt_packet* connack;
    uint32_t keep_alive = 0;
    table.on_connect = on_connect;
    server = server_with(table, &it, true);
    client = peer_open(server, COMQTT_MQTT_5);
    peer_send(client, make_connect(COMQTT_MQTT_5, "c"));
    connack = peer_expect(client, COMQTT_CONNACK);
    CHECK(comqtt_packet_prop_int(connack, COMQTT_SECTION_PACKET, COMQTT_PROP_SERVER_KEEP_ALIVE, &keep_alive));
    CHECK_INT(keep_alive, 60);
    comqtt_packet_release(connack);
    peer_close(client);
    it.keep_alive = 0;
    it.connect = COMQTT_FAIL;
    it.reason = COMQTT_REASON_SERVER_BUSY;
    it.reason_text = "later";
    CHECK_INT(connack_of(server, COMQTT_MQTT_5), COMQTT_REASON_SERVER_BUSY);
    it.connect = COMQTT_REJECT;
    CHECK_INT(connack_of(server, COMQTT_MQTT_5), -1);
    comqtt_server_free(server);
}

static void on_publish_edits_rejects_ignores_and_fails(void) {
    powers it = {.new_payload = "edited", .new_topic = "other"};
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_server* server;
    peer* client;
    comqtt_packet* ack;
    table.on_publish = on_publish;
    table.on_published = on_published;
    server = server_with(table, &it, true);
    client = peer_connect(server, COMQTT_MQTT_5, "c");
    CHECK_INT(peer_subscribe(client, "#", 0), 0);
    peer_send(client, make_publish(COMQTT_MQTT_5, "t", "plain", 0, 0));
    CHECK(peer_gets(client, "other", "edited"));
    it.publish = COMQTT_REJECT;
    peer_send(client, make_publish(COMQTT_MQTT_5, "t", "plain", 0, 0));
    CHECK(peer_ping(client));
    it.publish = COMQTT_IGNORE;
    peer_send(client, make_publish(COMQTT_MQTT_5, "t", "plain", 1, 1));
    ack = peer_expect(client, COMQTT_PUBACK);
    CHECK(comqtt_packet_reason(ack) < 0x80);
    comqtt_packet_release(ack);
    it.publish = COMQTT_FAIL;
    it.reason = COMQTT_REASON_PAYLOAD_FORMAT_INVALID;
    it.reason_text = "bad payload";
    peer_send(client, make_publish(COMQTT_MQTT_5, "t", "plain", 1, 2));
    ack = peer_expect(client, COMQTT_PUBACK);
    CHECK_INT(comqtt_packet_reason(ack), COMQTT_REASON_PAYLOAD_FORMAT_INVALID);
    {
        comqtt_str text = {NULL, 0};
        CHECK(comqtt_packet_prop_str(ack, COMQTT_SECTION_PACKET, COMQTT_PROP_REASON_STRING, &text));
        CHECK_STR(text, "bad payload");
    }
    comqtt_packet_release(ack);
    peer_send(client, make_publish(COMQTT_MQTT_5, "t", "plain", 2, 3));
    ack = peer_expect(client, COMQTT_PUBREC);
    CHECK_INT(comqtt_packet_reason(ack), COMQTT_REASON_PAYLOAD_FORMAT_INVALID);
    comqtt_packet_release(ack);
    it.reason = 0;
    it.publish = COMQTT_PROCEED;
    it.fail = true; /* a failed callback refuses the message */
    peer_send(client, make_publish(COMQTT_MQTT_5, "t", "plain", 0, 0));
    CHECK(peer_ping(client));
    peer_close(client);
    comqtt_server_free(server);
}

static void on_packet_read_edits_and_rejects(void) {
    powers it = {.new_payload = "seen"};
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_server* server;
    peer* client;
    table.on_packet_read = on_read;
    server = server_with(table, &it, true);
    client = peer_connect(server, COMQTT_MQTT_3_1_1, "c");
    CHECK_INT(peer_subscribe(client, "t", 0), 0);
    peer_send(client, make_publish(COMQTT_MQTT_3_1_1, "t", "plain", 0, 0));
    CHECK(peer_gets(client, "t", "seen"));
    it.read = COMQTT_REJECT;
    peer_send(client, make_publish(COMQTT_MQTT_3_1_1, "t", "plain", 0, 0));
    CHECK(peer_ping(client)); /* as if it had not been sent */
    peer_close(client);
    comqtt_server_free(server);
}

/* Gives the client another id and user name, once it has seen the ones that CONNECT names. */
static comqtt_action rename_client(void* user, comqtt_event* event, comqtt_client* client,
                                   comqtt_packet* packet) {
    comqtt_connect connect = comqtt_connect_init();
    if (comqtt_packet_type(packet) != COMQTT_CONNECT) return COMQTT_PROCEED;
    give_reason(user, event);
    CHECK_OK(comqtt_packet_connect(packet, &connect));
    CHECK_STR(connect.client_id, "before");
    CHECK_STR(comqtt_client_id(client), "before");
    CHECK(comqtt_client_clean_start(client));
    connect.client_id = S("after");
    connect.username = S("somebody");
    CHECK_OK(comqtt_packet_set_connect(packet, &connect));
    return COMQTT_PROCEED;
}
static comqtt_action on_connect_renamed(void* user, comqtt_event* event, comqtt_client* client,
                                        comqtt_packet* packet) {
    (void)packet;
    give_reason(user, event);
    CHECK_STR(comqtt_client_id(client), "after");
    CHECK_STR(comqtt_client_username(client), "somebody");
    return COMQTT_PROCEED;
}

static void on_packet_read_sees_the_client_of_a_connect_and_may_rename_it(void) {
    powers it = {0};
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_server* server;
    peer* client;
    table.on_packet_read = rename_client;
    table.on_connect = on_connect_renamed;
    server = server_with(table, &it, true);
    client = peer_connect(server, COMQTT_MQTT_5, "before");
    CHECK(peer_ping(client));
    CHECK_INT(it.calls, 2);
    peer_close(client);
    comqtt_server_free(server);
}

static void on_subscribe_and_on_packet_encode_edit(void) {
    powers it = {.new_filter = "instead"};
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_server* server;
    peer* one;
    peer* two;
    table.on_subscribe = on_subscribe;
    table.on_packet_encode = on_encode;
    server = server_with(table, &it, true);
    one = peer_connect(server, COMQTT_MQTT_5, "one");
    two = peer_connect(server, COMQTT_MQTT_3_1_1, "two");
    CHECK_INT(peer_subscribe(one, "t", 0), 0);
    CHECK_INT(peer_subscribe(two, "t", 0), 0);
    CHECK_OK(comqtt_server_publish(server, S("t"), B("x"), 0, false, NULL));
    CHECK_OK(comqtt_server_publish(server, S("instead"), B("x"), 0, false, NULL));
    CHECK(peer_gets(one, "instead", "one"));
    CHECK(peer_gets(two, "instead", "two"));
    CHECK_INT(it.calls, 2);
    peer_close(one);
    peer_close(two);
    comqtt_server_free(server);
}

static void on_will_edits_and_suppresses(void) {
    powers it = {.new_payload = "edited"};
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_server* server;
    peer* watcher;
    table.on_will = on_will;
    server = server_with(table, &it, true);
    watcher = peer_connect(server, COMQTT_MQTT_5, "watcher");
    CHECK_INT(peer_subscribe(watcher, "will", 0), 0);
    for (int reject = 0; reject < 2; ++reject) {
        peer* mortal = peer_open(server, COMQTT_MQTT_5);
        comqtt_packet* connect = make_connect(COMQTT_MQTT_5, "mortal");
        comqtt_connect fields = comqtt_connect_init();
        comqtt_packet_connect(connect, &fields);
        fields.has_will = true;
        fields.will_topic = S("will");
        comqtt_packet_set_connect(connect, &fields);
        CHECK_INT(peer_try_connect(mortal, connect), 0);
        it.will = reject ? COMQTT_REJECT : COMQTT_PROCEED;
        peer_close(mortal);
        EVENTUALLY(it.calls == reject + 1);
        if (reject)
            CHECK(peer_is_quiet(watcher));
        else
            CHECK(peer_gets(watcher, "will", "edited"));
    }
    peer_close(watcher);
    comqtt_server_free(server);
}

static comqtt_status refuse_init(void* user, comqtt_server* server) {
    (void)user;
    CHECK(server != NULL);
    return COMQTT_ERR_CONFIG;
}

static void hooks_come_and_go(void) {
    powers it = {.authenticate = COMQTT_DENY};
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_server* server = plain_server();
    comqtt_error* error = NULL;
    uint64_t hook = 0;
    table.id = "mine";
    table.init = refuse_init;
    table.stop = on_stop;
    table.on_connect_authenticate = authenticate;
    CHECK_STATUS(comqtt_server_add_hook(server, &table, &it, drop_powers, NULL, &error), COMQTT_ERR_CALLBACK);
    CHECK(strstr(comqtt_error_message(error).ptr, "mine") != NULL);
    comqtt_error_free(error);
    CHECK_INT(it.dropped, 1);
    CHECK_INT(it.stopped, 0);
    table.init = NULL;
    CHECK_OK(comqtt_server_add_hook(server, &table, &it, drop_powers, &hook, NULL));
    CHECK(hook != 0);
    CHECK_INT(connack_of(server, COMQTT_MQTT_5), COMQTT_REASON_SUCCESS); /* allow-all comes first */
    CHECK_INT(it.calls, 0);
    CHECK_OK(comqtt_server_remove_hook(server, hook));
    CHECK_INT(it.stopped, 1);
    CHECK_INT(it.dropped, 2);
    CHECK_STATUS(comqtt_server_remove_hook(server, hook), COMQTT_ERR_NOT_FOUND);
    CHECK_OK(comqtt_server_add_hook(server, &table, &it, drop_powers, &hook, NULL));
    comqtt_server_free(server);
    CHECK_INT(it.stopped, 2);
    CHECK_INT(it.dropped, 3);
}

int main(void) {
    RUN(nothing_is_allowed_until_a_hook_allows_it);
    RUN(the_first_verdict_that_is_not_next_decides);
    RUN(acl_denial_refuses_publish_and_subscribe);
    RUN(verdicts_are_cached_per_session);
    RUN(a_verdict_for_all_topics_is_asked_for_once);
    RUN(on_connect_can_refuse_and_set_the_keep_alive);
    RUN(on_publish_edits_rejects_ignores_and_fails);
    RUN(on_packet_read_edits_and_rejects);
    RUN(on_packet_read_sees_the_client_of_a_connect_and_may_rename_it);
    RUN(on_subscribe_and_on_packet_encode_edit);
    RUN(on_will_edits_and_suppresses);
    RUN(hooks_come_and_go);
    return check_summary();
}
