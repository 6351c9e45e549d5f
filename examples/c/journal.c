#include "journal.h"

#include <stdlib.h>
#include <string.h>

static const char* entry_client(const entry* it) { return (const char*)(it + 1); }
static const char* entry_text(const entry* it) { return entry_client(it) + it->client; }
static const char* entry_origin(const entry* it) { return entry_text(it) + it->text; }
static const char* entry_packet(const entry* it) { return entry_origin(it) + it->origin; }

static uint32_t entry_sum(const entry* it) {
    const unsigned char* bytes = (const unsigned char*)&it->kind;
    uint32_t sum = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < it->size - offsetof(entry, kind); ++i) sum = (sum ^ bytes[i]) * 16777619u;
    return sum;
}

/* Whether a change replaces or ends what an entry says. */
static bool entry_ends(const entry* change, const entry* it) {
    static const int32_t kKinds[15] = {
        [COMQTT_CHANGE_SESSION_SAVED] = COMQTT_CHANGE_SESSION_SAVED,
        [COMQTT_CHANGE_SUBSCRIPTION_SAVED] = COMQTT_CHANGE_SUBSCRIPTION_SAVED,
        [COMQTT_CHANGE_SUBSCRIPTION_REMOVED] = COMQTT_CHANGE_SUBSCRIPTION_SAVED,
        [COMQTT_CHANGE_MESSAGE_REMOVED] = COMQTT_CHANGE_MESSAGE_QUEUED,
        [COMQTT_CHANGE_RECEIVED_ADDED] = COMQTT_CHANGE_RECEIVED_ADDED,
        [COMQTT_CHANGE_RECEIVED_REMOVED] = COMQTT_CHANGE_RECEIVED_ADDED,
        [COMQTT_CHANGE_RETAINED_SAVED] = COMQTT_CHANGE_RETAINED_SAVED,
        [COMQTT_CHANGE_RETAINED_REMOVED] = COMQTT_CHANGE_RETAINED_SAVED,
        [COMQTT_CHANGE_CLIENT_BLOCKED] = COMQTT_CHANGE_CLIENT_BLOCKED,
        [COMQTT_CHANGE_CLIENT_UNBLOCKED] = COMQTT_CHANGE_CLIENT_BLOCKED};
    if (it->client != change->client || memcmp(entry_client(it), entry_client(change), it->client) != 0)
        return false;
    if (change->kind == COMQTT_CHANGE_SESSION_REMOVED)
        return it->kind != COMQTT_CHANGE_RETAINED_SAVED && it->kind != COMQTT_CHANGE_CLIENT_BLOCKED;
    if (change->kind < 0 || change->kind >= 15 || it->kind != kKinds[change->kind]) return false;
    if (it->kind == COMQTT_CHANGE_MESSAGE_QUEUED) return it->position == change->position;
    if (it->kind == COMQTT_CHANGE_RECEIVED_ADDED) return it->packet_id == change->packet_id;
    return it->text == change->text && memcmp(entry_text(it), entry_text(change), it->text) == 0;
}

/* Moves the state on by one entry, which is copied. */
static bool apply(entries* it, const entry* change) {
    node** at = &it->first;
    node* made;
    while (*at) {
        node* each = *at;
        if ((change->kind == COMQTT_CHANGE_MESSAGE_SENT || change->kind == COMQTT_CHANGE_MESSAGE_RELEASED) &&
            each->head.kind == COMQTT_CHANGE_MESSAGE_QUEUED && each->head.position == change->position &&
            each->head.client == change->client &&
            memcmp(entry_client(&each->head), entry_client(change), change->client) == 0) {
            const bool sent = change->kind == COMQTT_CHANGE_MESSAGE_SENT;
            each->head.options = sent ? COMQTT_STORED_SENT : COMQTT_STORED_RELEASED;
            if (sent) each->head.packet_id = change->packet_id;
            each->head.sum = entry_sum(&each->head);
        }
        if (!entry_ends(change, &each->head)) {
            at = &each->next;
            continue;
        }
        *at = each->next;
        free(each);
    }
    switch (change->kind) {
        case COMQTT_CHANGE_SESSION_SAVED:
        case COMQTT_CHANGE_SUBSCRIPTION_SAVED:
        case COMQTT_CHANGE_MESSAGE_QUEUED:
        case COMQTT_CHANGE_RECEIVED_ADDED:
        case COMQTT_CHANGE_RETAINED_SAVED:
        case COMQTT_CHANGE_CLIENT_BLOCKED: break;
        default: return true;
    }
    made = malloc(offsetof(node, head) + change->size);
    if (!made) return false;
    memcpy(&made->head, change, change->size);
    made->next = NULL;
    *at = made;
    return true;
}

