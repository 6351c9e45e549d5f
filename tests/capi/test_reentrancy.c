/* Every function that takes a server, or what a server gives out, called from every callback, in every state of the
 * server: what waits answers REENTRANT, nothing hangs. A watchdog names the function, the callback and the state. */
#include <pthread.h>

#include "check.h"
#include "every_call.h"
#include "peer.h"
#include "slot_shapes.h"

/* X(slot, signature) */
#define SLOTS(X)                                 \
    X(on_started, PLAIN)                         \
    X(on_stopped, PLAIN)                         \
    X(on_connect_authenticate, AUTHENTICATE)     \
    X(on_acl_check, ACL)                         \
    X(on_sys_info_tick, TICK)                    \
    X(on_connect, ACTION)                        \
    X(on_session_establish, NOTIFY)              \
    X(on_session_established, NOTIFY)            \
    X(on_disconnect, DISCONNECT)                 \
    X(on_auth_packet, AUTH)                      \
    X(on_packet_read, ACTION)                    \
    X(on_packet_encode, EDIT)                    \
    X(on_packet_sent, SENT)                      \
    X(on_packet_processed, PROCESSED)            \
    X(on_subscribe, EDIT)                        \
    X(on_subscribed, COUNTED)                    \
    X(on_select_subscribers, SELECT)             \
    X(on_unsubscribe, EDIT)                      \
    X(on_unsubscribed, COUNTED)                  \
    X(on_publish, PUBLISH)                       \
    X(on_published, NOTIFY)                      \
    X(on_publish_dropped, NOTIFY)                \
    X(on_retain_message, RETAIN)                 \
    X(on_retain_published, NOTIFY)               \
    X(on_qos_publish, QOS)                       \
    X(on_qos_complete, NOTIFY)                   \
    X(on_qos_dropped, NOTIFY)                    \
    X(on_packet_id_exhausted, NOTIFY)            \
    X(on_will, ACTION)                           \
    X(on_will_sent, NOTIFY)                      \
    X(on_client_expired, CLIENT)                 \
    X(on_retained_expired, TOPIC)                \
    X(stored_clients, STORED)                    \
    X(stored_subscriptions, STORED)              \
    X(stored_inflight_messages, STORED)          \
    X(stored_retained_messages, STORED)          \
    X(stored_sys_info, SYS_INFO)                 \
    X(on_published_with_shared_filters, SHARED)  \
    X(stored_client_by_id, STORED_OF)            \
    X(stored_subscriptions_by_client, STORED_OF) \
    X(stored_inflight_by_client, STORED_OF)      \
    X(stored_retained_by_topic, STORED_OF)       \
    X(store_changes, CHANGES)                    \
    X(load_session, LOAD)                        \
    X(load_messages, LOAD)

/* clang-format off */
#define OTHERS(X) \
    X(init) X(stop) X(message) X(log) X(cancel) X(drop_hook) X(drop_message) X(drop_user) X(visit_clients) \
    X(visit_listeners) X(visit_blocked) X(visit_retained) X(visit_subscriptions)
/* clang-format on */

enum callback {
#define NUMBER(slot, kind) k_##slot,
    SLOTS(NUMBER)
#undef NUMBER
#define NUMBER(name) k_##name,
        OTHERS(NUMBER)
#undef NUMBER
            k_callbacks
};
static const char* const kNames[] = {
#define NAME(slot, kind) #slot,
    SLOTS(NAME)
#undef NAME
#define NAME(name) #name,
        OTHERS(NAME)
#undef NAME
};
static atomic_uint seen[k_callbacks][5];
static const char* const kStates[] = {"new", "starting", "running", "stopping", "stopped"};

/* What the callback under test does beside calling everything. */
enum deed { do_nothing, do_stop, do_free, do_remove, deeds };
static const char* const kDeeds[] = {"nothing", "stop", "free", "remove the hook"};

typedef struct story {
    comqtt_server* server;
    comqtt_client* keeper; /* keeps the handle good after comqtt_server_free */
    _Atomic(comqtt_deferral*) token;
    enum deed deed;
    int target; /* whose deed; -1 = every callback calls everything once a state */
    atomic_bool freed;
    atomic_int dropped;
    atomic_int log_dropped;
    atomic_bool called[k_callbacks][5];
    uint64_t hook;
    uint64_t subscription;
} story;

