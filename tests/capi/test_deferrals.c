/* PENDING answers: before the return, from another thread, late, never, and for a client that has gone. */
#include <pthread.h>

#include "check.h"
#include "peer.h"

typedef struct waiting {
    pthread_mutex_t mutex;
    comqtt_deferral* token; /* left by the callback */
    atomic_int taken;
    atomic_int cancelled;
    atomic_int dropped;
    bool at_once;
    bool on_publish;
} waiting;

static void on_cancel(void* user) { atomic_fetch_add(&((waiting*)user)->cancelled, 1); }
static void on_drop(void* user) { atomic_fetch_add(&((waiting*)user)->dropped, 1); }

static bool keep(waiting* it, comqtt_event* event, comqtt_client* client, const comqtt_packet* packet) {
    comqtt_deferral* token = comqtt_event_defer(event);
    if (!CHECK(token != NULL)) return false;
    CHECK(comqtt_event_defer(event) == NULL);
    CHECK_OK(comqtt_deferral_on_cancel(token, on_cancel, it, on_drop));
    CHECK(comqtt_deferral_client(token) == client);
    CHECK(comqtt_deferral_packet(token) == packet);
    pthread_mutex_lock(&it->mutex);
    it->token = token;
    pthread_mutex_unlock(&it->mutex);
    atomic_fetch_add(&it->taken, 1);
    return true;
}

static comqtt_deferral* take(waiting* it) {
    comqtt_deferral* token;
    pthread_mutex_lock(&it->mutex);
    token = it->token;
    it->token = NULL;
    pthread_mutex_unlock(&it->mutex);
    return token;
}

static comqtt_verdict authenticate(void* user, comqtt_event* event, comqtt_client* client,
                                   const comqtt_packet* packet) {
    waiting* it = user;
    comqtt_str id = comqtt_client_id(client);
    if (it->on_publish || str_is(id, "other")) return COMQTT_ALLOW;
    if (!keep(it, event, client, packet)) return COMQTT_DENY;
    if (it->at_once) CHECK_OK(comqtt_deferral_complete(take(it), COMQTT_ALLOW, 0, S(NULL)));
    return COMQTT_VERDICT_PENDING;
}
static comqtt_verdict allow(void* user, comqtt_event* event, comqtt_client* client, comqtt_str topic,
                            comqtt_access access) {
    (void)user;
    (void)event;
    (void)client;
    (void)topic;
    (void)access;
    return COMQTT_ALLOW;
}
static comqtt_action on_publish(void* user, comqtt_event* event, comqtt_client* client,
                                comqtt_packet* packet) {
    waiting* it = user;
    if (!it->on_publish) return COMQTT_PROCEED;
    return keep(it, event, client, packet) ? COMQTT_ACTION_PENDING : COMQTT_FAIL;
}
static void on_published(void* user, comqtt_event* event, comqtt_client* client,
                         const comqtt_packet* packet) {
    (void)user;
    (void)client;
    (void)packet;
    CHECK(comqtt_event_defer(event) == NULL); /* this event cannot wait */
}

static comqtt_server* waiting_server(waiting* it, bool manual) {
    comqtt_server* server = NULL;
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_options* options = test_options(manual);
    memset(it, 0, sizeof *it);
    pthread_mutex_init(&it->mutex, NULL);
    table.on_connect_authenticate = authenticate;
    table.on_acl_check = allow;
    table.on_publish = on_publish;
    table.on_published = on_published;
    CHECK_OK(comqtt_server_new(options, &server, NULL));
    comqtt_options_free(options);
    CHECK_OK(comqtt_server_add_hook(server, &table, it, NULL, NULL, NULL));
    CHECK_OK(comqtt_server_start(server, NULL));
    return server;
}

static peer* knock(comqtt_server* server, waiting* it) {
    peer* client = peer_open(server, COMQTT_MQTT_5);
    int before = it->taken;
    peer_send(client, make_connect(COMQTT_MQTT_5, "c"));
    EVENTUALLY(it->taken == before + 1);
    return client;
}

