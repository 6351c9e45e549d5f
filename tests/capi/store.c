#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

static void copy(char* to, size_t capacity, comqtt_str from) {
    size_t len = from.len < capacity - 1 ? from.len : capacity - 1;
    if (len) memcpy(to, from.ptr, len);
    to[len] = 0;
}

static row* find(store* it, row_kind kind, comqtt_str client, comqtt_str text, uint64_t position,
                 uint16_t packet_id) {
    row wanted;
    copy(wanted.client, sizeof wanted.client, client);
    copy(wanted.text, sizeof wanted.text, text);
    for (size_t i = 0; i < it->count; ++i) {
        row* each = &it->rows[i];
        if (each->kind != kind || strcmp(each->client, wanted.client) != 0) continue;
        if (text.ptr && strcmp(each->text, wanted.text) != 0) continue;
        if (position && each->position != position) continue;
        if (kind == ROW_RECEIVED && each->packet_id != packet_id) continue;
        return each;
    }
    return NULL;
}

static row* make(store* it, row_kind kind, comqtt_str client, comqtt_str text) {
    row* made = find(it, kind, client, text, kind == ROW_MESSAGE ? UINT64_MAX : 0, 0);
    if (!made) {
        if (it->count == STORE_ROWS) exit(2);
        made = &it->rows[it->count++];
    } else {
        comqtt_packet_release(made->packet);
    }
    memset(made, 0, sizeof *made);
    made->kind = kind;
    copy(made->client, sizeof made->client, client);
    copy(made->text, sizeof made->text, text);
    return made;
}

static void take_out(store* it, row* gone) {
    if (!gone) return;
    comqtt_packet_release(gone->packet);
    memmove(gone, gone + 1, (size_t)(it->rows + it->count - (gone + 1)) * sizeof *gone);
    --it->count;
}

static void save_message(row* to, const comqtt_stored_message* from) {
    to->packet = comqtt_packet_retain(from->packet);
    to->position = from->position;
    to->state = from->state;
    to->packet_id = comqtt_packet_id(from->packet);
    to->created_ms = from->created_unix_ms;
    copy(to->origin, sizeof to->origin, from->origin);
    copy(to->share, sizeof to->share, from->share);
}

static void save_session(row* to, const comqtt_stored_client* from) {
    to->expiry_s = from->session_expiry_s;
    to->disconnected_ms = from->disconnected_unix_ms;
    to->packet = comqtt_packet_retain(from->will);
    to->will_due_ms = from->will_due_unix_ms;
    to->will_delay_s = from->will_delay_s;
}

static void save_subscription(row* to, const comqtt_stored_subscription* from) {
    to->qos = from->qos;
    to->no_local = from->no_local;
    to->retain_as_published = from->retain_as_published;
    to->identifier = from->identifier;
}

static void remove_session(store* it, comqtt_str client) {
    char id[64];
    copy(id, sizeof id, client);
    for (size_t i = it->count; i-- > 0;)
        if (it->rows[i].kind <= ROW_RECEIVED && strcmp(it->rows[i].client, id) == 0)
            take_out(it, &it->rows[i]);
}

static void apply(store* it, const comqtt_change* change) {
    const comqtt_str none = {NULL, 0};
    const comqtt_str id = change->client_id;
    row* at;
    switch (change->kind) {
        case COMQTT_CHANGE_SESSION_SAVED:
            save_session(make(it, ROW_SESSION, id, none), change->session);
            return;
        case COMQTT_CHANGE_SESSION_REMOVED: remove_session(it, id); return;
        case COMQTT_CHANGE_SUBSCRIPTION_SAVED:
            save_subscription(make(it, ROW_SUBSCRIPTION, id, change->subscription->filter),
                              change->subscription);
            return;
        case COMQTT_CHANGE_SUBSCRIPTION_REMOVED:
            take_out(it, find(it, ROW_SUBSCRIPTION, id, change->text, 0, 0));
            return;
        case COMQTT_CHANGE_MESSAGE_QUEUED:
            save_message(make(it, ROW_MESSAGE, id, none), change->message);
            return;
        case COMQTT_CHANGE_MESSAGE_SENT:
        case COMQTT_CHANGE_MESSAGE_RELEASED:
            at = find(it, ROW_MESSAGE, id, none, change->position, 0);
            if (!at) return;
            at->state =
                change->kind == COMQTT_CHANGE_MESSAGE_SENT ? COMQTT_STORED_SENT : COMQTT_STORED_RELEASED;
            if (change->packet_id) at->packet_id = change->packet_id;
            return;
        case COMQTT_CHANGE_MESSAGE_REMOVED:
            take_out(it, find(it, ROW_MESSAGE, id, none, change->position, 0));
            return;
        case COMQTT_CHANGE_RECEIVED_ADDED:
            make(it, ROW_RECEIVED, id, none)->packet_id = change->packet_id;
            return;
        case COMQTT_CHANGE_RECEIVED_REMOVED:
            take_out(it, find(it, ROW_RECEIVED, id, none, 0, change->packet_id));
            return;
        case COMQTT_CHANGE_RETAINED_SAVED:
            save_message(make(it, ROW_RETAINED, none, comqtt_packet_topic(change->message->packet)),
                         change->message);
            return;
        case COMQTT_CHANGE_RETAINED_REMOVED:
            take_out(it, find(it, ROW_RETAINED, none, change->text, 0, 0));
            return;
        case COMQTT_CHANGE_CLIENT_BLOCKED: make(it, ROW_BLOCKED, id, none); return;
        case COMQTT_CHANGE_CLIENT_UNBLOCKED: take_out(it, find(it, ROW_BLOCKED, id, none, 0, 0)); return;
        default: printf("a change of the unknown kind %d\n", change->kind); exit(2);
    }
}

