/* The inline client: publish, subscribe, unsubscribe, retained messages; look-up and operations on clients. */
#include "check.h"
#include "peer.h"

typedef struct inbox {
    atomic_int count;
    atomic_int dropped;
    char topic[64];
    char payload[64];
    char origin[64];
    uint8_t qos;
    bool retain;
    uint32_t identifier;
    char user_prop[64];
    uint64_t subscription;
} inbox;

static void copy(char* to, size_t size, const void* from, size_t len) {
    if (len >= size) len = size - 1;
    if (len) memcpy(to, from, len);
    to[len] = 0;
}

static void on_message(void* user, uint64_t subscription, comqtt_client* client,
                       const comqtt_packet* packet) {
    inbox* in = user;
    comqtt_pair pair;
    CHECK(comqtt_client_is_inline(client));
    CHECK(comqtt_packet_is_frozen(packet));
    CHECK_INT(comqtt_packet_type(packet), COMQTT_PUBLISH);
    copy(in->topic, sizeof in->topic, comqtt_packet_topic(packet).ptr, comqtt_packet_topic(packet).len);
    copy(in->payload, sizeof in->payload, comqtt_packet_payload(packet).ptr,
         comqtt_packet_payload(packet).len);
    copy(in->origin, sizeof in->origin, comqtt_packet_origin(packet).ptr, comqtt_packet_origin(packet).len);
    in->qos = comqtt_packet_qos(packet);
    in->retain = comqtt_packet_retain_flag(packet);
    in->identifier = comqtt_packet_subscription_id(packet, 0);
    in->user_prop[0] = 0;
    if (comqtt_packet_user_prop(packet, COMQTT_SECTION_PACKET, 0, &pair))
        copy(in->user_prop, sizeof in->user_prop, pair.value.ptr, pair.value.len);
    in->subscription = subscription;
    atomic_fetch_add(&in->count, 1);
}
static void drop_inbox(void* user) { atomic_fetch_add(&((inbox*)user)->dropped, 1); }

static void clients_and_the_inline_client_reach_each_other(void) {
    comqtt_server* server = plain_server();
    peer* it = peer_connect(server, COMQTT_MQTT_5, "c");
    inbox in = {0};
    uint64_t token = 0;
    CHECK_OK(comqtt_server_subscribe(server, S("in/#"), 2, 7, on_message, &in, drop_inbox, &token, NULL));
    CHECK(token != 0);
    CHECK_INT(peer_subscribe(it, "out/#", 1), 1);
    peer_send(it, make_publish(COMQTT_MQTT_5, "in/x", "hello", 1, 1));
    CHECK(peer_expects(it, COMQTT_PUBACK));
    EVENTUALLY(in.count == 1);
    CHECK(strcmp(in.topic, "in/x") == 0);
    CHECK(strcmp(in.payload, "hello") == 0);
    CHECK_INT(in.qos, 1);
    CHECK_INT(in.identifier, 7);
    CHECK(in.subscription == token);
    CHECK_OK(comqtt_server_publish(server, S("out/y"), B("world"), 1, false, NULL));
    CHECK(peer_gets(it, "out/y", "world"));
    CHECK_OK(comqtt_server_publish(server, S("in/self"), B(""), 0, false, NULL));
    EVENTUALLY(in.count == 2);
    CHECK_OK(comqtt_server_unsubscribe(server, token));
    EVENTUALLY(in.dropped == 1);
    CHECK_STATUS(comqtt_server_unsubscribe(server, token), COMQTT_ERR_NOT_FOUND);
    CHECK_OK(comqtt_server_publish(server, S("in/z"), B("x"), 0, false, NULL));
    CHECK(peer_ping(it));
    CHECK_INT(in.count, 2);
    peer_close(it);
    comqtt_server_free(server);
    CHECK_INT(in.dropped, 1);
}

static void a_message_tells_who_published_it(void) {
    comqtt_server* server = plain_server();
    inbox in = {0};
    CHECK_OK(comqtt_server_subscribe(server, S("#"), 2, 0, on_message, &in, NULL, NULL, NULL));
    for (uint8_t qos = 0; qos < 3; ++qos) {
        const char* id = qos == 0 ? "zero" : qos == 1 ? "one" : "two";
        peer* it = peer_connect(server, COMQTT_MQTT_5, id);
        for (int i = 0; i < 3; ++i)
            peer_send(it, make_publish(COMQTT_MQTT_5, "t", "x", qos, qos ? i + 1 : 0));
        EVENTUALLY(in.count == 3);
        CHECK(strcmp(in.origin, id) == 0);
        peer_close(it);
        in.count = 0;
    }
    comqtt_server_free(server);
}

