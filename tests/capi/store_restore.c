/* What the store gives back: at the start, and when it is asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "store.h"

static comqtt_stored_client client_of(const row* from) {
    comqtt_stored_client record = comqtt_stored_client_init();
    record.id = comqtt_str_of(from->client);
    record.session_expiry_s = from->expiry_s;
    record.disconnected_unix_ms = from->disconnected_ms;
    record.will = from->packet;
    record.will_due_unix_ms = from->will_due_ms;
    record.will_delay_s = from->will_delay_s;
    return record;
}

static comqtt_stored_subscription subscription_of(const row* from) {
    comqtt_stored_subscription record = comqtt_stored_subscription_init();
    record.client_id = comqtt_str_of(from->client);
    record.filter = comqtt_str_of(from->text);
    record.qos = from->qos;
    record.no_local = from->no_local;
    record.retain_as_published = from->retain_as_published;
    record.identifier = from->identifier;
    return record;
}

/* The packet of the record is to be released. */
static comqtt_stored_message message_of(const row* from) {
    comqtt_stored_message record = comqtt_stored_message_init();
    comqtt_packet* packet = NULL;
    if (from->packet)
        comqtt_packet_clone(from->packet, &packet);
    else
        packet = make_publish(COMQTT_MQTT_5, "received", "", 2, 0);
    comqtt_packet_set_id(packet, from->packet_id);
    record.packet = packet;
    if (from->kind != ROW_RETAINED) record.client_id = comqtt_str_of(from->client);
    record.origin = comqtt_str_of(from->origin);
    record.created_unix_ms = from->created_ms;
    record.state = from->kind == ROW_RECEIVED ? COMQTT_STORED_RECEIVED : from->state;
    record.position = from->position;
    record.share = comqtt_str_of(from->share);
    return record;
}

static bool is_queued(const row* it) { return it->kind == ROW_MESSAGE && it->state == COMQTT_STORED_QUEUED; }
static bool is_in_flight(const row* it) {
    return it->kind == ROW_RECEIVED || (it->kind == ROW_MESSAGE && it->state != COMQTT_STORED_QUEUED);
}

static void count_messages(const store* it, comqtt_stored_client* record) {
    for (size_t i = 0; i < it->count; ++i) {
        const row* each = &it->rows[i];
        if (strlen(each->client) != record->id.len ||
            memcmp(each->client, record->id.ptr, record->id.len) != 0)
            continue;
        if (is_queued(each)) {
            ++record->queued_messages;
            record->queued_bytes += 100;
        }
        if (is_in_flight(each)) ++record->inflight_messages;
        if (each->position > record->last_position) record->last_position = each->position;
    }
}

static comqtt_status stored_clients(void* user, comqtt_event* event, comqtt_sink* sink) {
    store* it = user;
    (void)event;
    for (size_t i = 0; i < it->count; ++i) {
        comqtt_status status = COMQTT_OK;
        if (it->rows[i].kind == ROW_SESSION && !it->shared) {
            comqtt_stored_client record = client_of(&it->rows[i]);
            if (it->lazy) count_messages(it, &record);
            status = comqtt_sink_add_client(sink, &record, NULL);
        } else if (it->rows[i].kind == ROW_BLOCKED) {
            status = comqtt_sink_add_blocked(sink, comqtt_str_of(it->rows[i].client), NULL);
        }
        if (status != COMQTT_OK) return status;
    }
    return COMQTT_OK;
}

static comqtt_status stored_subscriptions(void* user, comqtt_event* event, comqtt_sink* sink) {
    store* it = user;
    (void)event;
    for (size_t i = 0; i < it->count && !it->shared; ++i) {
        comqtt_stored_subscription record = subscription_of(&it->rows[i]);
        if (it->rows[i].kind != ROW_SUBSCRIPTION) continue;
        if (comqtt_sink_add_subscription(sink, &record, NULL) != COMQTT_OK) return COMQTT_ERR_STORAGE;
    }
    return COMQTT_OK;
}

