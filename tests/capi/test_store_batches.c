/* What is in a batch, and what its handle answers: early, late, twice, and after the server. */
#include "check.h"
#include "peer.h"
#include "store.h"

typedef struct look {
    comqtt_changes* kept;
    atomic_int kept_count;
    atomic_bool keep;
    comqtt_change_kind wanted; /* the next batch with such a change is kept */
} look;

static comqtt_status look_at(void* user, comqtt_event* event, comqtt_changes* changes) {
    look* it = user;
    comqtt_change change = comqtt_change_init();
    if (!atomic_load(&it->keep)) return COMQTT_OK;
    CHECK(strcmp(comqtt_event_name(event), "store_changes") == 0);
    for (size_t i = 0; i < comqtt_changes_count(changes); ++i) {
        if (!CHECK_OK(comqtt_changes_at(changes, i, &change)) || change.kind != it->wanted) continue;
        it->kept = comqtt_changes_retain(changes);
        atomic_store(&it->keep, false);
        atomic_fetch_add(&it->kept_count, 1);
        return COMQTT_PENDING;
    }
    return COMQTT_OK;
}

static comqtt_server* looking_server(look* it) {
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_server* server = manual_server();
    table.store_changes = look_at;
    CHECK_OK(comqtt_server_add_hook(server, &table, it, NULL, NULL, NULL));
    return server;
}

static void keep_next(look* it, comqtt_change_kind kind) {
    atomic_store(&it->kept_count, 0);
    it->wanted = kind;
    atomic_store(&it->keep, true);
}

/* The first change of a kind in the batch that was kept; it is released by the caller. */
static bool kept_change(look* it, comqtt_change* out) {
    EVENTUALLY(atomic_load(&it->kept_count) == 1);
    if (atomic_load(&it->kept_count) != 1) return false;
    *out = comqtt_change_init();
    for (size_t i = 0; comqtt_changes_at(it->kept, i, out) == COMQTT_OK; ++i)
        if (out->kind == it->wanted) return true;
    return false;
}

static void done(look* it) {
    CHECK_OK(comqtt_changes_complete(it->kept, COMQTT_OK, S("")));
    comqtt_changes_release(it->kept);
}

static peer* open_stored(comqtt_server* server, const char* id) {
    peer* made = peer_open(server, COMQTT_MQTT_5);
    comqtt_packet* packet = make_connect(COMQTT_MQTT_5, id);
    comqtt_connect fields = comqtt_connect_init();
    comqtt_packet_connect(packet, &fields);
    fields.clean_start = false;
    fields.username = S("somebody");
    fields.has_will = true;
    fields.will_topic = S("wills");
    fields.will_payload = B("gone");
    fields.will_qos = 1;
    comqtt_packet_set_connect(packet, &fields);
    comqtt_packet_set_prop_int(packet, COMQTT_SECTION_PACKET, COMQTT_PROP_SESSION_EXPIRY_INTERVAL, 1000);
    comqtt_packet_set_prop_int(packet, COMQTT_SECTION_WILL, COMQTT_PROP_WILL_DELAY_INTERVAL, 30);
    comqtt_packet_set_prop_str(packet, COMQTT_SECTION_WILL, COMQTT_PROP_CONTENT_TYPE, S("text/plain"));
    CHECK_OK(peer_send(made, packet));
    return made;
}

