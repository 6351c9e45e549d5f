/* What waits for a store, what does not, and what becomes of it when the store fails. */
#include "check.h"
#include "peer.h"
#include "store.h"

/* A server with a store that answers at once, a client that only pings, and a publisher with a clean session. */
typedef struct scene {
    store* disk;
    comqtt_server* server;
    peer* bystander;
    peer* publisher;
} scene;

static scene scene_open(void) {
    scene it;
    it.disk = store_new();
    it.server = store_server(it.disk, NULL);
    it.bystander = peer_connect(it.server, COMQTT_MQTT_5, "bystander");
    it.publisher = peer_connect(it.server, COMQTT_MQTT_5, "publisher");
    return it;
}

static void scene_close(scene* it) {
    peer_close(it->bystander);
    peer_close(it->publisher);
    comqtt_server_free(it->server);
    store_free(it->disk);
}

static comqtt_packet* connect_stored(const char* id) {
    comqtt_packet* packet = make_connect(COMQTT_MQTT_5, id);
    comqtt_connect fields = comqtt_connect_init();
    comqtt_packet_connect(packet, &fields);
    fields.clean_start = false;
    comqtt_packet_set_connect(packet, &fields);
    comqtt_packet_set_prop_int(packet, COMQTT_SECTION_PACKET, COMQTT_PROP_SESSION_EXPIRY_INTERVAL, 1000);
    return packet;
}

static peer* open_stored(scene* it, const char* id) {
    peer* made = peer_open(it->server, COMQTT_MQTT_5);
    CHECK_INT(peer_try_connect(made, connect_stored(id)), 0);
    return made;
}

/* A session without a connection that is subscribed to a filter with QoS 2. */
static void make_offline(scene* it, const char* id, const char* filter) {
    peer* made = open_stored(it, id);
    CHECK_INT(peer_subscribe(made, filter, 2), 2);
    peer_close(made);
    EVENTUALLY(store_is_offline(it->disk, id));
}

/* The batch of what was just sent is at the store, the round that made it is over, and the client got nothing. */
static bool held_back(scene* it, peer* client) {
    comqtt_packet* packet;
    EVENTUALLY(store_held(it->disk) > 0);
    if (!CHECK(peer_ping(it->bystander))) return false;
    packet = peer_read(client, 0);
    if (!packet) return true;
    printf("    a packet of type %d did not wait\n", comqtt_packet_type(packet));
    comqtt_packet_release(packet);
    return false;
}

/* The reason code of the next packet, which must be of this kind and id; -1 otherwise. */
static int expect_ack(peer* it, comqtt_packet_kind kind, uint16_t id) {
    comqtt_packet* packet = peer_expect(it, kind);
    int reason = packet && comqtt_packet_id(packet) == id ? comqtt_packet_reason(packet) : -1;
    comqtt_packet_release(packet);
    return reason;
}

static void hold(scene* it) { atomic_store(&it->disk->hold, true); }
static size_t commit(scene* it) { return store_finish(it->disk, COMQTT_OK, ""); }

static void publish(peer* from, const char* topic, uint8_t qos, uint16_t id) {
    CHECK_OK(peer_send(from, make_publish(COMQTT_MQTT_5, topic, "x", qos, id)));
}

static void puback_waits_until_the_batch_is_complete(void) {
    scene it = scene_open();
    make_offline(&it, "s", "q/#");
    hold(&it);
    publish(it.publisher, "q/1", 1, 10);
    CHECK(held_back(&it, it.publisher));
    CHECK_INT(store_count(it.disk, ROW_MESSAGE, "s"), 0);
    CHECK_INT(commit(&it), 1);
    CHECK_INT(expect_ack(it.publisher, COMQTT_PUBACK, 10), 0);
    CHECK_INT(store_count(it.disk, ROW_MESSAGE, "s"), 1);
    scene_close(&it);
}

static void acknowledgements_keep_their_order(void) {
    scene it = scene_open();
    make_offline(&it, "s", "q/#");
    hold(&it);
    for (uint16_t id = 1; id <= 3; ++id) {
        publish(it.publisher, "q/1", 1, id);
        EVENTUALLY(store_held(it.disk) == id);
    }
    commit(&it);
    for (uint16_t id = 1; id <= 3; ++id) CHECK_INT(expect_ack(it.publisher, COMQTT_PUBACK, id), 0);
    scene_close(&it);
}