void entries_clear(entries* it) {
    while (it->first) {
        node* each = it->first;
        it->first = each->next;
        free(each);
    }
}

bool entries_read(entries* it, FILE* file) {
    entry* change = NULL;
    entry head;
    bool fine = true;
    while (fine && fread(&head, sizeof head, 1, file) == 1 && head.size >= sizeof head &&
           head.size < 1u << 29 &&
           head.size == sizeof head + (uint64_t)head.client + head.text + head.origin + head.packet) {
        entry* grown = realloc(change, head.size);
        if (!grown) {
            fine = false;
            break;
        }
        change = grown;
        *change = head;
        if (fread(change + 1, 1, head.size - sizeof head, file) != head.size - sizeof head) break;
        if (entry_sum(change) != head.sum) break;
        fine = apply(it, change);
    }
    free(change);
    return fine && !ferror(file);
}

/* Fills in sizes and sum. */
static bool entry_write(FILE* to, entry head, comqtt_str client, comqtt_str text, comqtt_str origin,
                        comqtt_bytes packet) {
    const size_t size = sizeof head + client.len + text.len + origin.len + packet.len;
    entry* whole = calloc(1, size);
    char* at = (char*)(whole + 1);
    bool fine;
    if (!whole) return false;
    *whole = head;
    whole->size = (uint32_t)size;
    whole->client = (uint32_t)client.len;
    whole->text = (uint32_t)text.len;
    whole->origin = (uint32_t)origin.len;
    whole->packet = (uint32_t)packet.len;
    if (client.len) at = (char*)memcpy(at, client.ptr, client.len) + client.len;
    if (text.len) at = (char*)memcpy(at, text.ptr, text.len) + text.len;
    if (origin.len) at = (char*)memcpy(at, origin.ptr, origin.len) + origin.len;
    if (packet.len) memcpy(at, packet.ptr, packet.len);
    whole->sum = entry_sum(whole);
    fine = fwrite(whole, size, 1, to) == 1;
    free(whole);
    return fine;
}

/* The wire form; one that has no packet id yet gets one, which is not looked at again. To be freed. */
static bool encode(const comqtt_packet* packet, uint8_t** out, size_t* out_len) {
    comqtt_packet* copy = NULL;
    bool fine = comqtt_packet_clone(packet, &copy) == COMQTT_OK;
    if (fine && comqtt_packet_id(copy) == 0) comqtt_packet_set_id(copy, 1);
    fine = fine && comqtt_packet_encode(copy, NULL, 0, out_len) == COMQTT_OK &&
           (*out = malloc(*out_len)) != NULL &&
           comqtt_packet_encode(copy, *out, *out_len, out_len) == COMQTT_OK;
    comqtt_packet_release(copy);
    return fine;
}

bool journal_write_change(FILE* to, const comqtt_change* change) {
    const comqtt_packet* packet = NULL;
    comqtt_str text = change->text;
    comqtt_str origin = {NULL, 0};
    uint8_t* wire = NULL;
    size_t len = 0;
    bool fine;
    entry head;
    memset(&head, 0, sizeof head);
    head.kind = change->kind;
    head.packet_id = change->packet_id;
    head.position = change->position;
    if (change->session) {
        packet = change->session->will;
        head.number = change->session->session_expiry_s;
        head.options = change->session->version;
        head.time_ms = change->session->disconnected_unix_ms;
        head.will_due_ms = change->session->will_due_unix_ms;
        head.will_delay_s = change->session->will_delay_s;
    } else if (change->subscription) {
        const comqtt_stored_subscription* from = change->subscription;
        text = from->filter;
        head.number = from->identifier;
        head.options = (uint8_t)(from->qos | from->no_local << 2 | from->retain_as_published << 3 |
                                 from->retain_handling << 4);
    } else if (change->message) {
        packet = change->message->packet;
        text = change->message->client_id.ptr ? change->message->share : comqtt_packet_topic(packet);
        origin = change->message->origin;
        head.options = (uint8_t)change->message->state;
        head.time_ms = change->message->created_unix_ms;
    }
    fine = !packet || encode(packet, &wire, &len);
    fine = fine && entry_write(to, head, change->client_id, text, origin, comqtt_bytes_of(wire, len));
    free(wire);
    return fine;
}