static comqtt_status add_messages(store* it, comqtt_sink* sink, bool retained) {
    for (size_t i = 0; i < it->count; ++i) {
        const row* each = &it->rows[i];
        comqtt_stored_message record;
        comqtt_status status;
        if (retained ? each->kind != ROW_RETAINED : !is_queued(each) && !is_in_flight(each)) continue;
        record = message_of(each);
        status = comqtt_sink_add_message(sink, &record, NULL);
        comqtt_packet_release((comqtt_packet*)record.packet);
        if (status != COMQTT_OK) return status;
    }
    return COMQTT_OK;
}

static comqtt_status stored_inflight(void* user, comqtt_event* event, comqtt_sink* sink) {
    store* it = user;
    (void)event;
    return it->lazy || it->shared ? COMQTT_ERR_NOT_FOUND : add_messages(it, sink, false);
}

static comqtt_status stored_retained(void* user, comqtt_event* event, comqtt_sink* sink) {
    (void)event;
    return add_messages(user, sink, true);
}

static comqtt_status give(comqtt_load* load, const row* from) {
    comqtt_stored_message record = message_of(from);
    comqtt_status status = comqtt_load_add_message(load, &record, NULL);
    comqtt_packet_release((comqtt_packet*)record.packet);
    return status;
}

comqtt_status store_fill(store* it, comqtt_load* load) {
    comqtt_load_request wanted = comqtt_load_request_init();
    comqtt_status status = comqtt_load_read(load, &wanted);
    uint32_t left;
    bool found = false;
    char id[64];
    snprintf(id, sizeof id, "%.*s", (int)wanted.client_id.len, wanted.client_id.ptr);
    left = it->page_of_one ? 1 : wanted.max_messages;
    for (size_t i = 0; i < it->count && status == COMQTT_OK; ++i) {
        const row* each = &it->rows[i];
        if (strcmp(each->client, id) != 0) continue;
        if (each->kind == ROW_SESSION && wanted.session) {
            comqtt_stored_client record = client_of(each);
            count_messages(it, &record);
            found = true;
            status = comqtt_load_add_client(load, &record, NULL);
        } else if (each->kind == ROW_SUBSCRIPTION && wanted.session) {
            comqtt_stored_subscription record = subscription_of(each);
            status = comqtt_load_add_subscription(load, &record, NULL);
        } else if (wanted.after == 0 && is_in_flight(each)) {
            status = give(load, each);
        } else if (is_queued(each) && each->position > wanted.after && left > 0) {
            --left;
            status = give(load, each);
        }
    }
    return status == COMQTT_OK && wanted.session && !found ? COMQTT_ERR_NOT_FOUND : status;
}

static comqtt_status load_records(store* it, comqtt_load* load) {
    comqtt_status answer = COMQTT_PENDING;
    pthread_mutex_lock(&it->mutex);
    if (atomic_load(&it->hold)) {
        if (it->held_load_count == STORE_HELD) exit(2);
        it->held_loads[it->held_load_count++] = comqtt_load_retain(load);
    } else {
        answer = store_fill(it, load);
    }
    pthread_mutex_unlock(&it->mutex);
    return answer;
}

static comqtt_status load_session(void* user, comqtt_event* event, comqtt_load* load) {
    store* it = user;
    (void)event;
    atomic_fetch_add(&it->sessions_asked, 1);
    return it->shared ? load_records(it, load) : COMQTT_ERR_NOT_FOUND;
}

static comqtt_status load_messages(void* user, comqtt_event* event, comqtt_load* load) {
    store* it = user;
    (void)event;
    atomic_fetch_add(&it->pages, 1);
    return load_records(it, load);
}

void store_fill_table(comqtt_hooks* table) {
    table->stored_clients = stored_clients;
    table->stored_subscriptions = stored_subscriptions;
    table->stored_inflight_messages = stored_inflight;
    table->stored_retained_messages = stored_retained;
    table->load_session = load_session;
    table->load_messages = load_messages;
}