static void apply_all(store* it, const comqtt_changes* changes) {
    comqtt_change change = comqtt_change_init();
    for (size_t i = 0; comqtt_changes_at(changes, i, &change) == COMQTT_OK; ++i) apply(it, &change);
}

static comqtt_status store_changes(void* user, comqtt_event* event, comqtt_changes* changes) {
    store* it = user;
    comqtt_status answer = atomic_load(&it->answer);
    comqtt_change change = comqtt_change_init();
    (void)event;
    pthread_mutex_lock(&it->mutex);
    for (size_t i = 0; comqtt_changes_at(changes, i, &change) == COMQTT_OK; ++i)
        if (change.kind > 0 && change.kind < STORE_KINDS) atomic_fetch_add(&it->seen[change.kind], 1);
    if (atomic_load(&it->drop)) {
        answer = COMQTT_PENDING;
    } else if (atomic_load(&it->hold)) {
        if (it->held == STORE_HELD) exit(2);
        it->held_changes[it->held++] = comqtt_changes_retain(changes);
        answer = COMQTT_PENDING;
    } else if (answer == COMQTT_OK) {
        apply_all(it, changes);
    }
    atomic_fetch_add(&it->batches, 1);
    pthread_mutex_unlock(&it->mutex);
    return answer;
}

comqtt_hooks store_table(void) {
    comqtt_hooks table = comqtt_hooks_init();
    table.id = "store";
    table.store_changes = store_changes;
    store_fill_table(&table);
    return table;
}

store* store_new(void) {
    store* it = calloc(1, sizeof *it);
    if (!it) exit(2);
    pthread_mutex_init(&it->mutex, NULL);
    return it;
}

void store_free(store* it) {
    for (size_t i = 0; i < it->count; ++i) comqtt_packet_release(it->rows[i].packet);
    for (size_t i = 0; i < it->held; ++i) comqtt_changes_release(it->held_changes[i]);
    for (size_t i = 0; i < it->held_load_count; ++i) comqtt_load_release(it->held_loads[i]);
    pthread_mutex_destroy(&it->mutex);
    free(it);
}

comqtt_server* store_server(store* it, comqtt_options* options) {
    comqtt_hooks table = store_table();
    comqtt_server* server = NULL;
    comqtt_error* error = NULL;
    if (!options) options = test_options(true);
    if (comqtt_server_new(options, &server, &error) != COMQTT_OK ||
        comqtt_server_add_hook(server, &table, it, NULL, NULL, &error) != COMQTT_OK ||
        comqtt_server_add_allow_all(server, NULL, &error) != COMQTT_OK ||
        comqtt_server_start(server, &error) != COMQTT_OK) {
        printf("cannot go on: %s\n", comqtt_error_message(error).ptr);
        exit(2);
    }
    comqtt_options_free(options);
    return server;
}

size_t store_held(store* it) {
    size_t held;
    pthread_mutex_lock(&it->mutex);
    held = it->held;
    pthread_mutex_unlock(&it->mutex);
    return held;
}

size_t store_held_loads(store* it) {
    size_t held;
    pthread_mutex_lock(&it->mutex);
    held = it->held_load_count;
    pthread_mutex_unlock(&it->mutex);
    return held;
}

size_t store_finish(store* it, comqtt_status status, const char* why) {
    size_t held;
    pthread_mutex_lock(&it->mutex);
    held = it->held;
    for (size_t i = 0; i < held; ++i) {
        if (status == COMQTT_OK) apply_all(it, it->held_changes[i]);
        comqtt_changes_complete(it->held_changes[i], status, comqtt_str_of(why));
        comqtt_changes_release(it->held_changes[i]);
    }
    it->held = 0;
    pthread_mutex_unlock(&it->mutex);
    return held;
}

size_t store_finish_loads(store* it, comqtt_status status) {
    size_t held;
    pthread_mutex_lock(&it->mutex);
    held = it->held_load_count;
    for (size_t i = 0; i < held; ++i) {
        comqtt_status filled = status == COMQTT_OK ? store_fill(it, it->held_loads[i]) : status;
        comqtt_load_complete(it->held_loads[i], filled, comqtt_str_of("held"));
        comqtt_load_release(it->held_loads[i]);
    }
    it->held_load_count = 0;
    pthread_mutex_unlock(&it->mutex);
    return held;
}

comqtt_status store_report(store* it, comqtt_status status, const char* why) {
    comqtt_status answer;
    pthread_mutex_lock(&it->mutex);
    answer = comqtt_changes_report(it->held ? it->held_changes[0] : NULL, status, comqtt_str_of(why));
    pthread_mutex_unlock(&it->mutex);
    return answer;
}

bool store_is_offline(store* it, const char* client) {
    const comqtt_str none = {NULL, 0};
    const row* found;
    bool offline;
    pthread_mutex_lock(&it->mutex);
    found = find(it, ROW_SESSION, comqtt_str_of(client), none, 0, 0);
    offline = found && found->disconnected_ms;
    pthread_mutex_unlock(&it->mutex);
    return offline;
}

size_t store_count(store* it, row_kind kind, const char* client) {
    size_t count = 0;
    pthread_mutex_lock(&it->mutex);
    for (size_t i = 0; i < it->count; ++i)
        if (it->rows[i].kind == kind && (!client || strcmp(it->rows[i].client, client) == 0)) ++count;
    pthread_mutex_unlock(&it->mutex);
    return count;
}
