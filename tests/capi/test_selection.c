/* on_select_subscribers: who of the receivers of a message gets it, and who beside them. */
#include "check.h"
#include "peer.h"

typedef struct wishes {
    const char* choose; /* this member of the group */
    const char* spare;  /* not this one */
    const char* add;
    uint8_t add_qos;
    atomic_int calls;
} wishes;

static void on_select(void* user, comqtt_event* event, comqtt_selection* selection,
                      const comqtt_packet* packet) {
    wishes* it = user;
    (void)packet;
    for (size_t i = 0; i < comqtt_selection_count(selection); ++i) {
        comqtt_receiver receiver = comqtt_receiver_init();
        CHECK_OK(comqtt_selection_receiver(selection, i, &receiver));
        if (it->choose && str_is(receiver.client_id, it->choose))
            CHECK_OK(comqtt_selection_choose(selection, i, true));
        if (it->spare && str_is(receiver.client_id, it->spare))
            CHECK_OK(comqtt_selection_choose(selection, i, false));
    }
    if (it->add) {
        CHECK_STATUS(comqtt_selection_add(selection, S(""), 0), COMQTT_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(comqtt_selection_add(selection, S(it->add), 3), COMQTT_ERR_INVALID_ARGUMENT);
        CHECK_OK(comqtt_selection_add(selection, S("nobody"), 1));
        CHECK_OK(comqtt_selection_add(selection, S(it->add), it->add_qos));
    }
    CHECK_STATUS(comqtt_event_set_for_all_topics(event), COMQTT_ERR_STATE);
    atomic_fetch_add(&it->calls, 1);
}

static void on_shared(void* user, comqtt_event* event, const comqtt_packet* packet,
                      const comqtt_selection* selection) {
    (void)user;
    (void)event;
    (void)packet;
    CHECK_STATUS(comqtt_selection_choose((comqtt_selection*)selection, 0, true), COMQTT_ERR_STATE);
    CHECK_STATUS(comqtt_selection_add((comqtt_selection*)selection, S("x"), 0), COMQTT_ERR_STATE);
}

static comqtt_server* server_with(wishes* it) {
    comqtt_server* server = plain_server();
    comqtt_hooks table = comqtt_hooks_init();
    table.on_select_subscribers = on_select;
    table.on_published_with_shared_filters = on_shared;
    CHECK_OK(comqtt_server_add_hook(server, &table, it, NULL, NULL, NULL));
    return server;
}

static void publish(comqtt_server* server, const char* payload, uint8_t qos) {
    CHECK_OK(comqtt_server_publish(server, S("t"), B(payload), qos, false, NULL));
}

static void the_member_of_a_group_is_chosen(void) {
    wishes it = {.choose = "two"};
    comqtt_server* server = server_with(&it);
    peer* one = peer_connect(server, COMQTT_MQTT_5, "one");
    peer* two = peer_connect(server, COMQTT_MQTT_5, "two");
    CHECK_INT(peer_subscribe(one, "$share/g/t", 0), 0);
    CHECK_INT(peer_subscribe(two, "$share/g/t", 0), 0);
    for (int i = 0; i < 4; ++i) publish(server, "x", 0);
    for (int i = 0; i < 4; ++i) CHECK(peer_gets(two, "t", "x"));
    CHECK(peer_is_quiet(one));
    CHECK_INT(it.calls, 4);
    peer_close(one);
    peer_close(two);
    comqtt_server_free(server);
}

static void a_receiver_is_left_out(void) {
    wishes it = {.spare = "one"};
    comqtt_server* server = server_with(&it);
    peer* one = peer_connect(server, COMQTT_MQTT_5, "one");
    peer* two = peer_connect(server, COMQTT_MQTT_3_1_1, "two");
    CHECK_INT(peer_subscribe(one, "t", 0), 0);
    CHECK_INT(peer_subscribe(two, "#", 0), 0);
    publish(server, "x", 0);
    CHECK(peer_gets(two, "t", "x"));
    CHECK(peer_is_quiet(one));
    peer_close(one);
    peer_close(two);
    comqtt_server_free(server);
}

static void a_receiver_is_added(void) {
    wishes it = {.add = "extra", .add_qos = 1};
    comqtt_server* server = server_with(&it);
    peer* extra = peer_connect(server, COMQTT_MQTT_5, "extra");
    peer* usual = peer_connect(server, COMQTT_MQTT_5, "usual");
    comqtt_packet* packet;
    CHECK_INT(peer_subscribe(usual, "t", 0), 0);
    publish(server, "x", 2);
    CHECK(peer_gets(usual, "t", "x"));
    packet = peer_expect(extra, COMQTT_PUBLISH);
    CHECK_STR(comqtt_packet_topic(packet), "t");
    CHECK_INT(comqtt_packet_qos(packet), 1);
    comqtt_packet_release(packet);
    peer_close(extra);
    peer_close(usual);
    comqtt_server_free(server);
}

static void one_that_receives_already_gets_the_message_once(void) {
    wishes it = {.add = "usual", .add_qos = 1};
    comqtt_server* server = server_with(&it);
    peer* usual = peer_connect(server, COMQTT_MQTT_5, "usual");
    comqtt_packet* packet;
    CHECK_INT(peer_subscribe(usual, "t", 0), 0);
    publish(server, "x", 1);
    packet = peer_expect(usual, COMQTT_PUBLISH);
    CHECK_INT(comqtt_packet_qos(packet), 1);
    comqtt_packet_release(packet);
    CHECK(peer_is_quiet(usual));
    peer_close(usual);
    comqtt_server_free(server);
}

int main(void) {
    RUN(the_member_of_a_group_is_chosen);
    RUN(a_receiver_is_left_out);
    RUN(a_receiver_is_added);
    RUN(one_that_receives_already_gets_the_message_once);
    return check_summary();
}
