/* What the host can make grow: inline subscriptions, blocked ids, pending verdicts, hooks, clients beside a hook. Each costs the
 * same per item however much there is of it, and nobody else waits. */
#include <pthread.h>

#include "check.h"
#include "peer.h"
#include "scale.h"

static const char* numbered(char* text, const char* prefix, size_t number) {
    snprintf(text, 32, "%s%06zu", prefix, number);
    return text;
}

static void plain_begin(scale* it, size_t size, unsigned threads) {
    (void)size;
    it->server = test_server(scale_options(threads), true);
}
static void plain_end(scale* it) { free(it->state); }

/* ---- inline subscriptions */

static atomic_size_t received;

static void on_message(void* user, uint64_t subscription, comqtt_client* client,
                       const comqtt_packet* packet) {
    (void)user;
    (void)subscription;
    (void)client;
    (void)packet;
    atomic_fetch_add(&received, 1);
}

static size_t subscribe_inline(scale* it, size_t size) {
    uint64_t* numbers = calloc(size, sizeof *numbers);
    char filter[32];
    it->state = numbers;
    for (size_t i = 0; i < size; ++i)
        CHECK_OK(comqtt_server_subscribe(it->server, S(numbered(filter, "inline/", i)), 0, 0, on_message,
                                         NULL, NULL, &numbers[i], NULL));
    return size;
}
static size_t publish_inline(scale* it, size_t size) {
    char topic[32];
    atomic_store(&received, 0);
    for (size_t i = 0; i < size; ++i) {
        comqtt_status status;
        while ((status = comqtt_server_publish(it->server, S(numbered(topic, "inline/", i)), B("x"), 0, false,
                                               NULL)) == COMQTT_ERR_QUEUE_FULL)
            sleep_ms(1);
        CHECK_OK(status);
    }
    while (atomic_load(&received) < size) sleep_ms(1);
    return size;
}
static size_t unsubscribe_inline(scale* it, size_t size) {
    const uint64_t* numbers = it->state;
    for (size_t i = 0; i < size; ++i) CHECK_OK(comqtt_server_unsubscribe(it->server, numbers[i]));
    return size;
}

static void inline_subscriptions(void) {
    static const scale_structure structure = {
        "inline subscriptions",
        plain_begin,
        plain_end,
        {{"subscribe", subscribe_inline}, {"publish", publish_inline}, {"unsubscribe", unsubscribe_inline}}};
    scale_check(&structure);
}

/* ---- blocked client ids */

static size_t block(scale* it, size_t size) {
    char id[32];
    for (size_t i = 0; i < size; ++i)
        CHECK_OK(comqtt_server_block_client(it->server, S(numbered(id, "blocked-", i))));
    return size;
}
static size_t knock(scale* it, size_t size) {
    const size_t count = size / 50;
    char id[32];
    for (size_t i = 0; i < count; ++i) {
        const bool blocked = i % 2;
        uint8_t connack[4] = {0};
        comqtt_pipe* pipe = scale_connect(it->server, numbered(id, blocked ? "blocked-" : "free-", i));
        CHECK(scale_read(pipe, connack, sizeof connack) && connack[0] == 0x20);
        CHECK_INT(connack[3] != 0, blocked);
        comqtt_pipe_release(pipe);
    }
    return count;
}
static size_t unblock(scale* it, size_t size) {
    char id[32];
    for (size_t i = 0; i < size; ++i)
        CHECK_OK(comqtt_server_unblock_client(it->server, S(numbered(id, "blocked-", i))));
    return size;
}

static void blocked_ids(void) {
    static const scale_structure structure = {
        "blocked ids", plain_begin, plain_end, {{"block", block}, {"connect", knock}, {"unblock", unblock}}};
    scale_check(&structure);
}

/* ---- clients that wait for a verdict */

typedef struct pending {
    pthread_mutex_t mutex;
    comqtt_deferral** tokens;
    atomic_size_t count;
    atomic_size_t gone;
    comqtt_pipe** pipes;
    size_t size;
} pending;

static comqtt_verdict authenticate(void* user, comqtt_event* event, comqtt_client* client,
                                   const comqtt_packet* packet) {
    pending* it = user;
    const comqtt_str id = comqtt_client_id(client);
    comqtt_deferral* token;
    (void)packet;
    if (id.len < 4 || memcmp(id.ptr, "wait", 4) != 0) return COMQTT_ALLOW;
    token = comqtt_event_defer(event);
    if (!CHECK(token != NULL)) return COMQTT_DENY;
    pthread_mutex_lock(&it->mutex);
    it->tokens[atomic_fetch_add(&it->count, 1)] = token;
    pthread_mutex_unlock(&it->mutex);
    return COMQTT_VERDICT_PENDING;
}
static comqtt_verdict allow(void* user, comqtt_event* event, comqtt_client* client, comqtt_str topic,
                            comqtt_access access) {
    (void)user;
    (void)event;
    (void)client;
    (void)topic;
    (void)access;
    return COMQTT_ALLOW;
}

