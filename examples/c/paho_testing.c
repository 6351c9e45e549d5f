/* The set-up that the Eclipse Paho interoperability suites (paho.mqtt.testing) expect of a broker:
 * everyone may do everything but subscribe to test/nosubscribe, errors are obscured, acknowledgements carry no
 * properties of the packet, and a clean MQTT 5.0 client that asks for a keep alive of 120 s is told 60 s. */
#include "common.h"

static comqtt_action on_connect(void* user, comqtt_event* event, comqtt_client* client,
                                comqtt_packet* packet) {
    comqtt_connect fields = comqtt_connect_init();
    (void)user;
    (void)event;
    if (comqtt_packet_connect(packet, &fields) == COMQTT_OK && fields.clean_start && fields.keep_alive == 120)
        comqtt_client_set_keep_alive(client, 60);
    return COMQTT_PROCEED;
}

static comqtt_verdict on_connect_authenticate(void* user, comqtt_event* event, comqtt_client* client,
                                              const comqtt_packet* packet) {
    (void)user;
    (void)event;
    (void)client;
    (void)packet;
    return COMQTT_ALLOW;
}

static comqtt_verdict on_acl_check(void* user, comqtt_event* event, comqtt_client* client, comqtt_str topic,
                                   comqtt_access access) {
    static const char kForbidden[] = "test/nosubscribe";
    (void)user;
    (void)event;
    (void)client;
    (void)access;
    if (topic.len == sizeof kForbidden - 1 && memcmp(topic.ptr, kForbidden, topic.len) == 0)
        return COMQTT_DENY;
    return COMQTT_ALLOW;
}

int main(int argc, char** argv) {
    arguments given = example_arguments(argc, argv, 1883);
    static const char* const kOn[] = {"capabilities.compatibilities.obscure-not-authorized",
                                      "capabilities.compatibilities.passive-client-disconnect",
                                      "capabilities.compatibilities.no-inherited-properties-on-ack"};
    comqtt_options* options = NULL;
    comqtt_server* server = NULL;
    comqtt_error* error = NULL;
    comqtt_hooks table = comqtt_hooks_init();
    int elapsed = 0;

    example_check(comqtt_options_new(&options), NULL);
    for (size_t i = 0; i < sizeof kOn / sizeof kOn[0]; ++i)
        example_check(comqtt_options_set_bool(options, kOn[i], true, &error), error);
    table.id = "paho-testing";
    table.on_connect = on_connect;
    table.on_connect_authenticate = on_connect_authenticate;
    table.on_acl_check = on_acl_check;

    example_check(comqtt_server_new(options, &server, &error), error);
    comqtt_options_free(options);
    example_check(comqtt_server_add_hook(server, &table, NULL, NULL, NULL, &error), error);
    example_start(server, given.port);
    while (example_next_second(&given, &elapsed)) {
    }
    comqtt_server_free(server);
    return 0;
}
