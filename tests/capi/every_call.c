#include "every_call.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "check.h"
#include "peer.h"

/* What is being called now, for the watchdog. */
const char* _Atomic now_function = "nothing";
const char* _Atomic now_callback = "none";
const char* _Atomic now_state = "?";
const char* _Atomic now_deed = "?";
atomic_uint progress;
static atomic_bool all_done;
static pthread_t watcher;

static void* watch(void* unused) {
    unsigned before = 0;
    int idle = 0;
    (void)unused;
    while (!atomic_load(&all_done)) {
        const unsigned now = atomic_load(&progress);
        idle = now == before ? idle + 1 : 0;
        before = now;
        if (idle >= 600) { /* a minute without a call that returned */
            printf("HANGS: %s in callback %s, server %s, deed: %s\n", atomic_load(&now_function),
                   atomic_load(&now_callback), atomic_load(&now_state), atomic_load(&now_deed));
            fflush(stdout);
            _exit(3);
        }
        sleep_ms(100);
    }
    return NULL;
}

void watchdog_start(void) { pthread_create(&watcher, NULL, watch, NULL); }
void watchdog_end(void) {
    atomic_store(&all_done, true);
    pthread_join(watcher, NULL);
}

static bool no_more(void* user, const comqtt_listener_info* info) {
    (void)user;
    (void)info;
    return false;
}
static bool no_more_clients(void* user, comqtt_client* client) {
    (void)user;
    (void)client;
    return false;
}
static bool no_more_text(void* user, comqtt_str text) {
    (void)user;
    (void)text;
    return false;
}
static bool no_more_packets(void* user, const comqtt_packet* packet) {
    (void)user;
    (void)packet;
    return false;
}
static bool no_more_subscriptions(void* user, const comqtt_subscription* row) {
    (void)user;
    (void)row;
    return false;
}
static void ignore_message(void* user, uint64_t subscription, comqtt_client* client,
                           const comqtt_packet* packet) {
    (void)user;
    (void)subscription;
    (void)client;
    (void)packet;
}

static int waits(comqtt_status status, const char* function) {
    if (status == COMQTT_ERR_REENTRANT || status == COMQTT_ERR_CLOSED) return 0;
    printf("    %s in callback %s, server %s: %s\n", function, atomic_load(&now_callback),
           atomic_load(&now_state), comqtt_status_name(status));
    return 1;
}

static void call_pipes(comqtt_server* server) {
    comqtt_pipe* pipe = NULL;
    uint8_t byte;
    size_t len;
    if (CALL(comqtt_pipe_open, server, S("inner"), S("inner"), &pipe, NULL) != COMQTT_OK) return;
    CALL(comqtt_pipe_write, pipe, B("x"));
    CALL(comqtt_pipe_read, pipe, &byte, 1, 0, &len);
    CALL(comqtt_pipe_retain, pipe);
    CALL(comqtt_pipe_release, pipe);
    CALL(comqtt_pipe_close, pipe);
    CALL(comqtt_pipe_release, pipe);
}

static void call_hooks(comqtt_server* server) {
    comqtt_hooks table = comqtt_hooks_init();
    uint64_t hook = 0;
    if (CALL(comqtt_server_add_hook, server, &table, NULL, NULL, &hook, NULL) == COMQTT_OK)
        CALL(comqtt_server_remove_hook, server, hook);
    if (CALL(comqtt_server_add_allow_all, server, &hook, NULL) == COMQTT_OK)
        CALL(comqtt_server_remove_hook, server, hook);
    if (CALL(comqtt_server_add_allow_loopback, server, &hook, NULL) == COMQTT_OK)
        CALL(comqtt_server_remove_hook, server, hook);
    if (CALL(comqtt_server_add_debug_hook, server, NULL, &hook, NULL) == COMQTT_OK)
        CALL(comqtt_server_remove_hook, server, hook);
    CALL(comqtt_server_remove_hook, server, 99999);
    CALL(comqtt_server_clear_acl_cache, server);
}

