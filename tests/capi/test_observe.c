/* Metrics, the log, the debug hook. */
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "peer.h"

typedef struct seen {
    int count;
    int counters;
    int64_t messages_received;
    bool help;
} seen;

static bool see_metric(void* user, const char* name, comqtt_metric_kind kind, const char* help,
                       int64_t value) {
    seen* it = user;
    ++it->count;
    if (kind == COMQTT_METRIC_COUNTER) ++it->counters;
    if (strcmp(name, "messages_received") == 0) it->messages_received = value;
    it->help = it->help && strlen(help) > 0;
    return true;
}
static bool see_one(void* user, const char* name, comqtt_metric_kind kind, const char* help, int64_t value) {
    (void)kind;
    (void)help;
    (void)value;
    CHECK(strcmp(name, "time_s") == 0);
    ++*(int*)user;
    return false;
}

static void metrics_count_what_happens(void) {
    comqtt_server* server = plain_server();
    comqtt_metrics metrics = comqtt_metrics_init();
    peer* it = peer_connect(server, COMQTT_MQTT_5, "c");
    seen list = {0, 0, 0, true};
    int one = 0;
    CHECK_INT(peer_subscribe(it, "t", 0), 0);
    peer_send(it, make_publish(COMQTT_MQTT_5, "t", "x", 0, 0));
    CHECK(peer_gets(it, "t", "x"));
    CHECK(peer_ping(it));
    CHECK_OK(comqtt_server_publish(server, S("kept"), B("payload"), 0, true, NULL));
    sleep_ms(20);
    CHECK_OK(comqtt_server_metrics(server, &metrics));
    CHECK(metrics.time_s > 1600000000);
    CHECK(metrics.started_s > 1600000000 && metrics.started_s <= metrics.time_s);
    CHECK(metrics.threads >= 1);
    CHECK_INT(metrics.clients_connected, 1);
    CHECK_INT(metrics.connections, 1);
    CHECK_INT(metrics.connections_accepted, 1);
    CHECK_INT(metrics.subscriptions, 1);
    CHECK(metrics.messages_received >= 1);
    CHECK_INT(metrics.messages_sent, 1);
    CHECK(metrics.packets_received >= 4);
    CHECK(metrics.packets_sent >= 4);
    CHECK(metrics.bytes_received > 20 && metrics.bytes_sent > 20);
    CHECK_INT(metrics.retained, 1);
    CHECK(metrics.retained_bytes > 0);
    CHECK_OK(comqtt_metrics_each(&metrics, see_metric, &list));
    CHECK_INT(list.count, (sizeof metrics - sizeof metrics.struct_size) / sizeof(int64_t));
    CHECK(list.counters > 10 && list.counters < list.count);
    CHECK_INT(list.messages_received, metrics.messages_received);
    CHECK(list.help);
    CHECK_OK(comqtt_metrics_each(&metrics, see_one, &one));
    CHECK_INT(one, 1);
    peer_close(it);
    EVENTUALLY(comqtt_server_metrics(server, &metrics) == COMQTT_OK && metrics.connections == 0);
    CHECK_INT(metrics.clients_maximum, 1);
    comqtt_server_free(server);
}

typedef struct book {
    pthread_mutex_t mutex;
    size_t used;
    atomic_int lines;
    atomic_int dropped;
    atomic_int lowest;
    char text[100000];
} book;

static void write_down(void* user, const comqtt_log_record* record) {
    book* it = user;
    pthread_mutex_lock(&it->mutex);
    if (record->level < it->lowest) it->lowest = record->level;
    if (it->used + record->message.len + record->component.len + 4 < sizeof it->text)
        it->used += (size_t)snprintf(it->text + it->used, sizeof it->text - it->used, "%.*s %.*s\n",
                                     (int)record->component.len, record->component.ptr,
                                     (int)record->message.len, record->message.ptr);
    pthread_mutex_unlock(&it->mutex);
    atomic_fetch_add(&it->lines, 1);
}
static void drop_book(void* user) { atomic_fetch_add(&((book*)user)->dropped, 1); }

static bool has(book* it, const char* needle) {
    bool found;
    pthread_mutex_lock(&it->mutex);
    found = strstr(it->text, needle) != NULL;
    pthread_mutex_unlock(&it->mutex);
    return found;
}

static book* new_book(void) {
    book* it = calloc(1, sizeof *it);
    if (!it) exit(2);
    pthread_mutex_init(&it->mutex, NULL);
    it->lowest = COMQTT_LOG_OFF;
    return it;
}

static comqtt_server* logged_server(book* it, comqtt_log_level level) {
    comqtt_options* options = test_options(false);
    CHECK_OK(comqtt_options_set_log(options, level, write_down, it, drop_book));
    return test_server(options, true);
}

static void run_a_session(comqtt_server* server) {
    peer* it = peer_open(server, COMQTT_MQTT_5);
    comqtt_packet* connect = make_connect(COMQTT_MQTT_5, "logged");
    comqtt_connect fields = comqtt_connect_init();
    comqtt_packet_connect(connect, &fields);
    fields.username = S("someone");
    fields.password = B("hush");
    comqtt_packet_set_connect(connect, &fields);
    CHECK_INT(peer_try_connect(it, connect), 0);
    CHECK_INT(peer_subscribe(it, "to\x01pic", 0), 0);
    peer_send(it, make_publish(COMQTT_MQTT_5, "other", "content", 0, 0));
    CHECK(peer_ping(it));
    peer_close(it);
}

