/* A hook that watches clients and changes what they publish: "hello" becomes "hello world". */
#include "common.h"

static void print_event(const char* what, const comqtt_client* client, comqtt_str detail) {
    comqtt_str id = comqtt_client_id(client);
    printf("%-12s %.*s %.*s\n", what, (int)id.len, id.ptr, (int)detail.len, detail.ptr ? detail.ptr : "");
    fflush(stdout);
}

static comqtt_action on_connect(void* user, comqtt_event* event, comqtt_client* client,
                                comqtt_packet* packet) {
    (void)user;
    (void)event;
    (void)packet;
    print_event("connect", client, comqtt_client_remote(client));
    return COMQTT_PROCEED;
}

static void on_disconnect(void* user, comqtt_event* event, comqtt_client* client,
                          const comqtt_disconnect* info) {
    (void)user;
    (void)event;
    print_event("disconnect", client, comqtt_str_of(comqtt_reason_text(info->reason)));
}

static void print_filters(const char* what, const comqtt_client* client, const comqtt_packet* packet) {
    comqtt_subscription entry = comqtt_subscription_init();
    for (size_t i = 0; comqtt_packet_filter(packet, i, &entry) == COMQTT_OK; ++i)
        print_event(what, client, entry.filter);
}

static void on_subscribed(void* user, comqtt_event* event, comqtt_client* client, const comqtt_packet* packet,
                          comqtt_bytes reason_codes, const int32_t* counts, size_t count) {
    (void)user;
    (void)event;
    (void)reason_codes;
    (void)counts;
    (void)count;
    print_filters("subscribed", client, packet);
}

static void on_unsubscribed(void* user, comqtt_event* event, comqtt_client* client,
                            const comqtt_packet* packet, comqtt_bytes reason_codes, const int32_t* counts,
                            size_t count) {
    (void)user;
    (void)event;
    (void)reason_codes;
    (void)counts;
    (void)count;
    print_filters("unsubscribed", client, packet);
}

static comqtt_action on_publish(void* user, comqtt_event* event, comqtt_client* client,
                                comqtt_packet* packet) {
    comqtt_bytes payload = comqtt_packet_payload(packet);
    (void)user;
    (void)event;
    (void)client;
    if (payload.len == 5 && memcmp(payload.ptr, "hello", 5) == 0)
        comqtt_packet_set_payload(packet, comqtt_bytes_of("hello world", 11));
    return COMQTT_PROCEED;
}

static void on_published(void* user, comqtt_event* event, comqtt_client* client,
                         const comqtt_packet* packet) {
    (void)user;
    (void)event;
    print_event("published", client, comqtt_packet_topic(packet));
}

int main(int argc, char** argv) {
    arguments given = example_arguments(argc, argv, 1883);
    comqtt_server* server = NULL;
    comqtt_error* error = NULL;
    comqtt_hooks table = comqtt_hooks_init();
    int elapsed = 0;

    table.id = "example";
    table.on_connect = on_connect;
    table.on_disconnect = on_disconnect;
    table.on_subscribed = on_subscribed;
    table.on_unsubscribed = on_unsubscribed;
    table.on_publish = on_publish;
    table.on_published = on_published;

    example_check(comqtt_server_new(NULL, &server, &error), error);
    example_check(comqtt_server_add_hook(server, &table, NULL, NULL, NULL, &error), error);
    example_check(comqtt_server_add_allow_all(server, NULL, &error), error);
    example_start(server, given.port);
    while (example_next_second(&given, &elapsed))
        if (elapsed % 5 == 0)
            example_check(comqtt_server_publish(server, comqtt_str_of("direct/publish"),
                                                comqtt_bytes_of("hello", 5), 0, false, &error),
                          error);
    comqtt_server_free(server);
    return 0;
}