static void count_waiting(void* user, comqtt_event* event, comqtt_client* client,
                          const comqtt_disconnect* info) {
    const comqtt_str id = comqtt_client_id(client);
    (void)event;
    (void)info;
    if (id.len >= 4 && memcmp(id.ptr, "wait", 4) == 0) atomic_fetch_add(&((pending*)user)->gone, 1);
}

static void pending_begin(scale* it, size_t size, unsigned threads) {
    comqtt_hooks table = comqtt_hooks_init();
    pending* state = calloc(1, sizeof *state);
    it->state = state;
    pthread_mutex_init(&state->mutex, NULL);
    state->size = size;
    state->tokens = calloc(size, sizeof(comqtt_deferral*));
    state->pipes = calloc(size, sizeof(comqtt_pipe*));
    it->server = test_server(scale_options(threads), false);
    table.on_connect_authenticate = authenticate;
    table.on_acl_check = allow;
    table.on_disconnect = count_waiting;
    CHECK_OK(comqtt_server_add_hook(it->server, &table, state, free, NULL, NULL));
}
static size_t defer(scale* it, size_t size) {
    pending* state = it->state;
    char id[32];
    for (size_t i = 0; i < size; ++i) state->pipes[i] = scale_connect(it->server, numbered(id, "wait-", i));
    while (atomic_load(&state->count) < size) sleep_ms(1);
    return size;
}
static size_t complete(scale* it, size_t size) {
    pending* state = it->state;
    /* the first half in order, the others from the end */
    for (size_t i = 0; i < size; ++i) {
        const size_t at = i < size / 2 ? i : size - 1 - (i - size / 2);
        CHECK_OK(comqtt_deferral_complete(state->tokens[at], COMQTT_ALLOW, 0, S(NULL)));
    }
    for (size_t i = 0; i < size; ++i) {
        uint8_t connack[4] = {0};
        CHECK(scale_read(state->pipes[i], connack, sizeof connack) && connack[3] == 0);
    }
    return size;
}
static size_t disconnect(scale* it, size_t size) {
    pending* state = it->state;
    for (size_t i = 0; i < size; ++i) comqtt_pipe_release(state->pipes[i]);
    while (atomic_load(&state->gone) < size) sleep_ms(1);
    return size;
}
static void pending_end(scale* it) {
    pending* state = it->state;
    CHECK_INT(state->count, state->size);
    free(state->tokens);
    free(state->pipes);
}

static void pending_verdicts(void) {
    static const scale_structure structure = {
        "pending verdicts",
        pending_begin,
        pending_end,
        {{"defer", defer}, {"complete", complete}, {"disconnect", disconnect}}};
    scale_check(&structure);
}

/* ---- hooks: a hundredth of the size, for each is asked about each message */

enum { kChanges = 20, kHookedMessages = 500 };
static atomic_size_t hook_calls;

static void count_call(void* user, comqtt_event* event, comqtt_client* client, const comqtt_packet* packet) {
    (void)user;
    (void)event;
    (void)client;
    (void)packet;
    atomic_fetch_add(&hook_calls, 1);
}

static void hooks_begin(scale* it, size_t size, unsigned threads) {
    plain_begin(it, size, threads);
    it->state = calloc(size / 100, sizeof(uint64_t));
}
static size_t add_hooks(scale* it, size_t size) {
    comqtt_hooks table = comqtt_hooks_init();
    uint64_t* handles = it->state;
    table.on_published = count_call;
    for (size_t i = 0; i < size / 100; ++i)
        CHECK_OK(comqtt_server_add_hook(it->server, &table, NULL, NULL, &handles[i], NULL));
    return size / 100;
}
static size_t remove_hooks(scale* it, size_t size) {
    const uint64_t* handles = it->state;
    for (size_t i = 0; i < size / 100; ++i) CHECK_OK(comqtt_server_remove_hook(it->server, handles[i]));
    return size / 100;
}
static size_t change_hooks(scale* it, size_t size) {
    size_t changes = 0;
    for (int i = 0; i < kChanges; ++i) changes += add_hooks(it, size) + remove_hooks(it, size);
    return changes;
}
static size_t call_hooks(scale* it, size_t size) {
    const size_t calls = kHookedMessages * (size / 100);
    static const uint8_t publish[] = {0x32, 9, 0, 4, 'h', 'o', 'o', 'k', 0, 1, 'x'};
    comqtt_pipe* pipe = scale_connect(it->server, "hooked");
    uint8_t answer[4];
    CHECK(scale_read(pipe, answer, sizeof answer));
    add_hooks(it, size);
    atomic_store(&hook_calls, 0);
    for (int i = 0; i < kHookedMessages; ++i) {
        CHECK_OK(comqtt_pipe_write(pipe, comqtt_bytes_of(publish, sizeof publish)));
        CHECK(scale_read(pipe, answer, sizeof answer) && answer[0] == 0x40);
    }
    while (atomic_load(&hook_calls) < calls) sleep_ms(1);
    remove_hooks(it, size);
    comqtt_pipe_release(pipe);
    return calls;
}