static void publish_packet_carries_properties(void) {
    comqtt_server* server = plain_server();
    peer* it = peer_connect(server, COMQTT_MQTT_5, "c");
    inbox in = {0};
    comqtt_packet* packet = make_publish(COMQTT_MQTT_5, "t", "x", 0, 0);
    comqtt_packet* got;
    comqtt_str text = {NULL, 0};
    CHECK_OK(comqtt_server_subscribe(server, S("t"), 0, 0, on_message, &in, NULL, NULL, NULL));
    CHECK_INT(peer_subscribe(it, "t", 0), 0);
    CHECK_OK(comqtt_packet_add_user_prop(packet, COMQTT_SECTION_PACKET, S("k"), S("v")));
    CHECK_OK(
        comqtt_packet_set_prop_str(packet, COMQTT_SECTION_PACKET, COMQTT_PROP_RESPONSE_TOPIC, S("back")));
    CHECK_OK(comqtt_server_publish_packet(server, packet, NULL));
    EVENTUALLY(in.count == 1);
    CHECK(strcmp(in.user_prop, "v") == 0);
    CHECK_INT(in.identifier, 0);
    got = peer_expect(it, COMQTT_PUBLISH);
    CHECK(comqtt_packet_prop_str(got, COMQTT_SECTION_PACKET, COMQTT_PROP_RESPONSE_TOPIC, &text));
    CHECK_STR(text, "back");
    CHECK_INT(comqtt_packet_user_prop_count(got, COMQTT_SECTION_PACKET), 1);
    comqtt_packet_release(got);
    comqtt_packet_release(packet);
    packet = make_ack(COMQTT_MQTT_5, COMQTT_PUBACK, 1);
    CHECK_STATUS(comqtt_server_publish_packet(server, packet, NULL), COMQTT_ERR_INVALID_ARGUMENT);
    comqtt_packet_release(packet);
    peer_close(it);
    comqtt_server_free(server);
}

static bool count_packet(void* user, const comqtt_packet* packet) {
    CHECK(comqtt_packet_is_frozen(packet));
    CHECK(comqtt_packet_retain_flag(packet));
    CHECK_INT(comqtt_packet_topic(packet).len, 3);
    ++*(int*)user;
    return *(int*)user < 2;
}

static void retained_messages_come_first_and_can_be_listed(void) {
    comqtt_server* server = plain_server();
    inbox in = {0};
    comqtt_error* error = NULL;
    int count = 0;
    CHECK_OK(comqtt_server_publish(server, S("r/1"), B("one"), 1, true, NULL));
    CHECK_OK(comqtt_server_subscribe(server, S("r/+"), 1, 0, on_message, &in, drop_inbox, NULL, NULL));
    EVENTUALLY(in.count == 1);
    CHECK(in.retain);
    CHECK(strcmp(in.payload, "one") == 0);
    CHECK_OK(comqtt_server_publish(server, S("r/2"), B("two"), 0, true, NULL));
    CHECK_OK(comqtt_server_publish(server, S("r/3"), B("three"), 0, true, NULL));
    EVENTUALLY(in.count == 3);
    CHECK(!in.retain);
    CHECK_OK(comqtt_server_each_retained(server, S("r/#"), count_packet, &count));
    CHECK_INT(count, 2); /* the function ended the list */
    CHECK_OK(comqtt_server_clear_retained(server, S("r/1")));
    CHECK_OK(comqtt_server_clear_retained(server, S("r/2")));
    CHECK_STATUS(comqtt_server_clear_retained(server, S("r/2")), COMQTT_ERR_NOT_FOUND);
    EVENTUALLY((count = 0, comqtt_server_each_retained(server, S("r/#"), count_packet, &count)) ==
                   COMQTT_OK &&
               count == 1);
    CHECK_STATUS(comqtt_server_each_retained(server, S("r/#/x"), count_packet, &count), COMQTT_ERR_PROTOCOL);
    CHECK_STATUS(comqtt_server_publish(server, S("a/+"), B(""), 0, false, &error), COMQTT_ERR_PROTOCOL);
    CHECK_INT(comqtt_error_reason(error), COMQTT_REASON_TOPIC_NAME_INVALID);
    comqtt_error_free(error);
    comqtt_server_free(server);
    CHECK_INT(in.dropped, 1);
}

static bool see_second(void* user, const comqtt_packet* packet) {
    *(bool*)user = comqtt_packet_payload(packet).len == strlen("second");
    return true;
}