static int answer_of(peer* client) {
    comqtt_packet* connack = peer_expect(client, COMQTT_CONNACK);
    int reason = connack ? comqtt_packet_reason(connack) : -1;
    comqtt_packet_release(connack);
    return reason;
}

static void completed_before_the_callback_returned(void) {
    waiting it;
    comqtt_server* server = waiting_server(&it, false);
    peer* client;
    it.at_once = true;
    client = knock(server, &it);
    CHECK_INT(answer_of(client), COMQTT_REASON_SUCCESS);
    CHECK_INT(it.cancelled, 0);
    EVENTUALLY(it.dropped == 1);
    peer_close(client);
    comqtt_server_free(server);
}

static void* complete_later(void* argument) {
    sleep_ms(20);
    CHECK_OK(comqtt_deferral_complete(take(argument), COMQTT_DENY, COMQTT_REASON_BANNED, S("go away")));
    return NULL;
}

static void completed_from_another_thread_while_others_go_on(void) {
    waiting it;
    comqtt_server* server = waiting_server(&it, false);
    peer* client = knock(server, &it);
    peer* other = peer_connect(server, COMQTT_MQTT_5, "other");
    pthread_t thread;
    CHECK(peer_ping(other));
    CHECK(peer_is_quiet(client));
    pthread_create(&thread, NULL, complete_later, &it);
    CHECK_INT(answer_of(client), COMQTT_REASON_BANNED);
    pthread_join(thread, NULL);
    peer_close(client);
    peer_close(other);
    comqtt_server_free(server);
}

static void input_waits_in_order_behind_a_pending_publish(void) {
    waiting it;
    comqtt_server* server = waiting_server(&it, false);
    peer* client;
    comqtt_deferral* token;
    it.at_once = true;
    client = peer_connect(server, COMQTT_MQTT_5, "c");
    CHECK_INT(peer_subscribe(client, "t", 0), 0);
    it.on_publish = true;
    it.taken = 0;
    peer_send(client, make_publish(COMQTT_MQTT_5, "t", "one", 0, 0));
    peer_send(client, make_publish(COMQTT_MQTT_5, "t", "two", 0, 0));
    EVENTUALLY(it.taken == 1);
    CHECK(peer_is_quiet(client));
    token = take(&it);
    CHECK_OK(comqtt_packet_set_payload(comqtt_deferral_packet(token), B("edited while pending")));
    CHECK_OK(comqtt_deferral_complete(token, COMQTT_PROCEED, 0, S(NULL)));
    CHECK(peer_gets(client, "t", "edited while pending"));
    EVENTUALLY(it.taken == 2);
    CHECK_OK(comqtt_deferral_complete(take(&it), COMQTT_PROCEED, 0, S(NULL)));
    CHECK(peer_gets(client, "t", "two"));
    peer_close(client);
    comqtt_server_free(server);
}

static void a_timeout_denies(void) {
    waiting it;
    comqtt_server* server = waiting_server(&it, true);
    peer* client = knock(server, &it);
    comqtt_deferral* token = take(&it);
    CHECK_OK(comqtt_server_advance(server, 9000));
    CHECK(peer_is_quiet(client));
    CHECK(!comqtt_deferral_is_cancelled(token));
    CHECK_OK(comqtt_server_advance(server, 2000));
    CHECK(answer_of(client) >= 0x80);
    CHECK(comqtt_deferral_is_cancelled(token));
    CHECK_INT(it.cancelled, 1);
    CHECK_STATUS(comqtt_deferral_complete(token, COMQTT_ALLOW, 0, S(NULL)), COMQTT_ERR_TIMEOUT);
    CHECK_INT(it.dropped, 1);
    peer_close(client);
    comqtt_server_free(server);
}

static void an_answer_can_be_held_back(void) {
    waiting it;
    comqtt_server* server = waiting_server(&it, true);
    peer* client = knock(server, &it);
    CHECK_OK(comqtt_deferral_complete_after(take(&it), 3000, COMQTT_ALLOW, 0, S(NULL)));
    CHECK_OK(comqtt_server_advance(server, 2000));
    CHECK(peer_is_quiet(client));
    CHECK_OK(comqtt_server_advance(server, 1500));
    CHECK_INT(answer_of(client), COMQTT_REASON_SUCCESS);
    peer_close(client);
    comqtt_server_free(server);
}