static void a_failed_batch_is_told_to_its_publisher(void) {
    const struct {
        comqtt_status status;
        int reason;
    } cases[] = {{COMQTT_ERR_STORAGE, COMQTT_REASON_IMPLEMENTATION_SPECIFIC_ERROR},
                 {COMQTT_ERR_IO, COMQTT_REASON_IMPLEMENTATION_SPECIFIC_ERROR},
                 {COMQTT_ERR_QUEUE_FULL, COMQTT_REASON_QUOTA_EXCEEDED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        scene it = scene_open();
        make_offline(&it, "s", "q/#");
        hold(&it);
        publish(it.publisher, "q/1", 1, 1);
        CHECK(held_back(&it, it.publisher));
        store_finish(it.disk, cases[i].status, "no more paper");
        CHECK_INT(expect_ack(it.publisher, COMQTT_PUBACK, 1), cases[i].reason);
        publish(it.publisher, "q/1", 2, 2);
        CHECK(held_back(&it, it.publisher));
        store_finish(it.disk, cases[i].status, "no more paper");
        CHECK_INT(expect_ack(it.publisher, COMQTT_PUBREC, 2), cases[i].reason);
        scene_close(&it);
    }
}

static void what_is_no_answer_is_a_failure(void) {
    scene it = scene_open();
    make_offline(&it, "s", "q/#");
    atomic_store(&it.disk->answer, COMQTT_ERR_STORAGE);
    publish(it.publisher, "q/1", 1, 1);
    CHECK_INT(expect_ack(it.publisher, COMQTT_PUBACK, 1), COMQTT_REASON_IMPLEMENTATION_SPECIFIC_ERROR);
    atomic_store(&it.disk->answer, COMQTT_ERR_QUEUE_FULL);
    publish(it.publisher, "q/1", 1, 2);
    CHECK_INT(expect_ack(it.publisher, COMQTT_PUBACK, 2), COMQTT_REASON_QUOTA_EXCEEDED);
    atomic_store(&it.disk->answer, 7);
    publish(it.publisher, "q/1", 1, 3);
    CHECK_INT(expect_ack(it.publisher, COMQTT_PUBACK, 3), COMQTT_REASON_IMPLEMENTATION_SPECIFIC_ERROR);
    atomic_store(&it.disk->answer, -1000);
    publish(it.publisher, "q/1", 1, 4);
    CHECK_INT(expect_ack(it.publisher, COMQTT_PUBACK, 4), COMQTT_REASON_IMPLEMENTATION_SPECIFIC_ERROR);
    atomic_store(&it.disk->drop, true); /* PENDING, and nobody keeps the batch */
    publish(it.publisher, "q/1", 1, 5);
    CHECK_INT(expect_ack(it.publisher, COMQTT_PUBACK, 5), COMQTT_REASON_IMPLEMENTATION_SPECIFIC_ERROR);
    CHECK_INT(store_count(it.disk, ROW_MESSAGE, "s"), 0);
    scene_close(&it);
}

static void a_new_session_and_its_subscriptions_wait(void) {
    scene it = scene_open();
    peer* client = peer_open(it.server, COMQTT_MQTT_5);
    comqtt_packet* packet = NULL;
    comqtt_subscription entry = comqtt_subscription_init();
    hold(&it);
    CHECK_OK(peer_send(client, connect_stored("new")));
    CHECK(held_back(&it, client));
    commit(&it);
    CHECK(peer_expects(client, COMQTT_CONNACK));
    CHECK_INT(store_count(it.disk, ROW_SESSION, "new"), 1);

    CHECK_OK(peer_send(client, make_subscribe(COMQTT_MQTT_5, "a", 1, 2)));
    CHECK(held_back(&it, client));
    commit(&it);
    CHECK(peer_expects(client, COMQTT_SUBACK));
    CHECK_INT(store_count(it.disk, ROW_SUBSCRIPTION, "new"), 1);

    CHECK_OK(comqtt_packet_new(COMQTT_UNSUBSCRIBE, COMQTT_MQTT_5, &packet));
    entry.filter = S("a");
    comqtt_packet_add_filter(packet, &entry);
    comqtt_packet_set_id(packet, 3);
    CHECK_OK(peer_send(client, packet));
    CHECK(held_back(&it, client));
    commit(&it);
    CHECK(peer_expects(client, COMQTT_UNSUBACK));
    CHECK_INT(store_count(it.disk, ROW_SUBSCRIPTION, "new"), 0);
    peer_close(client);
    scene_close(&it);
}

static void a_session_that_cannot_be_stored_is_not_made(void) {
    scene it = scene_open();
    peer* client = peer_open(it.server, COMQTT_MQTT_5);
    hold(&it);
    CHECK_OK(peer_send(client, connect_stored("new")));
    CHECK(held_back(&it, client));
    store_finish(it.disk, COMQTT_ERR_STORAGE, "no more paper");
    CHECK(peer_sees_close(client));
    peer_close(client);
    scene_close(&it);
}

/* Both halves of QoS 2: from a stored session, and to one. */
static void each_step_of_qos_2_waits(void) {
    scene it = scene_open();
    peer* sender = open_stored(&it, "sender");
    peer* receiver = open_stored(&it, "receiver");
    comqtt_packet* packet;
    uint16_t id;
    CHECK_INT(peer_subscribe(receiver, "t", 2), 2);
    hold(&it);
    publish(sender, "t", 2, 5);
    CHECK(held_back(&it, sender));
    CHECK(held_back(&it, receiver));
    commit(&it);
    CHECK_INT(expect_ack(sender, COMQTT_PUBREC, 5), 0);
    packet = peer_expect(receiver, COMQTT_PUBLISH);
    id = comqtt_packet_id(packet);
    comqtt_packet_release(packet);
    CHECK_INT(store_count(it.disk, ROW_RECEIVED, "sender"), 1);
    CHECK_INT(store_count(it.disk, ROW_MESSAGE, "receiver"), 1);

    CHECK_OK(peer_send(sender, make_ack(COMQTT_MQTT_5, COMQTT_PUBREL, 5)));
    CHECK(held_back(&it, sender));
    commit(&it);
    CHECK_INT(expect_ack(sender, COMQTT_PUBCOMP, 5), 0);
    CHECK_INT(store_count(it.disk, ROW_RECEIVED, "sender"), 0);

    CHECK_OK(peer_send(receiver, make_ack(COMQTT_MQTT_5, COMQTT_PUBREC, id)));
    CHECK(held_back(&it, receiver));
    commit(&it);
    CHECK_INT(expect_ack(receiver, COMQTT_PUBREL, id), 0);
    CHECK_OK(peer_send(receiver, make_ack(COMQTT_MQTT_5, COMQTT_PUBCOMP, id)));
    EVENTUALLY(store_held(it.disk) == 1);
    commit(&it);
    CHECK_INT(store_count(it.disk, ROW_MESSAGE, NULL), 0);
    peer_close(sender);
    peer_close(receiver);
    scene_close(&it);
}

static void what_is_not_stored_does_not_wait(void) {
    scene it = scene_open();
    peer* clean = peer_connect(it.server, COMQTT_MQTT_5, "clean");
    unsigned batches;
    make_offline(&it, "s", "q/#");
    CHECK_INT(peer_subscribe(clean, "live/#", 1), 1);
    batches = atomic_load(&it.disk->batches);
    hold(&it);
    publish(it.publisher, "q/0", 0, 0); /* QoS 0 to a stored session */
    CHECK(peer_ping(it.publisher));
    publish(it.publisher, "live/1", 1, 1); /* QoS 1 to a clean session */
    CHECK_INT(expect_ack(it.publisher, COMQTT_PUBACK, 1), 0);
    CHECK(peer_gets(clean, "live/1", "x"));
    CHECK_INT(atomic_load(&it.disk->batches), batches);
    peer_close(clean);
    scene_close(&it);
}

static void qos_1_goes_to_its_receiver_before_it_is_stored(void) {
    scene it = scene_open();
    peer* receiver = open_stored(&it, "receiver");
    CHECK_INT(peer_subscribe(receiver, "t", 1), 1);
    hold(&it);
    publish(it.publisher, "t", 1, 1);
    CHECK(peer_gets(receiver, "t", "x"));
    CHECK(held_back(&it, it.publisher));
    commit(&it);
    CHECK_INT(expect_ack(it.publisher, COMQTT_PUBACK, 1), 0);
    peer_close(receiver);
    scene_close(&it);
}

static void trouble_that_is_reported_refuses_until_a_batch_is_committed(void) {
    const struct {
        comqtt_status status;
        int reason;
    } cases[] = {{COMQTT_ERR_STORAGE, COMQTT_REASON_IMPLEMENTATION_SPECIFIC_ERROR},
                 {COMQTT_ERR_QUEUE_FULL, COMQTT_REASON_QUOTA_EXCEEDED}};
    for (size_t i = 0; i < 2; ++i) {
        scene it = scene_open();
        comqtt_error* error = NULL;
        peer* other = peer_connect(it.server, COMQTT_MQTT_5, "other");
        make_offline(&it, "s", "q/#");
        CHECK_OK(comqtt_server_ready(it.server, NULL));
        hold(&it);
        publish(it.publisher, "q/1", 1, 1);
        CHECK(held_back(&it, it.publisher));
        CHECK_STATUS(store_report(it.disk, COMQTT_OK, "fine"), COMQTT_ERR_INVALID_ARGUMENT);
        CHECK_OK(store_report(it.disk, cases[i].status, "the disk is full"));
        EVENTUALLY(comqtt_server_ready(it.server, NULL) == COMQTT_ERR_STORAGE);
        CHECK_STATUS(comqtt_server_ready(it.server, &error), COMQTT_ERR_STORAGE);
        CHECK(error && strstr(comqtt_error_message(error).ptr, "the disk is full"));
        comqtt_error_free(error);
        publish(other, "q/1", 1, 7);
        CHECK_INT(expect_ack(other, COMQTT_PUBACK, 7), cases[i].reason);
        CHECK_INT(peer_subscribe(it.bystander, "anything", 0), 0); /* of a clean session */
        commit(&it);
        CHECK_INT(expect_ack(it.publisher, COMQTT_PUBACK, 1), 0);
        EVENTUALLY(comqtt_server_ready(it.server, NULL) == COMQTT_OK);
        atomic_store(&it.disk->hold, false);
        publish(other, "q/1", 1, 8);
        CHECK_INT(expect_ack(other, COMQTT_PUBACK, 8), 0);
        CHECK_INT(store_count(it.disk, ROW_MESSAGE, "s"), 2);
        peer_close(other);
        scene_close(&it);
    }
}

static void both_of_two_stores_must_complete(void) {
    scene it = scene_open();
    store* mirror = store_new();
    comqtt_hooks table = store_table();
    make_offline(&it, "s", "q/#");
    CHECK_OK(comqtt_server_add_hook(it.server, &table, mirror, NULL, NULL, NULL));
    hold(&it);
    atomic_store(&mirror->hold, true);
    publish(it.publisher, "q/1", 1, 1);
    EVENTUALLY(store_held(mirror) == 1);
    commit(&it);
    CHECK(peer_ping(it.bystander));
    CHECK(peer_read(it.publisher, 0) == NULL);
    store_finish(mirror, COMQTT_OK, "");
    CHECK_INT(expect_ack(it.publisher, COMQTT_PUBACK, 1), 0);
    publish(it.publisher, "q/1", 1, 2);
    EVENTUALLY(store_held(mirror) == 1);
    store_finish(mirror, COMQTT_ERR_STORAGE, "no more paper");
    CHECK(held_back(&it, it.publisher));
    commit(&it);
    CHECK_INT(expect_ack(it.publisher, COMQTT_PUBACK, 2), COMQTT_REASON_IMPLEMENTATION_SPECIFIC_ERROR);
    scene_close(&it);
    store_free(mirror);
}

int main(void) {
    RUN(puback_waits_until_the_batch_is_complete);
    RUN(acknowledgements_keep_their_order);
    RUN(a_failed_batch_is_told_to_its_publisher);
    RUN(what_is_no_answer_is_a_failure);
    RUN(a_new_session_and_its_subscriptions_wait);
    RUN(a_session_that_cannot_be_stored_is_not_made);
    RUN(each_step_of_qos_2_waits);
    RUN(what_is_not_stored_does_not_wait);
    RUN(qos_1_goes_to_its_receiver_before_it_is_stored);
    RUN(trouble_that_is_reported_refuses_until_a_batch_is_committed);
    RUN(both_of_two_stores_must_complete);
    return check_summary();
}
