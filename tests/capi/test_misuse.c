/* NULL, wrong and stale handles, wrong records: a status, never a crash. */
#include "check.h"
#include "peer.h"

/* A sanitizer ends the program on any look at freed memory. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#define REFUSED(call) CHECK_STATUS(call, COMQTT_ERR_INVALID_ARGUMENT)

static void null_handles_are_refused(void) {
    comqtt_listener_config listener = comqtt_listener_config_init();
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_metrics metrics = comqtt_metrics_init();
    comqtt_subscription entry = comqtt_subscription_init();
    comqtt_connect fields = comqtt_connect_init();
    comqtt_packet* packet = NULL;
    comqtt_error* error = NULL;
    uint8_t byte;
    size_t len;
    REFUSED(comqtt_server_new(NULL, NULL, NULL));
    REFUSED(comqtt_server_start(NULL, &error));
    CHECK_STATUS(comqtt_error_status(error), COMQTT_ERR_INVALID_ARGUMENT);
    CHECK(comqtt_error_message(error).len > 0);
    comqtt_error_free(error);
    comqtt_error_free(NULL);
    REFUSED(comqtt_server_run(NULL, NULL));
    REFUSED(comqtt_server_stop(NULL, 0));
    REFUSED(comqtt_server_wait(NULL, 0));
    REFUSED(comqtt_server_advance(NULL, 0));
    REFUSED(comqtt_server_listen(NULL, &listener, NULL));
    REFUSED(comqtt_server_unlisten(NULL, S("x"), false, NULL));
    REFUSED(comqtt_server_add_hook(NULL, &table, NULL, NULL, NULL, NULL));
    REFUSED(comqtt_server_remove_hook(NULL, 1));
    REFUSED(comqtt_server_publish(NULL, S("t"), B(""), 0, false, NULL));
    REFUSED(comqtt_server_metrics(NULL, &metrics));
    REFUSED(comqtt_server_each_client(NULL, NULL, NULL));
    REFUSED(comqtt_pipe_open(NULL, S("p"), S("r"), NULL, NULL));
    REFUSED(comqtt_pipe_write(NULL, B("x")));
    REFUSED(comqtt_pipe_read(NULL, &byte, 1, 0, &len));
    REFUSED(comqtt_pipe_close(NULL));
    REFUSED(comqtt_packet_new(0, COMQTT_MQTT_5, &packet));
    REFUSED(comqtt_packet_new(16, COMQTT_MQTT_5, &packet));
    REFUSED(comqtt_packet_new(COMQTT_PUBLISH, 2, &packet));
    REFUSED(comqtt_packet_new(COMQTT_PUBLISH, COMQTT_MQTT_5, NULL));
    REFUSED(comqtt_packet_clone(NULL, &packet));
    REFUSED(comqtt_packet_set_topic(NULL, S("t")));
    REFUSED(comqtt_packet_add_filter(NULL, &entry));
    REFUSED(comqtt_packet_connect(NULL, &fields));
    REFUSED(comqtt_packet_validate(NULL, COMQTT_FROM_CLIENT, NULL));
    REFUSED(comqtt_packet_encode(NULL, NULL, 0, &len));
    REFUSED(comqtt_client_disconnect(NULL, 0));
    REFUSED(comqtt_client_send(NULL, NULL));
    REFUSED(comqtt_event_fail(NULL, S("x")));
    REFUSED(comqtt_event_set_reason(NULL, 0, S("x")));
    REFUSED(comqtt_deferral_complete(NULL, COMQTT_ALLOW, 0, S("")));
    REFUSED(comqtt_options_clone(NULL, NULL));
    REFUSED(comqtt_options_set(NULL, "threads", S("1"), NULL));
    REFUSED(comqtt_sink_add_client(NULL, NULL, NULL));
    REFUSED(comqtt_sink_add_blocked(NULL, S("x"), NULL));
    REFUSED(comqtt_server_ready(NULL, NULL));
    REFUSED(comqtt_metrics_each(NULL, NULL, NULL));
    CHECK(comqtt_event_defer(NULL) == NULL);
    CHECK(comqtt_event_server(NULL) == NULL);
    CHECK(comqtt_client_id(NULL).ptr == NULL);
    CHECK(comqtt_packet_topic(NULL).ptr == NULL);
    CHECK_INT(comqtt_packet_type(NULL), 0);
    CHECK_INT(comqtt_server_state(NULL), COMQTT_STATE_STOPPED);
    CHECK(comqtt_server_options(NULL) == NULL);
    CHECK(comqtt_packet_retain(NULL) == NULL);
    CHECK(comqtt_client_retain(NULL) == NULL);
    comqtt_server_free(NULL);
    comqtt_options_free(NULL);
    comqtt_client_release(NULL);
    comqtt_packet_release(NULL);
    comqtt_pipe_release(NULL);
    comqtt_deferral_release(NULL);
}

static void null_batches_and_requests_are_refused(void) {
    comqtt_change change = comqtt_change_init();
    comqtt_load_request request = comqtt_load_request_init();
    comqtt_stored_client client = comqtt_stored_client_init();
    comqtt_error* error = NULL;
    CHECK_INT(comqtt_changes_count(NULL), 0);
    CHECK_INT(comqtt_changes_thread(NULL), 0);
    CHECK(comqtt_changes_retain(NULL) == NULL);
    comqtt_changes_release(NULL);
    REFUSED(comqtt_changes_at(NULL, 0, &change));
    REFUSED(comqtt_changes_complete(NULL, COMQTT_OK, S("")));
    REFUSED(comqtt_changes_report(NULL, COMQTT_ERR_STORAGE, S("")));
    CHECK(comqtt_load_retain(NULL) == NULL);
    comqtt_load_release(NULL);
    REFUSED(comqtt_load_read(NULL, &request));
    REFUSED(comqtt_load_add_client(NULL, &client, &error));
    CHECK(comqtt_error_message(error).len > 0);
    comqtt_error_free(error);
    REFUSED(comqtt_load_add_subscription(NULL, NULL, NULL));
    REFUSED(comqtt_load_add_message(NULL, NULL, NULL));
    REFUSED(comqtt_load_complete(NULL, COMQTT_OK, S("")));
}

static void handles_of_another_kind_are_refused(void) {
    comqtt_server* server = plain_server();
    comqtt_options* options = test_options(false);
    comqtt_packet* packet = make_publish(COMQTT_MQTT_5, "t", "", 0, 0);
    REFUSED(comqtt_server_stop((comqtt_server*)(void*)options, 0));
    REFUSED(comqtt_server_stop((comqtt_server*)(void*)packet, 0));
    REFUSED(comqtt_packet_set_qos((comqtt_packet*)(void*)server, 0));
    REFUSED(comqtt_client_disconnect((comqtt_client*)(void*)packet, 0));
    REFUSED(comqtt_client_disconnect((comqtt_client*)(void*)server, 0));
    REFUSED(comqtt_pipe_close((comqtt_pipe*)(void*)options));
    REFUSED(comqtt_deferral_complete((comqtt_deferral*)(void*)packet, 0, 0, S("")));
    REFUSED(comqtt_changes_complete((comqtt_changes*)(void*)packet, 0, S("")));
    REFUSED(comqtt_changes_at((comqtt_changes*)(void*)server, 0, NULL));
    REFUSED(comqtt_load_complete((comqtt_load*)(void*)server, 0, S("")));
    REFUSED(comqtt_load_read((comqtt_load*)(void*)options, NULL));
    CHECK_INT(comqtt_changes_count((comqtt_changes*)(void*)server), 0);
    comqtt_changes_release((comqtt_changes*)(void*)packet);
    comqtt_load_release((comqtt_load*)(void*)server);
    comqtt_server_free((comqtt_server*)(void*)packet);
    comqtt_packet_release((comqtt_packet*)(void*)server);
    CHECK_INT(comqtt_server_state(server), COMQTT_STATE_RUNNING);
    CHECK_STR(comqtt_packet_topic(packet), "t");
    comqtt_packet_release(packet);
    comqtt_options_free(options);
    comqtt_server_free(server);
}

static void freed_handles_are_told_where_memory_permits(void) {
#ifndef SANITIZED
    comqtt_packet* packet = make_publish(COMQTT_MQTT_5, "t", "", 0, 0);
    comqtt_options* options = test_options(false);
    comqtt_packet_release(packet);
    REFUSED(comqtt_packet_set_qos(packet, 0));
    comqtt_options_free(options);
    REFUSED(comqtt_options_set(options, "threads", S("1"), NULL));
#endif
    /* A server that something still points to is always told. */
    comqtt_server* server = plain_server();
    peer* it = peer_connect(server, COMQTT_MQTT_5, "c");
    comqtt_server_free(server);
    CHECK_STATUS(comqtt_server_stop(server, 0), COMQTT_ERR_CLOSED);
    CHECK_STATUS(comqtt_server_publish(server, S("t"), B(""), 0, false, NULL), COMQTT_ERR_CLOSED);
    CHECK_INT(comqtt_server_state(server), COMQTT_STATE_STOPPED);
    comqtt_server_free(server);
    peer_close(it);
}

