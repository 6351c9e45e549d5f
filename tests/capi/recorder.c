#include "recorder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* X(slot, what fills it) */
#define SLOTS(X)                                        \
    X(on_started, on_started)                           \
    X(on_stopped, on_stopped)                           \
    X(on_connect_authenticate, on_connect_authenticate) \
    X(on_acl_check, on_acl_check)                       \
    X(on_sys_info_tick, on_sys_info_tick)               \
    X(on_connect, on_connect)                           \
    X(on_session_establish, on_session_establish)       \
    X(on_session_established, on_session_established)   \
    X(on_disconnect, on_disconnect)                     \
    X(on_auth_packet, on_auth_packet)                   \
    X(on_packet_read, on_packet_read)                   \
    X(on_packet_encode, on_packet_encode)               \
    X(on_packet_sent, on_packet_sent)                   \
    X(on_packet_processed, on_packet_processed)         \
    X(on_subscribe, on_subscribe)                       \
    X(on_subscribed, on_subscribed)                     \
    X(on_select_subscribers, on_select_subscribers)     \
    X(on_unsubscribe, on_unsubscribe)                   \
    X(on_unsubscribed, on_unsubscribed)                 \
    X(on_publish, on_publish)                           \
    X(on_published, on_published)                       \
    X(on_publish_dropped, on_publish_dropped)           \
    X(on_retain_message, on_retain_message)             \
    X(on_retain_published, on_retain_published)         \
    X(on_qos_publish, on_qos_publish)                   \
    X(on_qos_complete, on_qos_complete)                 \
    X(on_qos_dropped, on_qos_dropped)                   \
    X(on_packet_id_exhausted, on_packet_id_exhausted)   \
    X(on_will, on_will)                                 \
    X(on_will_sent, on_will_sent)                       \
    X(on_client_expired, on_client_expired)             \
    X(on_retained_expired, on_retained_expired)         \
    X(stored_clients, stored)                           \
    X(stored_subscriptions, stored)                     \
    X(stored_inflight_messages, stored)                 \
    X(stored_retained_messages, stored)                 \
    X(stored_sys_info, stored_sys_info)                 \
    X(on_published_with_shared_filters, on_shared)      \
    X(stored_client_by_id, stored_of)                   \
    X(stored_subscriptions_by_client, stored_of)        \
    X(stored_inflight_by_client, stored_of)             \
    X(stored_retained_by_topic, stored_of)              \
    X(store_changes, store_changes)                     \
    X(load_session, load)                               \
    X(load_messages, load)

#define NAME(slot, fn) #slot,
const char* const recorder_names[RECORDER_EVENTS] = {SLOTS(NAME)};

static size_t position(const char* event) {
    size_t i = 0;
    while (i < RECORDER_EVENTS && strcmp(recorder_names[i], event) != 0) ++i;
    return i;
}

static void note(void* user, comqtt_event* event, const comqtt_client* client, const char* format, ...) {
    recorder* it = user;
    const char* name = comqtt_event_name(event);
    comqtt_str id = comqtt_client_id(client);
    char detail[128] = "";
    va_list arguments;
    int len;
    size_t at = position(name);
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&it->mutex);
    if (at < RECORDER_EVENTS) ++it->counts[at];
    len = snprintf(it->text + it->used, sizeof it->text - it->used, "%.*s %s%s%s\n", (int)id.len,
                   id.ptr ? id.ptr : "", strncmp(name, "on_", 3) == 0 ? name + 3 : name, detail[0] ? ":" : "",
                   detail);
    if (len > 0 && it->used + (size_t)len < sizeof it->text) it->used += (size_t)len;
    pthread_mutex_unlock(&it->mutex);
}

#define PACKET comqtt_packet_type(packet)

