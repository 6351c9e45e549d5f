/* Packets processed as if a client had sent them: each type, as a connected client and as an inline one. */
#include "check.h"
#include "peer.h"

static comqtt_status inject(comqtt_server* server, comqtt_client* client, comqtt_packet* packet) {
    comqtt_status status = comqtt_server_inject(server, client, packet, NULL);
    comqtt_packet_release(packet);
    return status;
}

static comqtt_packet* unsubscribe(const char* filter, uint16_t id) {
    comqtt_packet* packet = NULL;
    comqtt_subscription entry = comqtt_subscription_init();
    CHECK_OK(comqtt_packet_new(COMQTT_UNSUBSCRIBE, COMQTT_MQTT_5, &packet));
    entry.filter = S(filter);
    comqtt_packet_add_filter(packet, &entry);
    comqtt_packet_set_id(packet, id);
    return packet;
}

static void as_a_connected_client(void) {
    comqtt_server* server = plain_server();
    peer* it = peer_connect(server, COMQTT_MQTT_5, "c");
    comqtt_client* client = NULL;
    comqtt_packet* ack;
    uint16_t id;
    CHECK_OK(comqtt_server_client(server, S("c"), &client));
    CHECK_OK(inject(server, client, make_subscribe(COMQTT_MQTT_5, "t", 2, 5)));
    ack = peer_expect(it, COMQTT_SUBACK);
    CHECK_INT(comqtt_packet_id(ack), 5);
    comqtt_packet_release(ack);
    CHECK_OK(inject(server, client, make_publish(COMQTT_MQTT_5, "t", "x", 0, 0)));
    CHECK(peer_gets(it, "t", "x"));
    /* An outbound QoS 2 exchange whose client side is injected. */
    CHECK_OK(comqtt_server_publish(server, S("t"), B("y"), 2, false, NULL));
    ack = peer_expect(it, COMQTT_PUBLISH);
    id = comqtt_packet_id(ack);
    comqtt_packet_release(ack);
    CHECK_OK(inject(server, client, make_ack(COMQTT_MQTT_5, COMQTT_PUBREC, id)));
    CHECK(peer_expects(it, COMQTT_PUBREL));
    CHECK_OK(inject(server, client, make_ack(COMQTT_MQTT_5, COMQTT_PUBCOMP, id)));
    CHECK_OK(comqtt_server_publish(server, S("t"), B("z"), 1, false, NULL));
    ack = peer_expect(it, COMQTT_PUBLISH);
    id = comqtt_packet_id(ack);
    comqtt_packet_release(ack);
    EVENTUALLY(comqtt_client_inflight_count(client) == 1);
    CHECK_OK(inject(server, client, make_ack(COMQTT_MQTT_5, COMQTT_PUBACK, id)));
    EVENTUALLY(comqtt_client_inflight_count(client) == 0);
    CHECK_OK(inject(server, client, make_ack(COMQTT_MQTT_5, COMQTT_PUBREL, 1234)));
    CHECK(peer_expects(it, COMQTT_PUBCOMP));
    CHECK_OK(inject(server, client, make_ack(COMQTT_MQTT_5, COMQTT_PINGREQ, 0)));
    CHECK(peer_expects(it, COMQTT_PINGRESP));
    CHECK_OK(inject(server, client, unsubscribe("t", 6)));
    CHECK(peer_expects(it, COMQTT_UNSUBACK));
    CHECK_OK(inject(server, client, make_ack(COMQTT_MQTT_5, COMQTT_DISCONNECT, 0)));
    CHECK(peer_sees_close(it));
    EVENTUALLY(!comqtt_client_is_connected(client));
    CHECK_STATUS(inject(server, client, make_ack(COMQTT_MQTT_5, COMQTT_PINGREQ, 0)), COMQTT_ERR_CLOSED);
    comqtt_client_release(client);
    peer_close(it);
    comqtt_server_free(server);
}

static void as_an_inline_client(void) {
    comqtt_server* server = plain_server();
    comqtt_server* stranger = plain_server();
    peer* it = peer_connect(server, COMQTT_MQTT_5, "watcher");
    comqtt_client* client = NULL;
    comqtt_client* twin = NULL;
    comqtt_packet* bad;
    CHECK_INT(peer_subscribe(it, "#", 0), 0);
    CHECK_OK(comqtt_server_new_inline_client(server, S("robot"), &client, NULL));
    CHECK(comqtt_client_is_inline(client));
    CHECK_STR(comqtt_client_id(client), "robot");
    CHECK_STATUS(comqtt_server_new_inline_client(server, S("robot"), &twin, NULL), COMQTT_ERR_EXISTS);
    for (uint8_t qos = 0; qos < 3; ++qos) {
        CHECK_OK(inject(server, client, make_publish(COMQTT_MQTT_5, "from/robot", "beep", qos, qos ? 9 : 0)));
        CHECK(peer_gets(it, "from/robot", "beep"));
    }
    bad = make_publish(COMQTT_MQTT_5, "from/+", "beep", 0, 0);
    {
        comqtt_error* error = NULL;
        CHECK_STATUS(comqtt_server_inject(server, client, bad, &error), COMQTT_ERR_PROTOCOL);
        CHECK_INT(comqtt_error_reason(error), COMQTT_REASON_TOPIC_NAME_INVALID);
        comqtt_error_free(error);
    }
    CHECK_OK(comqtt_packet_set_topic(bad, S("fine")));
    CHECK_STATUS(comqtt_server_inject(stranger, client, bad, NULL), COMQTT_ERR_INVALID_ARGUMENT);
    comqtt_packet_release(bad);
    comqtt_client_release(client);
    peer_close(it);
    comqtt_server_free(stranger);
    comqtt_server_free(server);
}

int main(void) {
    RUN(as_a_connected_client);
    RUN(as_an_inline_client);
    return check_summary();
}