static void a_session_is_shown_with_its_will(void) {
    look seen = {0};
    comqtt_server* server = looking_server(&seen);
    comqtt_change change;
    comqtt_str type = {NULL, 0};
    uint32_t number = 0;
    peer* client;
    keep_next(&seen, COMQTT_CHANGE_SESSION_SAVED);
    client = open_stored(server, "s");
    if (CHECK(kept_change(&seen, &change)) && CHECK(change.session != NULL)) {
        const comqtt_stored_client* session = change.session;
        CHECK_STR(change.client_id, "s");
        CHECK(change.subscription == NULL && change.message == NULL && change.text.ptr == NULL);
        CHECK_INT(session->struct_size, sizeof *session);
        CHECK_STR(session->id, "s");
        CHECK_STR(session->username, "somebody");
        CHECK_STR(session->listener, "pipe");
        CHECK_INT(session->version, COMQTT_MQTT_5);
        CHECK_INT(session->session_expiry_s, 1000);
        CHECK_INT(session->disconnected_unix_ms, 0);
        CHECK_INT(session->will_delay_s, 30);
        CHECK_STR(comqtt_packet_topic(session->will), "wills");
        CHECK_INT(comqtt_packet_qos(session->will), 1);
        CHECK(comqtt_packet_is_frozen(session->will));
        CHECK(comqtt_packet_prop_str(session->will, COMQTT_SECTION_PACKET, COMQTT_PROP_CONTENT_TYPE, &type));
        CHECK_STR(type, "text/plain");
        CHECK(!comqtt_packet_prop_int(session->will, COMQTT_SECTION_PACKET, COMQTT_PROP_WILL_DELAY_INTERVAL,
                                      &number));
    }
    done(&seen);
    CHECK(peer_expects(client, COMQTT_CONNACK));
    peer_close(client);
    comqtt_server_free(server);
}

static void subscribe(peer* it, const char* filter, uint32_t identifier) {
    comqtt_packet* packet = make_subscribe(COMQTT_MQTT_5, filter, 1, 9);
    comqtt_packet_add_subscription_id(packet, identifier);
    CHECK_OK(peer_send(it, packet));
}

static void a_message_is_shown_as_it_is_delivered(void) {
    look seen = {0};
    comqtt_server* server = looking_server(&seen);
    peer* receiver = open_stored(server, "s");
    peer* publisher = peer_connect(server, COMQTT_MQTT_5, "publisher");
    comqtt_packet* packet;
    comqtt_change change;
    comqtt_change again = comqtt_change_init();
    comqtt_pair pair = {0};
    uint32_t number = 0;
    CHECK(peer_expects(receiver, COMQTT_CONNACK));
    keep_next(&seen, COMQTT_CHANGE_SUBSCRIPTION_SAVED);
    subscribe(receiver, "$share/team/t/+", 7);
    if (CHECK(kept_change(&seen, &change)) && CHECK(change.subscription != NULL)) {
        CHECK_STR(change.subscription->client_id, "s");
        CHECK_STR(change.subscription->filter, "$share/team/t/+");
        CHECK_INT(change.subscription->qos, 1);
        CHECK_INT(change.subscription->identifier, 7);
    }
    done(&seen);
    CHECK(peer_expects(receiver, COMQTT_SUBACK));
    peer_close(receiver);
    EVENTUALLY(comqtt_server_client_count(server, true) == 1);

    keep_next(&seen, COMQTT_CHANGE_MESSAGE_QUEUED);
    packet = make_publish(COMQTT_MQTT_5, "t/1", "hello", 2, 3);
    comqtt_packet_set_prop_int(packet, COMQTT_SECTION_PACKET, COMQTT_PROP_MESSAGE_EXPIRY_INTERVAL, 60);
    comqtt_packet_add_user_prop(packet, COMQTT_SECTION_PACKET, S("k"), S("v"));
    CHECK_OK(comqtt_server_advance(server, 1000));
    CHECK_OK(peer_send(publisher, packet));
    if (CHECK(kept_change(&seen, &change)) && CHECK(change.message != NULL)) {
        const comqtt_stored_message* message = change.message;
        CHECK(change.position > 0);
        CHECK(change.message_key > 0);
        CHECK_INT(message->position, change.position);
        CHECK_STR(message->client_id, "s");
        CHECK_STR(message->origin, "publisher");
        CHECK_STR(message->share, "$share/team/t/+");
        CHECK_INT(message->created_unix_ms, comqtt_server_now_unix_ms(server));
        CHECK_STR(comqtt_packet_topic(message->packet), "t/1");
        CHECK(bytes_are(comqtt_packet_payload(message->packet), "hello"));
        CHECK_INT(comqtt_packet_qos(message->packet), 1);
        CHECK_INT(comqtt_packet_id(message->packet), change.packet_id);
        CHECK_INT(comqtt_packet_subscription_id(message->packet, 0), 7);
        CHECK(comqtt_packet_prop_int(message->packet, COMQTT_SECTION_PACKET,
                                     COMQTT_PROP_MESSAGE_EXPIRY_INTERVAL, &number));
        CHECK_INT(number, 60);
        CHECK(comqtt_packet_user_prop(message->packet, COMQTT_SECTION_PACKET, 0, &pair));
        CHECK_STR(pair.value, "v");
        for (size_t i = 0; comqtt_changes_at(seen.kept, i, &again) == COMQTT_OK; ++i)
            if (again.kind == change.kind) CHECK(again.message == message); /* made once */
    }
    done(&seen);
    CHECK(peer_expects(publisher, COMQTT_PUBREC));
    peer_close(publisher);
    comqtt_server_free(server);
}