static void at_the_limit_a_retained_message_may_be_replaced_and_none_added(void) {
    comqtt_options* options = test_options(false);
    comqtt_server* server;
    comqtt_error* error = NULL;
    bool second = false;
    int count = 0;
    CHECK_OK(comqtt_options_set_int(options, "limits.retained-messages", 1, NULL));
    server = test_server(options, true);
    CHECK_OK(comqtt_server_publish(server, S("r/a"), B("one"), 0, true, NULL));
    EVENTUALLY((count = 0, comqtt_server_each_retained(server, S("r/a"), count_packet, &count)) ==
                   COMQTT_OK &&
               count == 1);
    CHECK_STATUS(comqtt_server_publish(server, S("other"), B("x"), 0, true, &error), COMQTT_ERR_QUEUE_FULL);
    CHECK_INT(comqtt_error_reason(error), COMQTT_REASON_QUOTA_EXCEEDED);
    comqtt_error_free(error);
    CHECK_OK(comqtt_server_publish(server, S("other"), B("x"), 0, false, NULL)); /* not to be retained */
    CHECK_OK(comqtt_server_publish(server, S("r/a"), B("second"), 0, true, NULL));
    EVENTUALLY(comqtt_server_each_retained(server, S("#"), see_second, &second) == COMQTT_OK && second);
    CHECK_OK(comqtt_server_publish(server, S("r/a"), B(""), 0, true, NULL));
    EVENTUALLY((count = 0, comqtt_server_each_retained(server, S("#"), count_packet, &count)) == COMQTT_OK &&
               count == 0);
    CHECK_OK(comqtt_server_publish(server, S("other"), B("x"), 0, true, NULL));
    comqtt_server_free(server);
}

static void the_inline_client_can_be_switched_off(void) {
    comqtt_options* options = test_options(false);
    comqtt_server* server;
    comqtt_client* client = NULL;
    inbox in = {0};
    CHECK_OK(comqtt_options_set_bool(options, "inline-client", false, NULL));
    server = test_server(options, true);
    CHECK_STATUS(comqtt_server_publish(server, S("t"), B("x"), 0, false, NULL), COMQTT_ERR_INLINE_DISABLED);
    CHECK_STATUS(comqtt_server_subscribe(server, S("t"), 0, 0, on_message, &in, drop_inbox, NULL, NULL),
                 COMQTT_ERR_INLINE_DISABLED);
    CHECK_INT(in.dropped, 1);
    CHECK_OK(comqtt_server_new_inline_client(server, S("i"), &client,
                                             NULL)); /* a client for inject is another thing */
    comqtt_client_release(client);
    comqtt_server_free(server);
}

static bool count_client(void* user, comqtt_client* client) {
    if (!comqtt_client_is_inline(client)) ++*(int*)user;
    return true;
}
static bool count_text(void* user, comqtt_str text) {
    CHECK_STR(text, "bad");
    ++*(int*)user;
    return true;
}
static bool see_subscription(void* user, const comqtt_subscription* subscription) {
    CHECK_STR(subscription->filter, "t/#");
    CHECK_INT(subscription->qos, 1);
    ++*(int*)user;
    return true;
}

