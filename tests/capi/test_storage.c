/* A store written in C: sessions, subscriptions, messages and counters come back when the server starts. */
#include "check.h"
#include "peer.h"

typedef struct store {
    bool empty;
    bool broken;
    atomic_int asked;
} store;

static comqtt_status stored_clients(void* user, comqtt_event* event, comqtt_sink* sink) {
    store* it = user;
    comqtt_stored_client record = comqtt_stored_client_init();
    comqtt_error* error = NULL;
    (void)event;
    atomic_fetch_add(&it->asked, 1);
    if (it->broken) return COMQTT_ERR_STORAGE;
    if (it->empty) return COMQTT_ERR_NOT_FOUND;
    CHECK_STATUS(comqtt_sink_add_client(sink, &record, &error), COMQTT_ERR_INVALID_ARGUMENT);
    comqtt_error_free(error);
    record.id = S("old");
    record.username = S("olduser");
    record.session_expiry_s = 1000;
    record.disconnected_unix_ms = comqtt_event_time_unix_ms(event) - 1000;
    CHECK_OK(comqtt_sink_add_client(sink, &record, NULL));
    CHECK_STATUS(comqtt_sink_add_blocked(sink, S(""), NULL), COMQTT_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(comqtt_sink_add_blocked(sink, S(NULL), NULL), COMQTT_ERR_INVALID_ARGUMENT);
    CHECK_OK(comqtt_sink_add_blocked(sink, S("banned"), NULL));
    return COMQTT_OK;
}
static comqtt_status stored_subscriptions(void* user, comqtt_event* event, comqtt_sink* sink) {
    comqtt_stored_subscription record = comqtt_stored_subscription_init();
    (void)event;
    if (((store*)user)->empty) return COMQTT_ERR_NOT_FOUND;
    record.client_id = S("old");
    record.filter = S("news/#");
    record.qos = 1;
    record.identifier = 42;
    CHECK_OK(comqtt_sink_add_subscription(sink, &record, NULL));
    record.filter = S("bad/#/filter");
    CHECK_STATUS(comqtt_sink_add_subscription(sink, &record, NULL), COMQTT_ERR_INVALID_ARGUMENT);
    return COMQTT_OK;
}
static comqtt_status add_message(comqtt_event* event, comqtt_sink* sink, const char* client,
                                 const char* topic, bool retain) {
    comqtt_stored_message record = comqtt_stored_message_init();
    comqtt_packet* packet = make_publish(COMQTT_MQTT_5, topic, "stored", 1, 0);
    comqtt_status status;
    comqtt_packet_set_retain_flag(packet, retain);
    record.client_id = S(client);
    record.origin = S("someone");
    record.packet = packet;
    record.created_unix_ms = comqtt_event_time_unix_ms(event) - 5000;
    record.share = S("no/share");
    CHECK_STATUS(comqtt_sink_add_message(sink, &record, NULL), COMQTT_ERR_INVALID_ARGUMENT);
    record.share = S("");
    status = comqtt_sink_add_message(sink, &record, NULL);
    comqtt_packet_release(packet);
    return status;
}
static comqtt_status stored_inflight(void* user, comqtt_event* event, comqtt_sink* sink) {
    if (((store*)user)->empty) return COMQTT_ERR_NOT_FOUND;
    CHECK_OK(add_message(event, sink, "old", "news/queued", false));
    return COMQTT_OK;
}
static comqtt_status stored_retained(void* user, comqtt_event* event, comqtt_sink* sink) {
    if (((store*)user)->empty) return COMQTT_ERR_NOT_FOUND;
    CHECK_OK(add_message(event, sink, NULL, "kept", true));
    return COMQTT_OK;
}
static comqtt_status stored_sys_info(void* user, comqtt_event* event, comqtt_metrics* out) {
    (void)event;
    if (((store*)user)->empty) return COMQTT_ERR_NOT_FOUND;
    out->messages_received = 5000;
    return COMQTT_OK;
}

static comqtt_hooks store_table(void) {
    comqtt_hooks table = comqtt_hooks_init();
    table.id = "store";
    table.stored_clients = stored_clients;
    table.stored_subscriptions = stored_subscriptions;
    table.stored_inflight_messages = stored_inflight;
    table.stored_retained_messages = stored_retained;
    table.stored_sys_info = stored_sys_info;
    return table;
}

static void stored_state_comes_back(void) {
    store empty = {.empty = true};
    store full = {.empty = false};
    comqtt_hooks table = store_table();
    comqtt_server* server = NULL;
    comqtt_options* options = test_options(false);
    comqtt_metrics metrics = comqtt_metrics_init();
    comqtt_packet* connect = make_connect(COMQTT_MQTT_5, "old");
    comqtt_connect fields = comqtt_connect_init();
    comqtt_packet* packet;
    peer* it;
    CHECK_OK(comqtt_options_set_bool(options, "capabilities.compatibilities.restore-sys-info-restart", true,
                                     NULL));
    CHECK_OK(comqtt_server_new(options, &server, NULL));
    comqtt_options_free(options);
    CHECK_OK(comqtt_server_add_hook(server, &table, &empty, NULL, NULL, NULL));
    CHECK_OK(comqtt_server_add_hook(server, &table, &full, NULL, NULL, NULL));
    CHECK_OK(comqtt_server_add_allow_all(server, NULL, NULL));
    CHECK_OK(comqtt_server_start(server, NULL));
    CHECK_INT(empty.asked, 1);
    CHECK_INT(full.asked, 1);
    comqtt_packet_connect(connect, &fields);
    fields.clean_start = false;
    comqtt_packet_set_connect(connect, &fields);
    it = peer_open(server, COMQTT_MQTT_5);
    peer_send(it, connect);
    packet = peer_expect(it, COMQTT_CONNACK);
    CHECK(comqtt_packet_session_present(packet));
    comqtt_packet_release(packet);
    packet = peer_expect(it, COMQTT_PUBLISH);
    CHECK_STR(comqtt_packet_topic(packet), "news/queued");
    CHECK_INT(comqtt_packet_qos(packet), 1);
    comqtt_packet_release(packet);
    CHECK_OK(comqtt_server_publish(server, S("news/live"), B("x"), 0, false, NULL));
    packet = peer_expect(it, COMQTT_PUBLISH);
    CHECK_STR(comqtt_packet_topic(packet), "news/live");
    CHECK_INT(comqtt_packet_subscription_id(packet, 0), 42);
    comqtt_packet_release(packet);
    CHECK_INT(peer_subscribe(it, "kept", 0), 0);
    CHECK(peer_gets(it, "kept", "stored"));
    CHECK_OK(comqtt_server_metrics(server, &metrics));
    CHECK(metrics.messages_received >= 5000);
    peer_close(it);
    it = peer_open(server, COMQTT_MQTT_5);
    CHECK_INT(peer_try_connect(it, make_connect(COMQTT_MQTT_5, "banned")), COMQTT_REASON_BANNED);
    peer_close(it);
    comqtt_server_free(server);
}

static void a_broken_store_stops_the_start(void) {
    store broken = {.broken = true};
    comqtt_hooks table = store_table();
    comqtt_server* server = NULL;
    comqtt_error* error = NULL;
    CHECK_OK(comqtt_server_new(NULL, &server, NULL));
    CHECK_OK(comqtt_server_add_hook(server, &table, &broken, NULL, NULL, NULL));
    CHECK_STATUS(comqtt_server_start(server, &error), COMQTT_ERR_STORAGE);
    CHECK(strstr(comqtt_error_message(error).ptr, "store") != NULL);
    comqtt_error_free(error);
    CHECK_INT(comqtt_server_state(server), COMQTT_STATE_STOPPED);
    comqtt_server_free(server);
}

static comqtt_status answer_later(void* user, comqtt_event* event, comqtt_sink* sink) {
    (void)user;
    (void)event;
    (void)sink;
    return COMQTT_PENDING;
}

static void a_store_that_would_load_later_stops_the_start(void) {
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_server* server = NULL;
    table.stored_clients = answer_later;
    CHECK_OK(comqtt_server_new(NULL, &server, NULL));
    CHECK_OK(comqtt_server_add_hook(server, &table, NULL, NULL, NULL, NULL));
    CHECK_STATUS(comqtt_server_start(server, NULL), COMQTT_ERR_CALLBACK);
    comqtt_server_free(server);
}

int main(void) {
    RUN(stored_state_comes_back);
    RUN(a_broken_store_stops_the_start);
    RUN(a_store_that_would_load_later_stops_the_start);
    return check_summary();
}