static void on_started(void* u, comqtt_event* e) { note(u, e, NULL, "%s", ""); }
static void on_stopped(void* u, comqtt_event* e) { note(u, e, NULL, "%s", ""); }
static comqtt_verdict on_connect_authenticate(void* u, comqtt_event* e, comqtt_client* c,
                                              const comqtt_packet* packet) {
    note(u, e, c, "%d", PACKET);
    return COMQTT_NEXT;
}
static comqtt_verdict on_acl_check(void* u, comqtt_event* e, comqtt_client* c, comqtt_str topic,
                                   comqtt_access access) {
    note(u, e, c, "%s:%.*s", access == COMQTT_WRITE ? "write" : "read", (int)topic.len, topic.ptr);
    return COMQTT_NEXT;
}
static void on_sys_info_tick(void* u, comqtt_event* e, const comqtt_metrics* m) {
    (void)m;
    note(u, e, NULL, "%s", "");
}
static void on_disconnect(void* u, comqtt_event* e, comqtt_client* c, const comqtt_disconnect* info) {
    note(u, e, c, "%02X%s", info->reason, info->clean ? ":clean" : "");
}
#define ACTION(slot)                                                                               \
    static comqtt_action slot(void* u, comqtt_event* e, comqtt_client* c, comqtt_packet* packet) { \
        note(u, e, c, "%d", PACKET);                                                               \
        return COMQTT_PROCEED;                                                                     \
    }
#define EDIT(slot)                                                                        \
    static void slot(void* u, comqtt_event* e, comqtt_client* c, comqtt_packet* packet) { \
        note(u, e, c, "%d", PACKET);                                                      \
    }
#define NOTIFY(slot)                                                                            \
    static void slot(void* u, comqtt_event* e, comqtt_client* c, const comqtt_packet* packet) { \
        note(u, e, c, "%d", PACKET);                                                            \
    }
ACTION(on_connect)
/* Every authentication succeeds at once. */
static comqtt_action on_auth_packet(void* u, comqtt_event* e, comqtt_client* c, comqtt_packet* packet) {
    note(u, e, c, "%d", PACKET);
    comqtt_packet_set_reason(packet, COMQTT_REASON_SUCCESS);
    return COMQTT_PROCEED;
}
ACTION(on_packet_read)
ACTION(on_publish)
ACTION(on_will)
EDIT(on_packet_encode)
EDIT(on_subscribe)
EDIT(on_unsubscribe)
NOTIFY(on_session_establish)
NOTIFY(on_session_established)
NOTIFY(on_published)
NOTIFY(on_publish_dropped)
NOTIFY(on_retain_published)
NOTIFY(on_qos_complete)
NOTIFY(on_qos_dropped)
NOTIFY(on_packet_id_exhausted)
NOTIFY(on_will_sent)
static void on_packet_sent(void* u, comqtt_event* e, comqtt_client* c, const comqtt_packet* packet,
                           comqtt_bytes b) {
    (void)b;
    note(u, e, c, "%d", PACKET);
}
static void on_packet_processed(void* u, comqtt_event* e, comqtt_client* c, const comqtt_packet* packet,
                                comqtt_reason reason) {
    if (reason)
        note(u, e, c, "%d:%02X", PACKET, reason);
    else
        note(u, e, c, "%d", PACKET);
}
static void on_subscribed(void* u, comqtt_event* e, comqtt_client* c, const comqtt_packet* packet,
                          comqtt_bytes codes, const int32_t* counts, size_t count) {
    (void)packet;
    note(u, e, c, "%d,%d", codes.len ? codes.ptr[0] : -1, count ? (int)counts[0] : -1);
}
static void on_unsubscribed(void* u, comqtt_event* e, comqtt_client* c, const comqtt_packet* packet,
                            comqtt_bytes codes, const int32_t* counts, size_t count) {
    (void)codes;
    (void)counts;
    (void)count;
    note(u, e, c, "%d", PACKET);
}
static void on_select_subscribers(void* u, comqtt_event* e, comqtt_selection* selection,
                                  const comqtt_packet* packet) {
    (void)packet;
    note(u, e, NULL, "%d", (int)comqtt_selection_count(selection));
}
static void on_retain_message(void* u, comqtt_event* e, comqtt_client* c, const comqtt_packet* packet,
                              int32_t change) {
    (void)packet;
    note(u, e, c, "%d", (int)change);
}
static void on_qos_publish(void* u, comqtt_event* e, comqtt_client* c, const comqtt_packet* packet,
                           int64_t sent, int32_t resends) {
    (void)sent;
    (void)resends;
    note(u, e, c, "%d", PACKET);
}
static void on_client_expired(void* u, comqtt_event* e, comqtt_client* c) { note(u, e, c, "%s", ""); }
static void on_retained_expired(void* u, comqtt_event* e, comqtt_str topic) {
    note(u, e, NULL, "%.*s", (int)topic.len, topic.ptr);
}
static comqtt_status stored(void* u, comqtt_event* e, comqtt_sink* sink) {
    (void)sink;
    note(u, e, NULL, "%s", "");
    return COMQTT_ERR_NOT_FOUND;
}
static comqtt_status stored_sys_info(void* u, comqtt_event* e, comqtt_metrics* m) {
    (void)m;
    note(u, e, NULL, "%s", "");
    return COMQTT_ERR_NOT_FOUND;
}
static comqtt_status stored_of(void* u, comqtt_event* e, comqtt_str key, comqtt_sink* sink) {
    (void)sink;
    note(u, e, NULL, "%.*s", (int)key.len, key.ptr);
    return COMQTT_ERR_NOT_FOUND;
}
static comqtt_status store_changes(void* u, comqtt_event* e, comqtt_changes* changes) {
    note(u, e, NULL, "%d", (int)comqtt_changes_count(changes));
    return COMQTT_OK;
}
static comqtt_status load(void* u, comqtt_event* e, comqtt_load* load) {
    comqtt_load_request wanted = comqtt_load_request_init();
    comqtt_load_read(load, &wanted);
    note(u, e, NULL, "%.*s", (int)wanted.client_id.len, wanted.client_id.ptr);
    return COMQTT_ERR_NOT_FOUND;
}
static void on_shared(void* u, comqtt_event* e, const comqtt_packet* packet,
                      const comqtt_selection* selection) {
    (void)packet;
    note(u, e, NULL, "%d", (int)comqtt_selection_count(selection));
}