static void many_hooks(void) {
    static const scale_structure structure = {
        "hooks", hooks_begin, plain_end, {{"change", change_hooks}, {"call", call_hooks}}};
    scale_check(&structure);
}

/* ---- clients beside a hook that selects receivers */

typedef struct crowd {
    comqtt_pipe** pipes;
    atomic_size_t selections;
    atomic_size_t gone;
} crowd;

static void on_select(void* user, comqtt_event* event, comqtt_selection* selection,
                      const comqtt_packet* packet) {
    (void)event;
    (void)selection;
    (void)packet;
    atomic_fetch_add(&((crowd*)user)->selections, 1);
}

static void count_crowd(void* user, comqtt_event* event, comqtt_client* client,
                        const comqtt_disconnect* info) {
    const comqtt_str id = comqtt_client_id(client);
    (void)event;
    (void)info;
    if (id.len >= 5 && memcmp(id.ptr, "crowd", 5) == 0) atomic_fetch_add(&((crowd*)user)->gone, 1);
}

static void crowd_begin(scale* it, size_t size, unsigned threads) {
    comqtt_hooks table = comqtt_hooks_init();
    crowd* state = calloc(1, sizeof *state);
    it->state = state;
    state->pipes = calloc(size, sizeof(comqtt_pipe*));
    it->server = test_server(scale_options(threads), true);
    table.on_select_subscribers = on_select;
    table.on_disconnect = count_crowd;
    CHECK_OK(comqtt_server_add_hook(it->server, &table, state, free, NULL, NULL));
}
static size_t gather(scale* it, size_t size) {
    crowd* state = it->state;
    char id[32];
    for (size_t i = 0; i < size; ++i) state->pipes[i] = scale_connect(it->server, numbered(id, "crowd-", i));
    for (size_t i = 0; i < size; ++i) {
        uint8_t connack[4] = {0};
        CHECK(scale_read(state->pipes[i], connack, sizeof connack) && connack[3] == 0);
    }
    return size;
}
/* One message after the other to each of eight clients, of which each thread has some. */
static size_t select_receivers(scale* it, size_t size) {
    const size_t count = size / 10;
    crowd* state = it->state;
    static const uint8_t subscribe[] = {0x82, 11, 0, 1, 0, 6, 'c', 'h', 'o', 's', 'e', 'n', 0};
    static const uint8_t publish[] = {0x30, 9, 0, 6, 'c', 'h', 'o', 's', 'e', 'n', 'x'};
    enum { kReceivers = 8 };
    for (size_t i = 0; i < kReceivers; ++i) {
        uint8_t suback[5];
        CHECK_OK(comqtt_pipe_write(state->pipes[i], comqtt_bytes_of(subscribe, sizeof subscribe)));
        CHECK(scale_read(state->pipes[i], suback, sizeof suback));
    }
    for (size_t n = 0; n < count; ++n) {
        CHECK_OK(comqtt_pipe_write(state->pipes[kReceivers], comqtt_bytes_of(publish, sizeof publish)));
        for (size_t i = 0; i < kReceivers; ++i) {
            uint8_t bytes[sizeof publish];
            if (!CHECK(scale_read(state->pipes[i], bytes, sizeof bytes))) return count;
        }
    }
    CHECK(state->selections >= count);
    return count;
}
static size_t scatter(scale* it, size_t size) {
    crowd* state = it->state;
    for (size_t i = 0; i < size; ++i) comqtt_pipe_release(state->pipes[i]);
    while (atomic_load(&state->gone) < size) sleep_ms(1);
    return size;
}
static void crowd_end(scale* it) { free(((crowd*)it->state)->pipes); }

static void clients_beside_a_hook_that_selects(void) {
    static const scale_structure structure = {
        "clients beside a hook",
        crowd_begin,
        crowd_end,
        {{"connect", gather}, {"publish", select_receivers}, {"close", scatter}}};
    scale_check(&structure);
}

int main(void) {
    RUN(inline_subscriptions);
    RUN(blocked_ids);
    RUN(pending_verdicts);
    RUN(many_hooks);
    RUN(clients_beside_a_hook_that_selects);
    return check_summary();
}
