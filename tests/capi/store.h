/* A store in memory: it keeps what committed batches say and gives it to the next server. Batches and requests are
 * answered at once, or held until the test answers them. */
#ifndef COMQTT_TESTS_STORE_H
#define COMQTT_TESTS_STORE_H

#include <comqtt.h>
#include <pthread.h>
#include <stdatomic.h>

typedef enum row_kind {
    ROW_SESSION,
    ROW_SUBSCRIPTION, /* text: the filter */
    ROW_MESSAGE,
    ROW_RECEIVED, /* packet_id */
    ROW_RETAINED, /* text: the topic */
    ROW_BLOCKED
} row_kind;

typedef struct row {
    row_kind kind;
    char client[64];
    char text[128];
    char origin[64];
    char share[128];
    uint64_t position;
    uint16_t packet_id;
    comqtt_stored_state state;
    comqtt_packet* packet; /* of a message, or the will */
    int64_t created_ms;
    int64_t disconnected_ms;
    int64_t will_due_ms;
    uint32_t will_delay_s;
    uint32_t expiry_s;
    uint32_t identifier;
    uint8_t qos;
    bool no_local, retain_as_published;
} row;

#define STORE_ROWS 1000
#define STORE_HELD 200
#define STORE_KINDS 15

typedef struct store {
    pthread_mutex_t mutex;
    bool lazy;                     /* sessions come back without messages, load_messages gives them */
    bool shared;                   /* nothing comes back at the start, load_session gives it */
    bool page_of_one;              /* load_messages gives one queued message at a time */
    atomic_bool hold;              /* answer PENDING and wait for store_finish */
    atomic_bool drop;              /* answer PENDING and forget the batch */
    atomic_int answer;             /* to batches, when not held */
    atomic_uint seen[STORE_KINDS]; /* changes by kind */
    atomic_uint batches, pages, sessions_asked;
    size_t count;
    row rows[STORE_ROWS];
    size_t held;
    comqtt_changes* held_changes[STORE_HELD];
    size_t held_load_count;
    comqtt_load* held_loads[STORE_HELD];
} store;

store* store_new(void);
/* After the last server that uses it. */
void store_free(store* it);
/* The table; user = the store. */
comqtt_hooks store_table(void);
/* A server with the store and the options (NULL = one thread, manual clock), running; everyone may do everything. */
comqtt_server* store_server(store* it, comqtt_options* options);

/* Batches that are held. */
size_t store_held(store* it);
size_t store_held_loads(store* it);
/* Completes all that are held, and applies them when the status is COMQTT_OK; gives their number. */
size_t store_finish(store* it, comqtt_status status, const char* why);
size_t store_finish_loads(store* it, comqtt_status status);
/* Reports trouble with the oldest batch that is held. */
comqtt_status store_report(store* it, comqtt_status status, const char* why);
/* A session is there and has no connection. */
bool store_is_offline(store* it, const char* client);
/* How many rows of a kind a client (NULL = any) has. */
size_t store_count(store* it, row_kind kind, const char* client);

/* store_restore.c */
void store_fill_table(comqtt_hooks* table);
/* What the request wants, under the store's lock. */
comqtt_status store_fill(store* it, comqtt_load* load);

#endif
