/* A hook that fails: what it could refuse is refused, counted and logged; with hooks.on-failure=proceed it counts as not
 * asked. */
#include <pthread.h>

#include "check.h"
#include "peer.h"

typedef struct broken {
    const char* _Atomic where; /* the slot that fails; NULL = none */
    atomic_int wills_sent;
    atomic_int lines;
    pthread_mutex_t mutex;
    char line[400];
} broken;

static bool fails(broken* it, comqtt_event* event) {
    const char* where = it->where;
    if (!where || strcmp(where, comqtt_event_name(event)) != 0) return false;
    CHECK_OK(comqtt_event_fail(event, S("it broke")));
    return true;
}
static comqtt_verdict authenticate(void* user, comqtt_event* event, comqtt_client* client,
                                   const comqtt_packet* packet) {
    (void)client;
    (void)packet;
    fails(user, event);
    return COMQTT_NEXT;
}
static comqtt_verdict acl(void* user, comqtt_event* event, comqtt_client* client, comqtt_str topic,
                          comqtt_access access) {
    (void)client;
    (void)topic;
    (void)access;
    fails(user, event);
    return COMQTT_NEXT;
}
static comqtt_action act(void* user, comqtt_event* event, comqtt_client* client, comqtt_packet* packet) {
    (void)client;
    (void)packet;
    fails(user, event);
    return COMQTT_PROCEED;
}
/* Fails over what the test sends, not over the CONNECT and PINGREQ around it. */
static comqtt_action on_read(void* user, comqtt_event* event, comqtt_client* client, comqtt_packet* packet) {
    (void)client;
    if (comqtt_packet_type(packet) == COMQTT_PUBLISH || comqtt_packet_type(packet) == COMQTT_SUBSCRIBE)
        fails(user, event);
    return COMQTT_PROCEED;
}
static comqtt_action absurd(void* user, comqtt_event* event, comqtt_client* client, comqtt_packet* packet) {
    (void)user;
    (void)event;
    (void)client;
    (void)packet;
    return 77;
}
static void edit(void* user, comqtt_event* event, comqtt_client* client, comqtt_packet* packet) {
    (void)client;
    (void)packet;
    fails(user, event);
}
static void will_sent(void* user, comqtt_event* event, comqtt_client* client, const comqtt_packet* packet) {
    (void)event;
    (void)client;
    (void)packet;
    atomic_fetch_add(&((broken*)user)->wills_sent, 1);
}
static void write_down(void* user, const comqtt_log_record* record) {
    broken* it = user;
    if (!record->message.ptr || !strstr(record->message.ptr, "failed in")) return;
    pthread_mutex_lock(&it->mutex);
    snprintf(it->line, sizeof it->line, "%.*s", (int)record->message.len, record->message.ptr);
    pthread_mutex_unlock(&it->mutex);
    atomic_fetch_add(&it->lines, 1);
}

static comqtt_server* broken_server(broken* it, bool proceed) {
    comqtt_server* server = NULL;
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_options* options = test_options(false);
    memset(it, 0, sizeof *it);
    pthread_mutex_init(&it->mutex, NULL);
    table.id = "filter";
    table.on_connect_authenticate = authenticate;
    table.on_acl_check = acl;
    table.on_connect = act;
    table.on_publish = act;
    table.on_packet_read = on_read;
    table.on_subscribe = edit;
    table.on_will = act;
    table.on_will_sent = will_sent;
    CHECK_OK(comqtt_options_set_log(options, COMQTT_LOG_ERROR, write_down, it, NULL));
    if (proceed) CHECK_OK(comqtt_options_set_str(options, "hooks.on-failure", S("proceed"), NULL));
    CHECK_OK(comqtt_server_new(options, &server, NULL));
    comqtt_options_free(options);
    CHECK_OK(comqtt_server_add_hook(server, &table, it, NULL, NULL, NULL));
    CHECK_OK(
        comqtt_server_add_allow_all(server, NULL, NULL)); /* behind it: must not be asked after a failure */
    CHECK_OK(comqtt_server_start(server, NULL));
    return server;
}

/* Reason of the PUBACK. */
static int publish_answer(peer* client) {
    comqtt_packet* ack;
    int reason;
    peer_send(client, make_publish(COMQTT_MQTT_5, "t", "x", 1, 7));
    ack = peer_expect(client, COMQTT_PUBACK);
    reason = ack ? comqtt_packet_reason(ack) : -1;
    comqtt_packet_release(ack);
    return reason;
}

static int64_t failures_of(comqtt_server* server) {
    comqtt_metrics metrics = comqtt_metrics_init();
    CHECK_OK(comqtt_server_metrics(server, &metrics));
    return metrics.hook_failures;
}

static void a_failing_hook_keeps_clients_out(void) {
    static const char* const kSlots[] = {"on_connect", "on_connect_authenticate"};
    broken it;
    comqtt_server* server = broken_server(&it, false);
    for (size_t i = 0; i < 2; ++i) {
        peer* client = peer_open(server, COMQTT_MQTT_5);
        it.where = kSlots[i];
        CHECK(peer_try_connect(client, make_connect(COMQTT_MQTT_5, "c")) >= 0x80);
        CHECK_INT(failures_of(server), (int)i + 1);
        CHECK(strstr(it.line, "filter") && strstr(it.line, kSlots[i]) && strstr(it.line, "'c'"));
        peer_close(client);
    }
    comqtt_server_free(server);
}