comqtt_hooks recorder_table_of(const char* event) {
    comqtt_hooks table = comqtt_hooks_init();
    table.id = "recorder";
#define FILL(slot, fn) \
    if (!event || strcmp(event, #slot) == 0) table.slot = fn;
    SLOTS(FILL)
    return table;
}

comqtt_hooks recorder_table(void) { return recorder_table_of(NULL); }

recorder* recorder_new(void) {
    recorder* it = calloc(1, sizeof *it);
    if (!it) exit(2);
    pthread_mutex_init(&it->mutex, NULL);
    return it;
}

void recorder_free(recorder* it) {
    pthread_mutex_destroy(&it->mutex);
    free(it);
}

void recorder_clear(recorder* it) {
    pthread_mutex_lock(&it->mutex);
    it->used = 0;
    it->text[0] = 0;
    pthread_mutex_unlock(&it->mutex);
}

unsigned recorder_count(recorder* it, const char* event) {
    unsigned count;
    size_t at = position(event);
    pthread_mutex_lock(&it->mutex);
    count = at < RECORDER_EVENTS ? it->counts[at] : 0;
    pthread_mutex_unlock(&it->mutex);
    return count;
}

char* recorder_sequence(recorder* it, const char* client, bool wire) {
    char* out = malloc(sizeof it->text);
    size_t used = 0;
    const char* line;
    if (!out) exit(2);
    out[0] = 0;
    pthread_mutex_lock(&it->mutex);
    for (line = it->text; line < it->text + it->used; line = strchr(line, '\n') + 1) {
        const char* space = strchr(line, ' ');
        const char* end = strchr(line, '\n');
        size_t id_len = (size_t)(space - line);
        if (client && (id_len != strlen(client) || memcmp(line, client, id_len) != 0)) continue;
        if (!wire && (strncmp(space, " packet_encode", 14) == 0 || strncmp(space, " packet_sent", 12) == 0))
            continue;
        memcpy(out + used, space + (used ? 0 : 1), (size_t)(end - space) - (used ? 0 : 1));
        used += (size_t)(end - space) - (used ? 0 : 1);
        out[used] = 0;
    }
    pthread_mutex_unlock(&it->mutex);
    return out;
}