static void a_client_that_goes_away_cancels(void) {
    waiting it;
    comqtt_server* server = waiting_server(&it, false);
    peer* client = knock(server, &it);
    comqtt_deferral* token = take(&it);
    peer_close(client);
    EVENTUALLY(it.cancelled == 1);
    CHECK(comqtt_deferral_is_cancelled(token));
    {
        atomic_int fired = 0;
        atomic_int dropped = 0;
        CHECK_OK(comqtt_deferral_on_cancel(token, count_drop, &fired, NULL)); /* at once */
        CHECK_INT(fired, 1);
        CHECK_STATUS(comqtt_deferral_on_cancel(token, NULL, &dropped, count_drop),
                     COMQTT_ERR_INVALID_ARGUMENT);
        CHECK_INT(dropped, 1);
    }
    CHECK_STATUS(comqtt_deferral_complete(token, COMQTT_ALLOW, 0, S(NULL)), COMQTT_ERR_CANCELLED);
    comqtt_server_free(server);
}

static void release_denies_and_a_wrong_answer_denies(void) {
    waiting it;
    comqtt_server* server = waiting_server(&it, false);
    peer* client = knock(server, &it);
    comqtt_deferral_release(take(&it));
    CHECK(answer_of(client) >= 0x80);
    peer_close(client);
    client = knock(server, &it);
    CHECK_STATUS(comqtt_deferral_complete(take(&it), COMQTT_VERDICT_PENDING, 0, S(NULL)),
                 COMQTT_ERR_INVALID_ARGUMENT);
    CHECK(answer_of(client) >= 0x80);
    peer_close(client);
    comqtt_deferral_release(NULL);
    comqtt_server_free(server);
}

static void a_token_outlives_its_server(void) {
    waiting it;
    comqtt_server* server = waiting_server(&it, false);
    peer* client = knock(server, &it);
    comqtt_deferral* token = take(&it);
    comqtt_server_free(server);
    CHECK(comqtt_deferral_is_cancelled(token));
    CHECK_STR(comqtt_client_id(comqtt_deferral_client(token)), "c");
    CHECK_STATUS(comqtt_deferral_complete(token, COMQTT_ALLOW, 0, S(NULL)), COMQTT_ERR_CLOSED);
    peer_close(client);
}

static int64_t misuses_of(comqtt_server* server) {
    comqtt_metrics metrics = comqtt_metrics_init();
    CHECK_OK(comqtt_server_metrics(server, &metrics));
    return metrics.deferrals_misused;
}

static void a_token_used_again_is_told_and_counted(void) {
    waiting it;
    comqtt_server* server = waiting_server(&it, false);
    peer* client = knock(server, &it);
    comqtt_deferral* token = take(&it);
    atomic_int dropped = 0;
    CHECK_OK(comqtt_deferral_complete(token, COMQTT_ALLOW, 0, S(NULL)));
    CHECK_INT(answer_of(client), COMQTT_REASON_SUCCESS);
    for (int i = 0; i < 3; ++i)
        CHECK_STATUS(comqtt_deferral_complete(token, COMQTT_DENY, 0, S(NULL)), COMQTT_ERR_STATE);
    CHECK_STATUS(comqtt_deferral_on_cancel(token, on_cancel, &dropped, count_drop), COMQTT_ERR_STATE);
    CHECK_INT(dropped, 1);
    CHECK(comqtt_deferral_client(token) == NULL);
    CHECK(comqtt_deferral_packet(token) == NULL);
    CHECK(comqtt_deferral_is_cancelled(token));
    comqtt_deferral_release(token);
    CHECK_INT(misuses_of(server), 8);
    /* The next token is another one. */
    it.taken = 0;
    peer_close(client);
    client = knock(server, &it);
    CHECK_STATUS(comqtt_deferral_complete(token, COMQTT_ALLOW, 0, S(NULL)), COMQTT_ERR_STATE);
    CHECK(peer_is_quiet(client));
    CHECK_OK(comqtt_deferral_complete(take(&it), COMQTT_DENY, 0, S(NULL)));
    CHECK(answer_of(client) >= 0x80);
    peer_close(client);
    comqtt_server_free(server);
    CHECK_STATUS(comqtt_deferral_complete(token, COMQTT_ALLOW, 0, S(NULL)), COMQTT_ERR_STATE);
}