static comqtt_packet* decode(const entry* from) {
    comqtt_packet* packet = NULL;
    if (from->kind == COMQTT_CHANGE_RECEIVED_ADDED) {
        comqtt_packet_new(COMQTT_PUBLISH, COMQTT_MQTT_5, &packet);
        comqtt_packet_set_qos(packet, 2);
    } else if (from->packet) {
        comqtt_packet_decode(comqtt_bytes_of(entry_packet(from), from->packet), COMQTT_MQTT_5,
                             COMQTT_FROM_SERVER, &packet, NULL, NULL);
    }
    if (packet) comqtt_packet_set_id(packet, from->packet_id);
    return packet;
}

static comqtt_str str(const char* text, uint32_t len) {
    const comqtt_str view = {text, len};
    return view;
}

static comqtt_status add_client(comqtt_sink* sink, const entry* from) {
    comqtt_stored_client record = comqtt_stored_client_init();
    comqtt_packet* will = decode(from);
    comqtt_status status;
    record.id = str(entry_client(from), from->client);
    record.version = from->options;
    record.session_expiry_s = from->number;
    record.disconnected_unix_ms = from->time_ms;
    record.will = will;
    record.will_due_unix_ms = from->will_due_ms;
    record.will_delay_s = from->will_delay_s;
    status = comqtt_sink_add_client(sink, &record, NULL);
    comqtt_packet_release(will);
    return status;
}

static comqtt_status add_subscription(comqtt_sink* sink, const entry* from) {
    comqtt_stored_subscription record = comqtt_stored_subscription_init();
    record.client_id = str(entry_client(from), from->client);
    record.filter = str(entry_text(from), from->text);
    record.qos = from->options & 3;
    record.no_local = (from->options & 4) != 0;
    record.retain_as_published = (from->options & 8) != 0;
    record.retain_handling = from->options >> 4;
    record.identifier = from->number;
    return comqtt_sink_add_subscription(sink, &record, NULL);
}

static comqtt_status add_message(comqtt_sink* sink, const entry* from) {
    comqtt_stored_message record = comqtt_stored_message_init();
    comqtt_packet* packet = decode(from);
    comqtt_status status;
    if (from->kind != COMQTT_CHANGE_RETAINED_SAVED) {
        record.client_id = str(entry_client(from), from->client);
        record.share = str(entry_text(from), from->text);
    }
    record.state = from->kind == COMQTT_CHANGE_RECEIVED_ADDED ? COMQTT_STORED_RECEIVED : from->options;
    record.packet = packet;
    record.origin = str(entry_origin(from), from->origin);
    record.created_unix_ms = from->time_ms;
    record.position = from->position;
    status = comqtt_sink_add_message(sink, &record, NULL);
    comqtt_packet_release(packet);
    return status;
}

bool entries_write(const entries* it, FILE* to) {
    for (const node* each = it->first; each; each = each->next)
        if (fwrite(&each->head, each->head.size, 1, to) != 1) return false;
    return true;
}

comqtt_status entries_give(const entries* it, comqtt_change_kind kind, comqtt_sink* sink) {
    comqtt_status status = COMQTT_OK;
    for (const node* each = it->first; each && status == COMQTT_OK; each = each->next) {
        const entry* from = &each->head;
        if (from->kind != kind) continue;
        if (kind == COMQTT_CHANGE_SESSION_SAVED)
            status = add_client(sink, from);
        else if (kind == COMQTT_CHANGE_SUBSCRIPTION_SAVED)
            status = add_subscription(sink, from);
        else if (kind == COMQTT_CHANGE_CLIENT_BLOCKED)
            status = comqtt_sink_add_blocked(sink, str(entry_client(from), from->client), NULL);
        else
            status = add_message(sink, from);
    }
    return status;
}