static void a_failing_hook_lets_no_message_through(void) {
    static const char* const kSlots[] = {"on_publish", "on_packet_read", "on_acl_check"};
    broken it;
    comqtt_server* server = broken_server(&it, false);
    peer* reader = peer_connect(server, COMQTT_MQTT_5, "reader");
    peer* client = peer_connect(server, COMQTT_MQTT_5, "c");
    CHECK_INT(peer_subscribe(reader, "t", 0), 0);
    for (size_t i = 0; i < 3; ++i) {
        CHECK_OK(comqtt_server_clear_acl_cache(server));
        it.where = kSlots[i];
        CHECK(publish_answer(client) >= 0x80);
        CHECK(strstr(it.line, kSlots[i]) != NULL);
    }
    for (size_t i = 1; i < 3; ++i) { /* of an inline client, and to a receiver whose verdict fails */
        const int64_t before = failures_of(server);
        it.where = i == 1 ? "on_publish" : "on_acl_check";
        CHECK_OK(comqtt_server_publish(server, S("t"), B("inline"), 0, false, NULL));
        EVENTUALLY(failures_of(server) > before);
    }
    it.where = NULL;
    CHECK_INT(publish_answer(client), 0); /* the denials were not kept */
    CHECK(peer_gets(reader, "t", "x"));
    peer_close(client);
    peer_close(reader);
    comqtt_server_free(server);
}

static void a_failing_hook_lets_nobody_subscribe(void) {
    static const char* const kSlots[] = {"on_subscribe", "on_packet_read", "on_acl_check"};
    broken it;
    comqtt_server* server = broken_server(&it, false);
    peer* client = peer_connect(server, COMQTT_MQTT_5, "c");
    for (size_t i = 0; i < 3; ++i) {
        it.where = kSlots[i];
        CHECK(peer_subscribe(client, "t", 0) >= 0x80);
    }
    it.where = NULL;
    CHECK_INT(publish_answer(client), 0);
    CHECK(peer_is_quiet(client));
    peer_close(client);
    comqtt_server_free(server);
}

static peer* connect_with_will(comqtt_server* server) {
    peer* client = peer_open(server, COMQTT_MQTT_5);
    comqtt_packet* connect = make_connect(COMQTT_MQTT_5, "c");
    comqtt_connect fields = comqtt_connect_init();
    comqtt_packet_connect(connect, &fields);
    fields.has_will = true;
    fields.will_topic = S("will");
    fields.will_payload = B("gone");
    comqtt_packet_set_connect(connect, &fields);
    CHECK_INT(peer_try_connect(client, connect), 0);
    return client;
}

static void a_failing_hook_keeps_the_will_back(void) {
    for (int proceed = 0; proceed < 2; ++proceed) {
        broken it;
        comqtt_server* server = broken_server(&it, proceed);
        peer* reader = peer_connect(server, COMQTT_MQTT_5, "reader");
        CHECK_INT(peer_subscribe(reader, "will", 0), 0);
        it.where = "on_will";
        peer_close(connect_with_will(server));
        EVENTUALLY(failures_of(server) == 1);
        if (proceed) CHECK(peer_gets(reader, "will", "gone"));
        CHECK(peer_ping(reader)); /* on the same thread, behind it */
        CHECK_INT(it.wills_sent, proceed);
        peer_close(reader);
        comqtt_server_free(server);
    }
}

static void with_proceed_a_failing_hook_counts_as_not_asked(void) {
    static const char* const kSlots[] = {"on_publish",   "on_packet_read", "on_acl_check",
                                         "on_subscribe", "on_connect",     "on_connect_authenticate"};
    broken it;
    comqtt_server* server = broken_server(&it, true);
    for (size_t i = 0; i < sizeof kSlots / sizeof *kSlots; ++i) {
        peer* client;
        it.where = kSlots[i];
        client = peer_connect(server, COMQTT_MQTT_5, "c");
        CHECK_INT(publish_answer(client), 0);
        CHECK_INT(peer_subscribe(client, "u", 0), 0);
        CHECK(failures_of(server) > 0);
        peer_close(client);
    }
    comqtt_server_free(server);
}

static void an_answer_that_does_not_exist_is_a_failure(void) {
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_server* server = plain_server();
    peer* client = peer_connect(server, COMQTT_MQTT_5, "c");
    table.on_publish = absurd;
    CHECK_OK(comqtt_server_add_hook(server, &table, NULL, NULL, NULL, NULL));
    CHECK_INT(publish_answer(client), COMQTT_REASON_IMPLEMENTATION_SPECIFIC_ERROR);
    CHECK_INT(failures_of(server), 1);
    peer_close(client);
    comqtt_server_free(server);
}

static void a_hook_that_fails_over_and_over_does_not_fill_the_log(void) {
    broken it;
    comqtt_server* server = broken_server(&it, false);
    peer* client = peer_connect(server, COMQTT_MQTT_5, "c");
    it.where = "on_publish";
    for (int i = 0; i < 500; ++i) peer_send(client, make_publish(COMQTT_MQTT_5, "t", "x", 0, 0));
    CHECK(peer_ping(client));
    CHECK_INT(failures_of(server), 500);
    CHECK(it.lines >= 1 && it.lines < 250);
    peer_close(client);
    comqtt_server_free(server);
}

int main(void) {
    RUN(a_failing_hook_keeps_clients_out);
    RUN(a_failing_hook_lets_no_message_through);
    RUN(a_failing_hook_lets_nobody_subscribe);
    RUN(a_failing_hook_keeps_the_will_back);
    RUN(with_proceed_a_failing_hook_counts_as_not_asked);
    RUN(an_answer_that_does_not_exist_is_a_failure);
    RUN(a_hook_that_fails_over_and_over_does_not_fill_the_log);
    return check_summary();
}