/* What an inline subscription received, joined. */
typedef struct heard {
    pthread_mutex_t mutex;
    char text[200];
    atomic_int count;
} heard;
static void hear(void* user, uint64_t subscription, comqtt_client* client, const comqtt_packet* packet) {
    heard* it = user;
    comqtt_bytes payload = comqtt_packet_payload(packet);
    (void)subscription;
    (void)client;
    pthread_mutex_lock(&it->mutex);
    strncat(it->text, (const char*)payload.ptr, payload.len);
    pthread_mutex_unlock(&it->mutex);
    atomic_fetch_add(&it->count, 1);
}

static void inline_messages_may_be_pending_and_stay_in_order(void) {
    waiting it;
    heard got;
    comqtt_server* server = waiting_server(&it, true);
    comqtt_client* other = NULL;
    comqtt_packet* message = make_publish(COMQTT_MQTT_5, "t", "o", 0, 0);
    memset(&got, 0, sizeof got);
    pthread_mutex_init(&got.mutex, NULL);
    CHECK_OK(comqtt_server_subscribe(server, S("t"), 0, 0, hear, &got, NULL, NULL, NULL));
    CHECK_OK(comqtt_server_new_inline_client(server, S("other"), &other, NULL));
    it.on_publish = true;
    CHECK_OK(comqtt_server_publish(server, S("t"), B("a"), 0, false, NULL));
    CHECK_OK(comqtt_server_publish(server, S("t"), B("b"), 0, false, NULL));
    CHECK_OK(comqtt_server_publish(server, S("t"), B("c"), 0, false, NULL));
    EVENTUALLY(it.taken == 1);
    CHECK_OK(comqtt_server_advance(server, 1));
    CHECK_INT(it.taken, 1); /* the others wait behind it */
    CHECK_OK(comqtt_packet_set_payload(comqtt_deferral_packet(it.token), B("A")));
    CHECK_OK(comqtt_deferral_complete(take(&it), COMQTT_PROCEED, 0, S(NULL)));
    EVENTUALLY(it.taken == 2);
    CHECK_OK(comqtt_deferral_complete(take(&it), COMQTT_REJECT, 0, S(NULL)));
    EVENTUALLY(it.taken == 3);
    CHECK_OK(comqtt_server_advance(server, 11000)); /* never answered: dropped */
    CHECK_STATUS(comqtt_deferral_complete(take(&it), COMQTT_PROCEED, 0, S(NULL)), COMQTT_ERR_TIMEOUT);
    it.on_publish = false;
    CHECK_OK(comqtt_server_publish(server, S("t"), B("d"), 0, false, NULL));
    CHECK_OK(comqtt_server_advance(server, 1));
    CHECK(strcmp(got.text, "Ad") == 0);
    it.on_publish = true; /* and what comqtt_server_inject brings in */
    CHECK_OK(comqtt_server_inject(server, other, message, NULL));
    EVENTUALLY(it.taken == 4);
    it.on_publish = false;
    CHECK_OK(comqtt_server_publish(server, S("t"), B("e"), 0, false, NULL)); /* of another client: goes on */
    CHECK_OK(comqtt_server_advance(server, 1));
    CHECK(strcmp(got.text, "Ade") == 0);
    CHECK_OK(comqtt_deferral_complete(take(&it), COMQTT_PROCEED, 0, S(NULL)));
    CHECK_OK(comqtt_server_advance(server, 1));
    CHECK(strcmp(got.text, "Adeo") == 0);
    comqtt_packet_release(message);
    comqtt_client_release(other);
    comqtt_server_free(server);
}