/* A callback has come. */
static void came(story* it, enum callback which, comqtt_client* client) {
    comqtt_state state;
    if (!it->server || atomic_load(&it->freed)) return;
    state = comqtt_server_state(it->server);
    if (atomic_exchange(&it->called[which][state], true)) return;
    if (it->target >= 0 && it->target != (int)which) return;
    atomic_fetch_add(&seen[which][state], 1);
    atomic_store(&now_callback, kNames[which]);
    atomic_store(&now_state, kStates[state]);
    if (it->target < 0) CHECK_INT(call_everything(it->server, client), 0);
    if (it->deed == do_stop) CALL(comqtt_server_stop, it->server, 0);
    if (it->deed == do_remove) CALL(comqtt_server_remove_hook, it->server, it->hook);
    if (it->deed == do_free && !atomic_exchange(&it->freed, true)) CALL(comqtt_server_free, it->server);
    atomic_store(&now_function, "what follows the callback");
    atomic_fetch_add(&progress, 1);
}

static void cancelled(void* user) { came(user, k_cancel, NULL); }
#define FN(slot, kind) FN_##kind(slot)
SLOTS(FN)

static comqtt_status hook_init(void* user, comqtt_server* server) {
    UNUSED(server);
    came(user, k_init, NULL);
    return COMQTT_OK;
}
static void hook_stop(void* user) { came(user, k_stop, NULL); }

static void on_message(void* user, uint64_t subscription, comqtt_client* client,
                       const comqtt_packet* packet) {
    UNUSED(subscription);
    UNUSED(packet);
    came(user, k_message, client);
}
static void on_log(void* user, const comqtt_log_record* record) {
    UNUSED(record);
    came(user, k_log, NULL);
}
static void hook_dropped(void* user) {
    story* it = user;
    came(it, k_drop_hook, NULL);
    atomic_fetch_add(&it->dropped, 1);
}
static void log_dropped(void* user) { atomic_fetch_add(&((story*)user)->log_dropped, 1); }
static void message_dropped(void* user) { came(user, k_drop_message, NULL); }
static void user_dropped(void* user) { came(user, k_drop_user, NULL); }
static bool visit_client(void* user, comqtt_client* client) {
    came(user, k_visit_clients, client);
    return true;
}
static bool visit_listener(void* user, const comqtt_listener_info* info) {
    UNUSED(info);
    came(user, k_visit_listeners, NULL);
    return true;
}
static bool visit_blocked(void* user, comqtt_str id) {
    UNUSED(id);
    came(user, k_visit_blocked, NULL);
    return true;
}
static bool visit_retained(void* user, const comqtt_packet* packet) {
    UNUSED(packet);
    came(user, k_visit_retained, NULL);
    return true;
}
static bool visit_subscription(void* user, const comqtt_subscription* row) {
    UNUSED(row);
    came(user, k_visit_subscriptions, NULL);
    return true;
}

/* A client that bears everything: sends, and takes what comes until the answer to its PINGREQ, or the end. */
static comqtt_pipe* dial(story* it) {
    comqtt_pipe* pipe = NULL;
    comqtt_pipe_open(it->server, S("outer"), S("outer"), &pipe, NULL);
    return pipe;
}
static void put(comqtt_pipe* pipe, comqtt_packet* packet) {
    uint8_t bytes[500];
    size_t len = 0;
    if (pipe && comqtt_packet_encode(packet, bytes, sizeof bytes, &len) == COMQTT_OK)
        comqtt_pipe_write(pipe, comqtt_bytes_of(bytes, len));
    comqtt_packet_release(packet);
}
static void settle(comqtt_pipe* pipe) {
    comqtt_packet* ping = NULL;
    uint8_t bytes[4000];
    size_t len = 0;
    if (!pipe) return;
    comqtt_packet_new(COMQTT_PINGREQ, COMQTT_MQTT_5, &ping);
    put(pipe, ping);
    for (int i = 0; i < 1000; ++i) {
        const comqtt_status status = comqtt_pipe_read(pipe, bytes, sizeof bytes, 1, &len);
        if (status == COMQTT_ERR_TIMEOUT) continue;
        if (status != COMQTT_OK) return;
        for (size_t k = 0; k + 1 < len; ++k)
            if (bytes[k] == 0xD0 && bytes[k + 1] == 0) return;
    }
}
static void hang_up(comqtt_pipe* pipe) {
    if (!pipe) return;
    comqtt_pipe_close(pipe);
    comqtt_pipe_release(pipe);
}
static comqtt_packet* connect_with(const char* id, bool clean, bool with_will, bool with_auth) {
    comqtt_packet* connect = make_connect(COMQTT_MQTT_5, id);
    comqtt_connect fields = comqtt_connect_init();
    comqtt_packet_connect(connect, &fields);
    fields.clean_start = clean;
    fields.has_will = with_will;
    fields.will_topic = S("will");
    comqtt_packet_set_connect(connect, &fields);
    if (with_auth)
        comqtt_packet_set_prop_str(connect, COMQTT_SECTION_PACKET, COMQTT_PROP_AUTHENTICATION_METHOD, S("m"));
    return connect;
}
static comqtt_packet* filter_packet(comqtt_packet_kind kind, const char* filter) {
    comqtt_packet* packet = NULL;
    comqtt_subscription entry = comqtt_subscription_init();
    comqtt_packet_new(kind, COMQTT_MQTT_5, &packet);
    entry.filter = S(filter);
    entry.qos = 1;
    comqtt_packet_add_filter(packet, &entry);
    comqtt_packet_set_id(packet, 9);
    return packet;
}
static comqtt_packet* kept_for_a_second(void) {
    comqtt_packet* packet = make_publish(COMQTT_MQTT_5, "kept", "x", 0, 0);
    comqtt_packet_set_retain_flag(packet, true);
    comqtt_packet_set_prop_int(packet, COMQTT_SECTION_PACKET, COMQTT_PROP_MESSAGE_EXPIRY_INTERVAL, 1);
    return packet;
}