static void records_say_their_size(void) {
    comqtt_server* server = plain_server();
    comqtt_listener_config listener = {0};
    struct {
        comqtt_listener_config known;
        uint64_t later;
    } newer;
    struct {
        comqtt_metrics known;
        int64_t later;
    } more;
    comqtt_metrics metrics = {0};
    comqtt_error* error = NULL;
    REFUSED(comqtt_server_listen(server, &listener, &error));
    CHECK(strstr(comqtt_error_message(error).ptr, "struct_size") != NULL);
    comqtt_error_free(error);
    memset(&newer, 0, sizeof newer);
    newer.known.struct_size = sizeof newer;
    newer.known.id = S("new");
    newer.known.kind = COMQTT_LISTENER_PIPE;
    CHECK_OK(comqtt_server_listen(server, &newer.known, NULL));
    newer.known.id = S("newer");
    newer.later = 1;
    CHECK_STATUS(comqtt_server_listen(server, &newer.known, NULL), COMQTT_ERR_UNSUPPORTED);
    REFUSED(comqtt_server_metrics(server, &metrics));
    metrics.struct_size = offsetof(comqtt_metrics, uptime_s);
    metrics.uptime_s = -7;
    CHECK_OK(comqtt_server_metrics(server, &metrics));
    CHECK(metrics.time_s > 0);
    CHECK_INT(metrics.uptime_s, -7); /* beyond what the caller has */
    memset(&more, 0xFF, sizeof more);
    more.known.struct_size = sizeof more;
    CHECK_OK(comqtt_server_metrics(server, &more.known));
    CHECK_INT(more.later, 0);
    CHECK_INT(more.known.struct_size, sizeof more);
    comqtt_server_free(server);
}

