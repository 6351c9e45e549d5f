/* An inline client of its own: each second a packet is processed as if that client had sent it, here with a user
 * property, and an inline subscription prints it. */
#include "common.h"

static void on_message(void* user, uint64_t subscription, comqtt_client* client,
                       const comqtt_packet* packet) {
    comqtt_bytes payload = comqtt_packet_payload(packet);
    comqtt_str origin = comqtt_packet_origin(packet);
    comqtt_pair pair = {{"", 0}, {"", 0}};
    (void)user;
    (void)subscription;
    (void)client;
    comqtt_packet_user_prop(packet, COMQTT_SECTION_PACKET, 0, &pair);
    printf("%.*s says %.*s (%.*s=%.*s)\n", (int)origin.len, origin.ptr, (int)payload.len,
           (const char*)payload.ptr, (int)pair.key.len, pair.key.ptr, (int)pair.value.len, pair.value.ptr);
    fflush(stdout);
}

int main(int argc, char** argv) {
    arguments given = example_arguments(argc, argv, 1883);
    comqtt_server* server = NULL;
    comqtt_client* sensor = NULL;
    comqtt_packet* packet = NULL;
    comqtt_error* error = NULL;
    int elapsed = 0;

    example_check(comqtt_server_new(NULL, &server, &error), error);
    example_check(comqtt_server_add_allow_all(server, NULL, &error), error);
    example_start(server, given.port);
    example_check(comqtt_server_subscribe(server, comqtt_str_of("sensors/#"), 0, 0, on_message, NULL, NULL,
                                          NULL, &error),
                  error);
    example_check(comqtt_server_new_inline_client(server, comqtt_str_of("sensor-7"), &sensor, &error), error);

    example_check(comqtt_packet_new(COMQTT_PUBLISH, COMQTT_MQTT_5, &packet), NULL);
    comqtt_packet_set_topic(packet, comqtt_str_of("sensors/7/temperature"));
    comqtt_packet_add_user_prop(packet, COMQTT_SECTION_PACKET, comqtt_str_of("unit"), comqtt_str_of("C"));
    do {
        char text[16];
        int len = snprintf(text, sizeof text, "%d", 20 + elapsed % 5);
        comqtt_packet_set_payload(packet, comqtt_bytes_of(text, (size_t)len));
        example_check(comqtt_server_inject(server, sensor, packet, &error), error);
    } while (example_next_second(&given, &elapsed));

    comqtt_packet_release(packet);
    comqtt_client_release(sensor);
    comqtt_server_free(server);
    return 0;
}
