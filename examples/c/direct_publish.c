/* A broker without a listener, as a message bus inside the program: retained messages, two subscriptions on one
 * filter, one of which ends after ten seconds, and a message every three seconds. */
#include "common.h"

static void on_message(void* user, uint64_t subscription, comqtt_client* client,
                       const comqtt_packet* packet) {
    comqtt_str topic = comqtt_packet_topic(packet);
    comqtt_bytes payload = comqtt_packet_payload(packet);
    (void)subscription;
    (void)client;
    printf("%s: %.*s = %.*s%s\n", (const char*)user, (int)topic.len, topic.ptr, (int)payload.len,
           (const char*)payload.ptr, comqtt_packet_retain_flag(packet) ? " (retained)" : "");
    fflush(stdout);
}

static void publish(comqtt_server* server, const char* topic, const char* text, bool retain) {
    comqtt_error* error = NULL;
    example_check(comqtt_server_publish(server, comqtt_str_of(topic), comqtt_bytes_of(text, strlen(text)), 0,
                                        retain, &error),
                  error);
}

int main(int argc, char** argv) {
    arguments given = example_arguments(argc, argv, 0);
    comqtt_server* server = NULL;
    comqtt_error* error = NULL;
    uint64_t first = 0;
    int elapsed = 0;

    example_check(comqtt_server_new(NULL, &server, &error), error);
    example_check(comqtt_server_start(server, &error), error);

    publish(server, "direct/retained/one", "kept since the start", true);
    publish(server, "direct/retained/two", "kept too", true);
    example_check(comqtt_server_subscribe(server, comqtt_str_of("direct/#"), 0, 1, on_message, (void*)"first",
                                          NULL, &first, &error),
                  error);
    example_check(comqtt_server_subscribe(server, comqtt_str_of("direct/#"), 0, 2, on_message,
                                          (void*)"second", NULL, NULL, &error),
                  error);
    publish(server, "direct/publish", "at once", false);
    while (example_next_second(&given, &elapsed)) {
        if (elapsed % 3 == 0) publish(server, "direct/publish", "scheduled message", false);
        if (elapsed == 10) example_check(comqtt_server_unsubscribe(server, first), NULL);
    }
    comqtt_server_free(server);
    return 0;
}