static void visit_all(story* it) {
    comqtt_server_each_client(it->server, visit_client, it);
    comqtt_server_each_listener(it->server, visit_listener, it);
    comqtt_server_block_client(it->server, S("bad"));
    comqtt_server_each_blocked(it->server, visit_blocked, it);
    comqtt_server_each_retained(it->server, S("#"), visit_retained, it);
}

static void before_the_start(story* it) {
    comqtt_listener_config config = comqtt_listener_config_init();
    uint64_t passing = 0;
    config.id = S("tcp");
    config.kind = COMQTT_LISTENER_TCP;
    config.address = S("127.0.0.1:0");
    comqtt_server_listen(it->server, &config, NULL);
    comqtt_server_subscribe(it->server, S("t"), 1, 0, on_message, it, message_dropped, &it->subscription,
                            NULL);
    comqtt_server_subscribe(it->server, S("u"), 1, 0, on_message, it, message_dropped, &passing, NULL);
    comqtt_server_unsubscribe(it->server, passing);
    visit_all(it);
}

static void while_it_runs(story* it) {
    comqtt_pipe* pipe = dial(it);
    comqtt_client* client = NULL;
    comqtt_packet* packet = NULL;
    comqtt_packet* absent = connect_with("absent", true, false, false);
    put(pipe, connect_with("c", true, true, true));
    settle(pipe);
    put(pipe, filter_packet(COMQTT_SUBSCRIBE, "$share/g/s"));
    put(pipe, filter_packet(COMQTT_SUBSCRIBE, "t"));
    put(pipe, kept_for_a_second());
    put(pipe, filter_packet(COMQTT_SUBSCRIBE, "kept"));
    settle(pipe);
    put(pipe, make_publish(COMQTT_MQTT_5, "s", "x", 0, 0));
    put(pipe, make_publish(COMQTT_MQTT_5, "t", "x", 1, 1));
    settle(pipe);
    put(pipe, make_ack(COMQTT_MQTT_5, COMQTT_PUBACK, 1));
    put(pipe, filter_packet(COMQTT_UNSUBSCRIBE, "kept"));
    settle(pipe);
    if (comqtt_server_client(it->server, S("c"), &client) == COMQTT_OK) {
        comqtt_client_set_user(client, it, user_dropped);
        comqtt_client_set_user(client, NULL, NULL);
        comqtt_client_each_subscription(client, visit_subscription, it);
        comqtt_client_release(client);
    }
    put(pipe, make_publish(COMQTT_MQTT_5, "wait", "x", 0, 0));
    for (int i = 0; i < 50 && !it->token; ++i) sleep_ms(1);
    hang_up(pipe);
    comqtt_packet_set_prop_int(absent, COMQTT_SECTION_PACKET, COMQTT_PROP_SESSION_EXPIRY_INTERVAL, 2);
    pipe = dial(it);
    put(pipe, absent);
    put(pipe, filter_packet(COMQTT_SUBSCRIBE, "q"));
    settle(pipe);
    hang_up(pipe);
    pipe = dial(it);
    put(pipe, connect_with("elsewhere", false, false, false));
    settle(pipe);
    packet = make_publish(COMQTT_MQTT_5, "q", "x", 1, 1);
    for (int i = 0; i < 10; ++i) comqtt_server_publish_packet(it->server, packet, NULL);
    comqtt_packet_release(packet);
    comqtt_server_publish(it->server, S("t"), B("x"), 1, false, NULL);
    settle(pipe);
    visit_all(it);
    for (int i = 0; i < 14; ++i) comqtt_server_advance(it->server, 1000);
    comqtt_deferral_release(it->token);
    comqtt_server_unsubscribe(it->server, it->subscription);
    hang_up(pipe);
}

