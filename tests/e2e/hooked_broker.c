/* A broker with hooks, for what the comqtt program alone cannot show: enhanced authentication, denials by ACL, and
 * a keep alive set by the server. Used by test_hooks.py.
 *
 *     hooked_broker HOST:PORT THREADS [KEY=VALUE ...]
 *
 * Authentication method "riddle": data "hello" (CONNECT) or "again" (re-authentication) is answered by the challenge
 * "sphinx" with a Reason String and a long user property; "human" is right, anything else is wrong. Topics and
 * filters that begin with "denied" may neither be published nor subscribed. A client id that begins with "patient"
 * gets a keep alive of 1 s. */
#include <comqtt.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static bool begins(comqtt_str text, const char* with) {
    return text.len >= strlen(with) && memcmp(text.ptr, with, strlen(with)) == 0;
}

static bool equals(comqtt_bytes bytes, const char* text) {
    return bytes.len == strlen(text) && memcmp(bytes.ptr, text, bytes.len) == 0;
}

static void set_text(comqtt_packet* packet, comqtt_prop id, const char* text) {
    comqtt_packet_set_prop_bytes(packet, COMQTT_SECTION_PACKET, id, comqtt_bytes_of(text, strlen(text)));
}

static void challenge(comqtt_packet* packet) {
    char longer[201];
    memset(longer, 'v', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    comqtt_packet_set_reason(packet, COMQTT_REASON_CONTINUE_AUTHENTICATION);
    set_text(packet, COMQTT_PROP_AUTHENTICATION_DATA, "sphinx");
    comqtt_packet_set_prop_str(packet, COMQTT_SECTION_PACKET, COMQTT_PROP_REASON_STRING,
                               comqtt_str_of("what walks on four legs, on two and on three?"));
    comqtt_packet_add_user_prop(packet, COMQTT_SECTION_PACKET, comqtt_str_of("k"), comqtt_str_of(longer));
}

static comqtt_action on_auth_packet(void* user, comqtt_event* event, comqtt_client* client,
                                    comqtt_packet* packet) {
    comqtt_bytes method = {0}, data = {0};
    (void)user, (void)client;
    comqtt_packet_prop_bytes(packet, COMQTT_SECTION_PACKET, COMQTT_PROP_AUTHENTICATION_METHOD, &method);
    comqtt_packet_prop_bytes(packet, COMQTT_SECTION_PACKET, COMQTT_PROP_AUTHENTICATION_DATA, &data);
    if (!equals(method, "riddle")) {
        comqtt_event_set_reason(event, COMQTT_REASON_BAD_AUTHENTICATION_METHOD,
                                comqtt_str_of("unknown method"));
        return COMQTT_FAIL;
    }
    if (equals(data, "hello") || equals(data, "again")) {
        challenge(packet);
        return COMQTT_PROCEED;
    }
    if (!equals(data, "human")) {
        comqtt_event_set_reason(event, COMQTT_REASON_NOT_AUTHORIZED, comqtt_str_of("eaten"));
        return COMQTT_FAIL;
    }
    comqtt_packet_set_reason(packet, COMQTT_REASON_SUCCESS);
    set_text(packet, COMQTT_PROP_AUTHENTICATION_DATA, "pass");
    return COMQTT_PROCEED;
}

static comqtt_verdict on_acl_check(void* user, comqtt_event* event, comqtt_client* client, comqtt_str topic,
                                   comqtt_access access) {
    (void)user, (void)event, (void)client, (void)access;
    return begins(topic, "denied") ? COMQTT_DENY : COMQTT_NEXT;
}

static comqtt_action on_connect(void* user, comqtt_event* event, comqtt_client* client,
                                comqtt_packet* packet) {
    comqtt_connect fields = comqtt_connect_init();
    (void)user, (void)event;
    if (comqtt_packet_connect(packet, &fields) == COMQTT_OK && begins(fields.client_id, "patient"))
        comqtt_client_set_keep_alive(client, 1);
    return COMQTT_PROCEED;
}

static void must(comqtt_status status, const char* what) {
    if (status == COMQTT_OK) return;
    fprintf(stderr, "%s: %s\n", what, comqtt_status_text(status));
    exit(1);
}

static comqtt_server* start(int count, char** arguments) {
    comqtt_options* options = NULL;
    comqtt_server* server = NULL;
    comqtt_hooks hooks = comqtt_hooks_init();
    comqtt_listener_config listener = comqtt_listener_config_init();
    must(comqtt_options_new(&options), "options");
    must(comqtt_options_set(options, "threads", comqtt_str_of(arguments[2]), NULL), "threads");
    for (int i = 3; i < count; ++i) {
        char* value = strchr(arguments[i], '=');
        if (!value) exit(2);
        *value = '\0';
        must(comqtt_options_set(options, arguments[i], comqtt_str_of(value + 1), NULL), arguments[i]);
    }
    must(comqtt_server_new(options, &server, NULL), "server");
    comqtt_options_free(options);
    hooks.id = "riddle";
    hooks.on_auth_packet = on_auth_packet;
    hooks.on_acl_check = on_acl_check;
    hooks.on_connect = on_connect;
    must(comqtt_server_add_hook(server, &hooks, NULL, NULL, NULL, NULL), "hook");
    must(comqtt_server_add_allow_all(server, NULL, NULL), "allow all");
    listener.id = comqtt_str_of("tcp");
    listener.kind = COMQTT_LISTENER_TCP;
    listener.address = comqtt_str_of(arguments[1]);
    must(comqtt_server_listen(server, &listener, NULL), "listen");
    must(comqtt_server_start(server, NULL), "start");
    return server;
}

int main(int count, char** arguments) {
    sigset_t signals;
    int received = 0;
    if (count < 3) return 2;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    comqtt_server* server = start(count, arguments);
    sigwait(&signals, &received);
    comqtt_server_free(server);
    return 0;
}
