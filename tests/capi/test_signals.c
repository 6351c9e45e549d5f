/* The library's threads take no signal of the host: each of them blocks all that can be blocked. */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "check.h"
#include "peer.h"

/* What cannot be blocked, and what the C library keeps for itself. */
static bool can_block(int signal) {
    sigset_t set;
    if (signal == SIGKILL || signal == SIGSTOP) return false;
    sigfillset(&set);
    return sigismember(&set, signal) == 1;
}

/* The line of a thread's status that begins with `key`, behind the key. */
static bool status_of(const char* task, const char* key, char* out, size_t capacity) {
    char path[300];
    char line[300];
    bool found = false;
    FILE* file;
    snprintf(path, sizeof path, "/proc/self/task/%s/status", task);
    file = fopen(path, "r");
    if (!file) return false; /* it has ended */
    while (!found && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0) {
            snprintf(out, capacity, "%s", line + strlen(key) + 1);
            out[strcspn(out, "\n")] = 0;
            found = true;
        }
    fclose(file);
    return found;
}

/* Looks at all threads but the calling one; gives the number of those named comqtt-*. */
static int look_at_threads(bool* store_seen) {
    int count = 0;
    struct dirent* entry;
    char self[32];
    DIR* tasks = opendir("/proc/self/task");
    if (!CHECK(tasks != NULL)) return 0;
    snprintf(self, sizeof self, "%ld", (long)getpid());
    while ((entry = readdir(tasks)) != NULL) {
        char name[64] = "";
        char blocked[64] = "";
        unsigned long long mask;
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, self) == 0) continue;
        if (!status_of(entry->d_name, "Name:", name, sizeof name) ||
            !status_of(entry->d_name, "SigBlk:", blocked, sizeof blocked))
            continue;
        if (strncmp(name, "comqtt-", 7) != 0) continue;
        ++count;
        if (strcmp(name, "comqtt-commit") == 0) *store_seen = true;
        mask = strtoull(blocked, NULL, 16);
        for (int signal = 1; signal < 64; ++signal)
            if (can_block(signal) && !(mask >> (signal - 1) & 1)) {
                printf("    thread %s does not block signal %d\n", name, signal);
                CHECK(!"blocked");
                break;
            }
    }
    closedir(tasks);
    return count;
}

static comqtt_options* options_with_store(char* folder) {
    char path[200];
    comqtt_options* options = NULL;
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/store.db", folder);
    CHECK_OK(comqtt_options_new(&options));
    CHECK_OK(comqtt_options_set_int(options, "threads", 3, NULL));
    CHECK_OK(comqtt_options_set_int(options, "storage-way", 1, NULL));
    CHECK_OK(comqtt_options_set_str(options, "storage-path", comqtt_str_of(path), NULL));
    return options;
}

static void forget(const char* folder) {
    char path[300];
    static const char* const kNames[] = {"store.db", "store.db-wal", "store.db-shm", "store.db.lock"};
    for (size_t i = 0; i < sizeof kNames / sizeof *kNames; ++i) {
        snprintf(path, sizeof path, "%s/%s", folder, kNames[i]);
        unlink(path);
    }
    rmdir(folder);
}

/* Runs on the thread that stops the server. */
static atomic_int stopping;
static void look_while_stopping(void* user) {
    bool unused = false;
    (void)user;
    CHECK(look_at_threads(&unused) >= 1);
    atomic_store(&stopping, 1);
}

static void every_thread_of_the_library_blocks_every_signal(void) {
    char folder[] = "/tmp/comqtt-signals-XXXXXX";
    comqtt_server* server = NULL;
    comqtt_options* options = options_with_store(folder);
    comqtt_listener_config listener = comqtt_listener_config_init();
    comqtt_hooks table = comqtt_hooks_init();
    bool store_seen = false;
    peer* client;
    table.stop = look_while_stopping;
    listener.id = S("tcp");
    listener.kind = COMQTT_LISTENER_TCP;
    listener.address = S("127.0.0.1:0");
    CHECK_OK(comqtt_server_new(options, &server, NULL));
    comqtt_options_free(options);
    CHECK_OK(comqtt_server_add_allow_all(server, NULL, NULL));
    CHECK_OK(comqtt_server_add_hook(server, &table, NULL, NULL, NULL, NULL));
    CHECK_OK(comqtt_server_listen(server, &listener, NULL));
    CHECK_OK(comqtt_server_start(server, NULL));
    client = peer_connect(server, COMQTT_MQTT_5, "c");
    CHECK(peer_ping(client));
    CHECK(look_at_threads(&store_seen) >= 4); /* three that serve, and the store's */
    CHECK(store_seen);
    peer_close(client);
    comqtt_server_free(server);
    CHECK_INT(stopping, 1);
    forget(folder);
}

static void* wait_for_term(void* argument) {
    sigset_t set;
    int got = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigwait(&set, &got);
    atomic_store((atomic_int*)argument, got);
    return NULL;
}

/* A host that waits for SIGTERM on a thread of its own gets it, though the process has threads of a store. */
static void a_host_that_waits_for_a_signal_gets_it(void) {
    char folder[] = "/tmp/comqtt-signals-XXXXXX";
    atomic_int got = 0;
    sigset_t set, before;
    pthread_t waiter;
    /* Made before the host blocks the signal: threads inherit. */
    comqtt_server* server = test_server(options_with_store(folder), true);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, &before);
    pthread_create(&waiter, NULL, wait_for_term, &got);
    kill(getpid(), SIGTERM);
    pthread_join(waiter, NULL);
    CHECK_INT(got, SIGTERM);
    comqtt_server_free(server);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    forget(folder);
}

int main(void) {
    RUN(every_thread_of_the_library_blocks_every_signal);
    RUN(a_host_that_waits_for_a_signal_gets_it);
    return check_summary();
}