static void clients_can_be_found_told_about_and_sent_to(void) {
    comqtt_server* server = plain_server();
    peer* it = peer_connect(server, COMQTT_MQTT_5, "c");
    peer* other = peer_connect(server, COMQTT_MQTT_3_1_1, "o");
    comqtt_client* client = NULL;
    comqtt_packet* packet;
    atomic_int dropped = 0;
    int count = 0;
    CHECK_INT(peer_subscribe(it, "t/#", 1), 1);
    CHECK_STATUS(comqtt_server_client(server, S("nobody"), &client), COMQTT_ERR_NOT_FOUND);
    CHECK_OK(comqtt_server_client(server, S("c"), &client));
    CHECK_STR(comqtt_client_id(client), "c");
    CHECK_STR(comqtt_client_listener(client), "pipe");
    CHECK_STR(comqtt_client_remote(client), "test-peer");
    CHECK_INT(comqtt_client_version(client), COMQTT_MQTT_5);
    CHECK(comqtt_client_is_connected(client));
    CHECK(!comqtt_client_is_inline(client));
    CHECK(comqtt_client_connected_unix_ms(client) > 1600000000000);
    CHECK_INT(comqtt_client_disconnected_unix_ms(client), 0);
    CHECK(comqtt_client_bytes_in(client) > 10);
    CHECK(comqtt_client_bytes_out(client) > 2);
    packet = NULL;
    CHECK_STATUS(comqtt_client_will(client, &packet), COMQTT_ERR_NOT_FOUND);
    CHECK_OK(comqtt_server_each_client(server, count_client, &count));
    CHECK_INT(count, 2);
    CHECK(comqtt_server_client_count(server, true) >= 2);
    count = 0;
    CHECK_OK(comqtt_client_each_subscription(client, see_subscription, &count));
    CHECK_INT(count, 1);
    CHECK_OK(comqtt_client_set_user(client, &dropped, count_drop));
    CHECK(comqtt_client_user(client) == &dropped);
    CHECK_OK(comqtt_client_set_user(client, NULL, NULL));
    CHECK_INT(dropped, 1);
    CHECK_OK(comqtt_client_set_user(client, &dropped, count_drop));
    packet = make_publish(COMQTT_MQTT_5, "private", "for you", 0, 0);
    CHECK_OK(comqtt_client_send(client, packet));
    comqtt_packet_release(packet);
    CHECK(peer_gets(it, "private", "for you"));
    CHECK_OK(comqtt_client_disconnect(client, COMQTT_REASON_ADMINISTRATIVE_ACTION));
    packet = peer_expect(it, COMQTT_DISCONNECT);
    CHECK_INT(comqtt_packet_reason(packet), COMQTT_REASON_ADMINISTRATIVE_ACTION);
    comqtt_packet_release(packet);
    CHECK(peer_sees_close(it));
    EVENTUALLY(!comqtt_client_is_connected(client));
    CHECK_STATUS(comqtt_client_disconnect(client, 0), COMQTT_ERR_CLOSED);
    CHECK(peer_ping(other));
    peer_close(it);
    peer_close(other);
    comqtt_server_free(server);
    comqtt_client_release(client);
    CHECK_INT(dropped, 2);
}

static void blocked_and_expired_clients(void) {
    comqtt_server* server = plain_server();
    peer* bad = peer_connect(server, COMQTT_MQTT_5, "bad");
    peer* it;
    comqtt_packet* connect = make_connect(COMQTT_MQTT_5, "kept");
    comqtt_client* client = NULL;
    int count = 0;
    CHECK_OK(comqtt_server_block_client(server, S("bad")));
    CHECK(peer_sees_close(bad));
    peer_close(bad);
    bad = peer_open(server, COMQTT_MQTT_5);
    CHECK_INT(peer_try_connect(bad, make_connect(COMQTT_MQTT_5, "bad")), COMQTT_REASON_BANNED);
    peer_close(bad);
    CHECK_OK(comqtt_server_each_blocked(server, count_text, &count));
    CHECK_INT(count, 1);
    CHECK_OK(comqtt_server_unblock_client(server, S("bad")));
    CHECK_STATUS(comqtt_server_unblock_client(server, S("bad")), COMQTT_ERR_NOT_FOUND);
    bad = peer_connect(server, COMQTT_MQTT_5, "bad");
    peer_close(bad);
    comqtt_packet_set_prop_int(connect, COMQTT_SECTION_PACKET, COMQTT_PROP_SESSION_EXPIRY_INTERVAL, 1000);
    it = peer_open(server, COMQTT_MQTT_5);
    CHECK_INT(peer_try_connect(it, connect), 0);
    peer_close(it);
    CHECK_OK(comqtt_server_client(server, S("kept"), &client));
    EVENTUALLY(!comqtt_client_is_connected(client));
    CHECK_INT(comqtt_client_session_expiry_s(client), 1000);
    CHECK(comqtt_client_disconnected_unix_ms(client) > 0);
    CHECK_OK(comqtt_client_expire(client));
    comqtt_client_release(client);
    for (int i = 0; i < 5000; ++i) {
        client = NULL;
        if (comqtt_server_client(server, S("kept"), &client) == COMQTT_ERR_NOT_FOUND) break;
        comqtt_client_release(client);
        sleep_ms(1);
    }
    CHECK_STATUS(comqtt_server_client(server, S("kept"), &client), COMQTT_ERR_NOT_FOUND);
    comqtt_server_free(server);
}

int main(void) {
    RUN(clients_and_the_inline_client_reach_each_other);
    RUN(a_message_tells_who_published_it);
    RUN(publish_packet_carries_properties);
    RUN(retained_messages_come_first_and_can_be_listed);
    RUN(at_the_limit_a_retained_message_may_be_replaced_and_none_added);
    RUN(the_inline_client_can_be_switched_off);
    RUN(clients_can_be_found_told_about_and_sent_to);
    RUN(blocked_and_expired_clients);
    return check_summary();
}