static void what_waits_behind_a_pending_inline_message_is_bounded(void) {
    waiting it;
    comqtt_server* server = NULL;
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_options* options = test_options(true);
    comqtt_status status = COMQTT_OK;
    int sent = 0;
    memset(&it, 0, sizeof it);
    pthread_mutex_init(&it.mutex, NULL);
    it.on_publish = true;
    table.on_publish = on_publish;
    CHECK_OK(comqtt_options_set_int(options, "limits.deferrals", 20, NULL));
    CHECK_OK(comqtt_server_new(options, &server, NULL));
    comqtt_options_free(options);
    CHECK_OK(comqtt_server_add_hook(server, &table, &it, NULL, NULL, NULL));
    CHECK_OK(comqtt_server_start(server, NULL));
    while (sent < 1000 && status == COMQTT_OK) {
        status = comqtt_server_publish(server, S("t"), B("x"), 0, false, NULL);
        CHECK_OK(comqtt_server_advance(server, 0));
        ++sent;
    }
    CHECK_STATUS(status, COMQTT_ERR_QUEUE_FULL);
    CHECK(sent <= 25);
    comqtt_deferral_release(take(&it));
    comqtt_server_free(server);
    comqtt_deferral_release(take(&it));
}

typedef struct scribbler {
    comqtt_packet* packet;
    atomic_bool stop;
} scribbler;
static void* scribble(void* argument) {
    scribbler* it = argument;
    char text[64];
    for (unsigned i = 0; !it->stop; ++i) {
        snprintf(text, sizeof text, "edit %u, long enough to be allocated somewhere else each time", i);
        comqtt_packet_set_payload(it->packet, comqtt_bytes_of(text, strlen(text)));
        comqtt_packet_set_topic(it->packet, S(i % 2 ? "a/topic/that/is/also/long/enough" : "t"));
    }
    return NULL;
}

/* The deferral times out while the application edits: what it does no longer matters to the server. */
static void late_edits_touch_nothing_of_the_servers(void) {
    waiting it;
    comqtt_server* server = waiting_server(&it, true);
    peer* client;
    scribbler pen;
    comqtt_packet* ack;
    comqtt_deferral* token;
    pthread_t thread;
    it.at_once = true;
    client = peer_connect(server, COMQTT_MQTT_5, "c");
    it.on_publish = true;
    it.taken = 0;
    peer_send(client, make_publish(COMQTT_MQTT_5, "t", "original", 1, 5));
    EVENTUALLY(it.taken == 1);
    token = take(&it);
    pen.packet = comqtt_deferral_packet(token);
    pen.stop = false;
    pthread_create(&thread, NULL, scribble, &pen);
    sleep_ms(5);
    CHECK_OK(comqtt_server_advance(server, 11000));
    ack = peer_expect(client, COMQTT_PUBACK);
    CHECK(comqtt_packet_reason(ack) >= 0x80);
    comqtt_packet_release(ack);
    pen.stop = true;
    pthread_join(thread, NULL);
    CHECK_STATUS(comqtt_deferral_complete(token, COMQTT_PROCEED, 0, S(NULL)), COMQTT_ERR_TIMEOUT);
    peer_close(client);
    comqtt_server_free(server);
}

int main(void) {
    RUN(completed_before_the_callback_returned);
    RUN(completed_from_another_thread_while_others_go_on);
    RUN(input_waits_in_order_behind_a_pending_publish);
    RUN(a_timeout_denies);
    RUN(an_answer_can_be_held_back);
    RUN(a_client_that_goes_away_cancels);
    RUN(release_denies_and_a_wrong_answer_denies);
    RUN(a_token_outlives_its_server);
    RUN(a_token_used_again_is_told_and_counted);
    RUN(inline_messages_may_be_pending_and_stay_in_order);
    RUN(what_waits_behind_a_pending_inline_message_is_bounded);
    RUN(late_edits_touch_nothing_of_the_servers);
    return check_summary();
}