static void retained_messages_and_blocked_clients_are_changes(void) {
    look seen = {0};
    comqtt_server* server = looking_server(&seen);
    comqtt_change change;
    keep_next(&seen, COMQTT_CHANGE_RETAINED_SAVED);
    CHECK_OK(comqtt_server_publish(server, S("kept"), B("x"), 0, true, NULL));
    if (CHECK(kept_change(&seen, &change)) && CHECK(change.message != NULL)) {
        CHECK(change.client_id.ptr == NULL && change.message->client_id.ptr == NULL);
        CHECK_STR(comqtt_packet_topic(change.message->packet), "kept");
        CHECK(comqtt_packet_retain_flag(change.message->packet));
    }
    done(&seen);
    keep_next(&seen, COMQTT_CHANGE_RETAINED_REMOVED);
    CHECK_OK(comqtt_server_clear_retained(server, S("kept")));
    if (CHECK(kept_change(&seen, &change))) CHECK_STR(change.text, "kept");
    done(&seen);
    keep_next(&seen, COMQTT_CHANGE_CLIENT_BLOCKED);
    CHECK_OK(comqtt_server_block_client(server, S("bad")));
    if (CHECK(kept_change(&seen, &change))) {
        CHECK_STR(change.client_id, "bad");
        CHECK(change.text.ptr == NULL);
    }
    done(&seen);
    keep_next(&seen, COMQTT_CHANGE_CLIENT_UNBLOCKED);
    CHECK_OK(comqtt_server_unblock_client(server, S("bad")));
    if (CHECK(kept_change(&seen, &change))) CHECK_STR(change.client_id, "bad");
    done(&seen);
    comqtt_server_free(server);
}

