/* The journal of file_store.c. Its entries are the changes of the stored state; those that still count are that state.
 * Native byte order. */
#ifndef COMQTT_EXAMPLES_JOURNAL_H
#define COMQTT_EXAMPLES_JOURNAL_H

#include <comqtt.h>
#include <stdio.h>

typedef struct entry {
    uint32_t size;         /* with the texts behind it */
    uint32_t sum;          /* of all that follows */
    int32_t kind;          /* comqtt_change_kind */
    uint32_t number;       /* session: expiry interval; subscription: identifier */
    uint32_t will_delay_s; /* session */
    uint16_t packet_id;
    uint8_t options; /* subscription: as in SUBSCRIBE; message: comqtt_stored_state; session: version */
    uint8_t unused;
    uint64_t position;
    int64_t time_ms; /* session: disconnected; message: created */
    int64_t will_due_ms;
    uint32_t client, text, origin, packet; /* sizes of the texts, which follow in this order */
} entry;

/* Entries in memory, in the order of the journal. */
typedef struct node {
    struct node* next;
    entry head; /* and its texts */
} node;

typedef struct entries {
    node* first;
} entries;

/* Applies the journal from its beginning to the first entry that is not whole: what a crash left unfinished was never
 * acknowledged. False when memory or the file fails. */
bool entries_read(entries* it, FILE* file);
bool entries_write(const entries* it, FILE* to);
/* Hands the entries of a kind to the server that starts. */
comqtt_status entries_give(const entries* it, comqtt_change_kind kind, comqtt_sink* sink);
void entries_clear(entries* it);

/* Appends a change. */
bool journal_write_change(FILE* to, const comqtt_change* change);

#endif
