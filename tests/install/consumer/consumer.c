/* Makes a broker with what an installation offers, and sends a message through it. */
#include <comqtt.h>
#include <stdio.h>

static void on_message(void* user, uint64_t subscription, comqtt_client* client,
                       const comqtt_packet* packet) {
    (void)user, (void)subscription, (void)client, (void)packet;
}

static int fail(const char* what, comqtt_status status) {
    fprintf(stderr, "%s: %s\n", what, comqtt_status_text(status));
    return 1;
}

int main(void) {
    comqtt_server* server = NULL;
    comqtt_status status = comqtt_server_new(NULL, &server, NULL);
    if (status) return fail("new", status);
    if ((status = comqtt_server_start(server, NULL))) return fail("start", status);
    status = comqtt_server_subscribe(server, comqtt_str_of("a/#"), 0, 0, on_message, NULL, NULL, NULL, NULL);
    if (status) return fail("subscribe", status);
    status = comqtt_server_publish(server, comqtt_str_of("a/b"), comqtt_bytes_of("hello", 5), 0, false, NULL);
    if (status) return fail("publish", status);
    comqtt_server_free(server);
    printf("%s\n", comqtt_version_text());
    return 0;
}