/* From the making of a server to its end, with everything that calls back. */
static void live(int target, enum deed deed) {
    story* it = calloc(1, sizeof *it);
    atomic_fetch_add(&progress, 1);
    comqtt_options* options = test_options(true);
    comqtt_hooks table = comqtt_hooks_init();
    it->target = target;
    it->deed = deed;
    atomic_store(&now_deed, kDeeds[deed]);
    table.init = hook_init;
    table.stop = hook_stop;
#define FILL(slot, kind) table.slot = slot;
    SLOTS(FILL)
    table.on_connect_authenticate = on_connect_authenticate;
    CHECK_OK(comqtt_options_set_log(options, COMQTT_LOG_DEBUG, on_log, it, log_dropped));
    CHECK_OK(comqtt_options_set_int(options, "sys-topic-resend-interval", 1, NULL));
    CHECK_OK(comqtt_options_set_int(options, "capabilities.maximum-client-writes-pending", 4, NULL));
    CHECK_OK(comqtt_server_new(options, &it->server, NULL));
    comqtt_options_free(options);
    CHECK_OK(comqtt_server_new_inline_client(it->server, S("keeper"), &it->keeper, NULL));
    comqtt_server_add_hook(it->server, &table, it, hook_dropped, &it->hook, NULL);
    comqtt_server_add_allow_all(it->server, NULL, NULL); /* when the hook goes away */
    before_the_start(it);
    comqtt_server_start(it->server, NULL);
    while_it_runs(it);
    comqtt_server_stop(it->server, 0);
    comqtt_server_wait(it->server, -1);
    visit_all(it);
    if (target < 0 || target == k_drop_hook) comqtt_server_remove_hook(it->server, it->hook);
    if (!atomic_exchange(&it->freed, true)) comqtt_server_free(it->server);
    comqtt_client_release(it->keeper);
    for (int i = 0; i < 20000 && !(it->dropped && it->log_dropped); ++i) sleep_ms(1);
    if (!CHECK_INT(it->dropped + it->log_dropped, 2))
        printf("    %s in %s\n", kDeeds[deed], target < 0 ? "every callback" : kNames[target]);
    free(it);
}

static void every_function_may_be_called_in_every_callback(void) {
    static const int kRare[] = {k_on_packet_id_exhausted,
                                k_stored_client_by_id,
                                k_stored_subscriptions_by_client,
                                k_stored_inflight_by_client,
                                k_stored_retained_by_topic,
                                k_load_messages,
                                k_on_publish_dropped,
                                k_log};
    live(-1, do_nothing);
    for (int i = 0; i < k_callbacks; ++i) {
        unsigned count = 0;
        bool rare = false;
        for (int state = 0; state < 5; ++state) count += seen[i][state];
        for (size_t k = 0; k < sizeof kRare / sizeof *kRare; ++k) rare = rare || kRare[k] == i;
        if (!rare && !CHECK(count > 0)) printf("    %s was never called\n", kNames[i]);
    }
}

static void live_once_for_each(enum deed deed) {
    bool came_before[k_callbacks];
    for (int i = 0; i < k_callbacks; ++i) {
        came_before[i] = false;
        for (int state = 0; state < 5; ++state) came_before[i] = came_before[i] || seen[i][state];
    }
    for (int i = 0; i < k_callbacks; ++i)
        if (came_before[i]) live(i, deed);
}

static void a_server_may_be_stopped_in_every_callback(void) { live_once_for_each(do_stop); }
static void a_server_may_be_freed_in_every_callback(void) { live_once_for_each(do_free); }
static void a_hook_may_be_removed_in_every_callback(void) { live_once_for_each(do_remove); }

int main(void) {
    watchdog_start();
    RUN(every_function_may_be_called_in_every_callback);
    RUN(a_server_may_be_stopped_in_every_callback);
    RUN(a_server_may_be_freed_in_every_callback);
    RUN(a_hook_may_be_removed_in_every_callback);
    watchdog_end();
    return check_summary();
}