static void a_batch_answers_misuse_with_a_status(void) {
    look seen = {0};
    comqtt_server* server = looking_server(&seen);
    comqtt_change change = comqtt_change_init();
    struct {
        comqtt_change known;
        uint64_t later;
    } newer;
    size_t count;
    peer* client;
    keep_next(&seen, COMQTT_CHANGE_SESSION_SAVED);
    client = open_stored(server, "s");
    CHECK(kept_change(&seen, &change));
    count = comqtt_changes_count(seen.kept);
    CHECK(count > 0);
    CHECK(comqtt_changes_thread(seen.kept) < 64);
    CHECK_STATUS(comqtt_changes_at(seen.kept, count, &change), COMQTT_ERR_NOT_FOUND);
    CHECK_STATUS(comqtt_changes_at(seen.kept, 0, NULL), COMQTT_ERR_INVALID_ARGUMENT);
    change.struct_size = 0;
    CHECK_STATUS(comqtt_changes_at(seen.kept, 0, &change), COMQTT_ERR_INVALID_ARGUMENT);
    change = comqtt_change_init();
    change.struct_size = offsetof(comqtt_change, client_id);
    change.client_id = S("mine");
    CHECK_OK(comqtt_changes_at(seen.kept, 0, &change));
    CHECK_STR(change.client_id, "mine"); /* beyond what the caller has */
    memset(&newer, 0xFF, sizeof newer);
    newer.known.struct_size = sizeof newer;
    CHECK_OK(comqtt_changes_at(seen.kept, 0, &newer.known));
    CHECK_INT(newer.later, 0);
    CHECK_STATUS(comqtt_load_complete((comqtt_load*)(void*)seen.kept, COMQTT_OK, S("")),
                 COMQTT_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(comqtt_changes_complete(seen.kept, COMQTT_PENDING, S("")), COMQTT_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(comqtt_changes_complete(seen.kept, -24, S("")), COMQTT_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(comqtt_changes_report(seen.kept, COMQTT_OK, S("")), COMQTT_ERR_INVALID_ARGUMENT);
    CHECK_OK(comqtt_changes_complete(seen.kept, COMQTT_OK, S("")));
    CHECK_STATUS(comqtt_changes_complete(seen.kept, COMQTT_OK, S("")), COMQTT_ERR_STATE);
    CHECK_STATUS(comqtt_changes_report(seen.kept, COMQTT_ERR_STORAGE, S("")), COMQTT_ERR_STATE);
    CHECK(peer_expects(client, COMQTT_CONNACK));
    comqtt_changes_release(seen.kept);
    peer_close(client);
    comqtt_server_free(server);
}

static comqtt_status keep_and_say_ok(void* user, comqtt_event* event, comqtt_changes* changes) {
    look* it = user;
    (void)event;
    if (atomic_fetch_add(&it->kept_count, 1) == 0) it->kept = comqtt_changes_retain(changes);
    return COMQTT_OK;
}

static void a_batch_answered_in_its_callback_is_over(void) {
    look seen = {0};
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_server* server = manual_server();
    peer* client;
    table.store_changes = keep_and_say_ok;
    CHECK_OK(comqtt_server_add_hook(server, &table, &seen, NULL, NULL, NULL));
    client = open_stored(server, "s");
    CHECK(peer_expects(client, COMQTT_CONNACK));
    CHECK_STATUS(comqtt_changes_complete(seen.kept, COMQTT_ERR_STORAGE, S("")), COMQTT_ERR_STATE);
    CHECK_STATUS(comqtt_changes_report(seen.kept, COMQTT_ERR_STORAGE, S("")), COMQTT_ERR_STATE);
    comqtt_changes_release(seen.kept);
    peer_close(client);
    comqtt_server_free(server);
}

static void a_batch_outlives_its_server(void) {
    look seen = {0};
    comqtt_server* server = looking_server(&seen);
    comqtt_change change = comqtt_change_init();
    peer* client;
    keep_next(&seen, COMQTT_CHANGE_SESSION_SAVED);
    client = open_stored(server, "s");
    CHECK(kept_change(&seen, &change));
    peer_close(client);
    comqtt_server_free(server);
    CHECK_STR(change.session->username, "somebody");
    CHECK_STR(comqtt_packet_topic(change.session->will), "wills");
    CHECK_STATUS(comqtt_changes_report(seen.kept, COMQTT_ERR_STORAGE, S("")), COMQTT_ERR_CLOSED);
    CHECK_STATUS(comqtt_changes_complete(seen.kept, COMQTT_OK, S("")), COMQTT_ERR_CLOSED);
    CHECK(comqtt_changes_retain(seen.kept) == seen.kept);
    comqtt_changes_release(seen.kept);
    comqtt_changes_release(seen.kept);
}

int main(void) {
    RUN(a_session_is_shown_with_its_will);
    RUN(a_message_is_shown_as_it_is_delivered);
    RUN(retained_messages_and_blocked_clients_are_changes);
    RUN(a_batch_answers_misuse_with_a_status);
    RUN(a_batch_answered_in_its_callback_is_over);
    RUN(a_batch_outlives_its_server);
    return check_summary();
}