static void drop_runs_once_also_when_the_call_fails(void) {
    atomic_int dropped = 0;
    comqtt_hooks table = comqtt_hooks_init();
    comqtt_server* server = plain_server();
    table.struct_size = 3;
    REFUSED(comqtt_server_add_hook(server, &table, &dropped, count_drop, NULL, NULL));
    CHECK_INT(dropped, 1);
    REFUSED(comqtt_server_add_hook(NULL, &table, &dropped, count_drop, NULL, NULL));
    CHECK_INT(dropped, 2);
    REFUSED(comqtt_server_subscribe(server, S("t"), 0, 0, NULL, &dropped, count_drop, NULL, NULL));
    CHECK_INT(dropped, 3);
    REFUSED(comqtt_client_set_user(NULL, &dropped, count_drop));
    CHECK_INT(dropped, 4);
    REFUSED(comqtt_options_set_log(NULL, 0, NULL, &dropped, count_drop));
    CHECK_INT(dropped, 5);
    table = comqtt_hooks_init();
    table.flags = 1;
    CHECK_STATUS(comqtt_server_add_hook(server, &table, &dropped, count_drop, NULL, NULL),
                 COMQTT_ERR_UNSUPPORTED);
    CHECK_INT(dropped, 6);
    comqtt_server_free(server);
    CHECK_INT(dropped, 6);
}

static void every_status_has_a_name_and_a_text(void) {
    for (comqtt_status status = COMQTT_PENDING; status >= -23; --status) {
        CHECK(strncmp(comqtt_status_name(status), "COMQTT_", 7) == 0);
        CHECK(strcmp(comqtt_status_name(status), "COMQTT_ERR_UNKNOWN") != 0);
        CHECK(strlen(comqtt_status_text(status)) > 1);
    }
    CHECK(strcmp(comqtt_status_name(COMQTT_ERR_INTERNAL), "COMQTT_ERR_INTERNAL") == 0);
    CHECK(strcmp(comqtt_status_name(-999), "COMQTT_ERR_UNKNOWN") == 0);
    CHECK(strcmp(comqtt_reason_text(COMQTT_REASON_NOT_AUTHORIZED), "Not authorized") == 0);
    CHECK(comqtt_reason_text(0x42) != NULL);
    CHECK_INT(comqtt_version(), COMQTT_VERSION_NUM);
    CHECK(strcmp(comqtt_version_text(), "1.0.0") == 0);
    CHECK(comqtt_has_feature("pipe") && !comqtt_has_feature("tls") && !comqtt_has_feature(NULL));
}

static void topics_can_be_judged(void) {
    CHECK(comqtt_topic_matches(S("a/+/c"), S("a/b/c")));
    CHECK(comqtt_topic_matches(S("a/#"), S("a")));
    CHECK(comqtt_topic_matches(S("$share/g/a/#"), S("a/b")));
    CHECK(!comqtt_topic_matches(S("#"), S("$SYS/x")));
    CHECK(!comqtt_topic_matches(S("a/#/b"), S("a/x/b")));
    CHECK(comqtt_topic_name_is_valid(S("a b/c")));
    CHECK(!comqtt_topic_name_is_valid(S("a/+")));
    CHECK(!comqtt_topic_name_is_valid(S("")));
    CHECK(!comqtt_topic_name_is_valid(S(NULL)));
    CHECK(!comqtt_topic_name_is_valid(S("\xff")));
    CHECK(comqtt_topic_filter_is_valid(S("+/#")));
    CHECK(!comqtt_topic_filter_is_valid(S("$share/g")));
    CHECK(!comqtt_topic_filter_is_valid(S("a+")));
}

int main(void) {
    RUN(null_handles_are_refused);
    RUN(null_batches_and_requests_are_refused);
    RUN(handles_of_another_kind_are_refused);
    RUN(freed_handles_are_told_where_memory_permits);
    RUN(records_say_their_size);
    RUN(drop_runs_once_also_when_the_call_fails);
    RUN(every_status_has_a_name_and_a_text);
    RUN(topics_can_be_judged);
    return check_summary();
}