static void call_client(comqtt_server* server, comqtt_client* client) {
    comqtt_packet* note = make_publish(COMQTT_MQTT_5, "note", "x", 0, 0);
    comqtt_packet* will = NULL;
    CALL(comqtt_client_send, client, note);
    CALL(comqtt_server_inject, server, client, note, NULL);
    CALL(comqtt_client_each_subscription, client, no_more_subscriptions, NULL);
    if (CALL(comqtt_client_will, client, &will) == COMQTT_OK) comqtt_packet_release(will);
    CALL(comqtt_client_user, client);
    CALL(comqtt_client_is_connected, client);
    CALL(comqtt_client_retain, client);
    CALL(comqtt_client_release, client);
    comqtt_packet_release(note);
}

static void call_listeners(comqtt_server* server) {
    comqtt_listener_config config = comqtt_listener_config_init();
    config.id = S("extra");
    config.kind = COMQTT_LISTENER_TCP;
    config.address = S("127.0.0.1:0");
    CALL(comqtt_server_listen, server, &config, NULL);
    CALL(comqtt_server_listener_port, server, S("extra"));
    CALL(comqtt_server_each_listener, server, no_more, NULL);
    CALL(comqtt_server_unlisten, server, S("extra"), true, NULL);
    CALL(comqtt_server_listen_fd, server, S("fd"), COMQTT_LISTENER_TCP, 0, NULL);
    CALL(comqtt_server_adopt, server, S("fd"), -1, S("x"), NULL);
}

int call_everything(comqtt_server* server, comqtt_client* client) {
    comqtt_metrics metrics = comqtt_metrics_init();
    comqtt_client* found = NULL;
    comqtt_packet* message = make_publish(COMQTT_MQTT_5, "inner", "x", 1, 1);
    uint64_t subscription = 0;
    int wrong = 0;
    comqtt_packet_set_retain_flag(message, true);
    wrong += waits(CALL(comqtt_server_start, server, NULL), "comqtt_server_start");
    wrong += waits(CALL(comqtt_server_run, server, NULL), "comqtt_server_run");
    wrong += waits(CALL(comqtt_server_wait, server, -1), "comqtt_server_wait");
    wrong += waits(CALL(comqtt_server_advance, server, 1000), "comqtt_server_advance");
    CALL(comqtt_server_state, server);
    CALL(comqtt_server_ready, server, NULL);
    CALL(comqtt_server_options, server);
    CALL(comqtt_server_now_unix_ms, server);
    CALL(comqtt_server_metrics, server, &metrics);
    if (CALL(comqtt_server_client, server, S("c"), &found) == COMQTT_OK) comqtt_client_release(found);
    CALL(comqtt_server_each_client, server, no_more_clients, NULL);
    CALL(comqtt_server_client_count, server, true);
    CALL(comqtt_server_block_client, server, S("nobody"));
    CALL(comqtt_server_each_blocked, server, no_more_text, NULL);
    CALL(comqtt_server_unblock_client, server, S("nobody"));
    CALL(comqtt_server_publish, server, S("inner"), B("x"), 1, true, NULL);
    CALL(comqtt_server_publish_packet, server, message, NULL);
    if (CALL(comqtt_server_subscribe, server, S("inner/#"), 1, 0, ignore_message, NULL, NULL, &subscription,
             NULL) == COMQTT_OK)
        CALL(comqtt_server_unsubscribe, server, subscription);
    found = NULL;
    if (CALL(comqtt_server_new_inline_client, server, S("inner"), &found, NULL) == COMQTT_OK) {
        CALL(comqtt_server_inject, server, found, message, NULL);
        CALL(comqtt_client_expire, found);
        comqtt_client_release(found);
    }
    CALL(comqtt_server_each_retained, server, S("#"), no_more_packets, NULL);
    CALL(comqtt_server_clear_retained, server, S("inner"));
    call_listeners(server);
    call_pipes(server);
    call_hooks(server);
    if (client) call_client(server, client);
    comqtt_packet_release(message);
    return wrong;
}