static void the_log_obeys_its_level_and_is_dropped_once(void) {
    book* it = new_book();
    comqtt_server* server = logged_server(it, COMQTT_LOG_INFO);
    run_a_session(server);
    CHECK_INT(it->dropped, 0);
    comqtt_server_free(server);
    CHECK_INT(it->dropped, 1);
    CHECK(it->lowest >= COMQTT_LOG_INFO);
    free(it);
    it = new_book();
    server = logged_server(it, COMQTT_LOG_OFF);
    run_a_session(server);
    comqtt_server_free(server);
    CHECK_INT(it->lines, 0);
    CHECK_INT(it->dropped, 1);
    free(it);
}

static void the_debug_hook_shows_as_much_as_it_is_told(void) {
    for (int show = 0; show < 2; ++show) {
        book* it = new_book();
        comqtt_server* server = logged_server(it, COMQTT_LOG_DEBUG);
        comqtt_debug_config config = comqtt_debug_config_init();
        config.show_packet_data = show;
        config.show_pings = show;
        config.show_passwords = show;
        CHECK_OK(comqtt_server_add_debug_hook(server, show ? &config : NULL, NULL, NULL));
        run_a_session(server);
        EVENTUALLY(has(it, "disconnect client='logged'"));
        CHECK(has(it, "debug CONNECT <<"));
        CHECK(has(it, "debug CONNACK >>"));
        CHECK(has(it, "PUBLISH <<"));
        CHECK(has(it, "PINGREQ") == (bool)show);
        CHECK(has(it, "username='someone'") == (bool)show);
        CHECK(has(it, "hush") == (bool)show);
        CHECK(has(it, "payload='content'") == (bool)show);
        CHECK(has(it, "raw=636f6e74656e74") == (bool)show);
        CHECK(has(it, "to\\x01pic"));
        CHECK(!has(it, "to\x01pic"));
        comqtt_server_free(server);
        CHECK_INT(it->dropped, 1);
        free(it);
    }
}

/* The server's end of the socket cannot be written to: what its first sendmsg says is in the log, and the end of the
 * connection tells it too. */
static void a_failed_write_is_logged_with_its_peer_and_reason(void) {
    book* it = new_book();
    comqtt_server* server = logged_server(it, COMQTT_LOG_DEBUG);
    comqtt_listener_config config = comqtt_listener_config_init();
    comqtt_packet* connect = make_connect(COMQTT_MQTT_5, "mute");
    uint8_t bytes[512];
    size_t len = 0;
    int pair[2];
    config.kind = COMQTT_LISTENER_TCP;
    config.id = S("tcp");
    config.address = S("127.0.0.1:0");
    CHECK_OK(comqtt_server_listen(server, &config, NULL));
    CHECK_OK(comqtt_packet_encode(connect, bytes, sizeof bytes, &len));
    comqtt_packet_release(connect);
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    CHECK_INT(shutdown(pair[0], SHUT_WR), 0);
    CHECK_INT(write(pair[1], bytes, len), len);
    CHECK_OK(comqtt_server_adopt(server, S("tcp"), pair[0], S("10.1.2.3:4"), NULL));
    EVENTUALLY(has(it, "10.1.2.3:4 (mute): connection ended: sending failed: Broken pipe"));
    CHECK(has(it, "net 10.1.2.3:4: sendmsg of "));
    CHECK(has(it, " bytes failed: Broken pipe"));
    close(pair[1]);
    comqtt_server_free(server);
    free(it);
}

static comqtt_verdict fail_verdict(void* user, comqtt_event* event, comqtt_client* client,
                                   const comqtt_packet* packet) {
    (void)user;
    (void)client;
    (void)packet;
    CHECK_OK(comqtt_event_fail(event, S("database on fire")));
    return COMQTT_ALLOW;
}

static void a_failing_hook_is_logged(void) {
    book* it = new_book();
    comqtt_options* options = test_options(false);
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_server* server;
    peer* client;
    table.id = "burning";
    table.on_connect_authenticate = fail_verdict;
    CHECK_OK(comqtt_options_set_log(options, COMQTT_LOG_ERROR, write_down, it, drop_book));
    server = test_server(options, false);
    CHECK_OK(comqtt_server_add_hook(server, &table, NULL, NULL, NULL, NULL));
    client = peer_open(server, COMQTT_MQTT_5);
    CHECK_INT(peer_try_connect(client, make_connect(COMQTT_MQTT_5, "c")),
              COMQTT_REASON_BAD_USER_NAME_OR_PASSWORD);
    CHECK(has(it, "burning") && has(it, "database on fire") && has(it, "on_connect_authenticate"));
    peer_close(client);
    comqtt_server_free(server);
    free(it);
}

int main(void) {
    RUN(metrics_count_what_happens);
    RUN(the_log_obeys_its_level_and_is_dropped_once);
    RUN(the_debug_hook_shows_as_much_as_it_is_told);
    RUN(a_failed_write_is_logged_with_its_peer_and_reason);
    RUN(a_failing_hook_is_logged);
    return check_summary();
}
