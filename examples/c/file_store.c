/* A store in one file: file_store [--file comqtt.journal] [--port N] [--seconds N].
 *
 * The file is a journal of changes (journal.c). A thread of its own appends whatever batches came while it wrote the
 * last ones, calls fsync once for all of them and completes them: what is acknowledged is on the disk. At the start the
 * journal is read, and replaced by a shorter one of what still counts. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <unistd.h>

#include "common.h"
#include "journal.h"

#define MAX_BATCHES 1024

typedef struct store {
    const char* path;
    entries state; /* of the start; given to the server, then dropped */
    int file;
    bool broken; /* fsync failed: nobody knows what is on the disk */
    pthread_t writer;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool over;
    size_t count;
    comqtt_changes* waiting[MAX_BATCHES];
} store;

static bool write_all(int file, const char* bytes, size_t len) {
    while (len > 0) {
        const ssize_t written = write(file, bytes, len);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes += written;
        len -= (size_t)written;
    }
    return true;
}

/* Appends the batches and has them on the disk when it returns COMQTT_OK; otherwise the file is as before. */
static comqtt_status append(store* it, comqtt_changes** batches, size_t count) {
    comqtt_change change = comqtt_change_init();
    const off_t before = lseek(it->file, 0, SEEK_END);
    comqtt_status status = COMQTT_OK;
    char* bytes = NULL;
    size_t len = 0;
    FILE* memory = open_memstream(&bytes, &len);
    bool fine = memory != NULL && before >= 0 && !it->broken;
    for (size_t i = 0; fine && i < count; ++i)
        for (size_t k = 0; fine && comqtt_changes_at(batches[i], k, &change) == COMQTT_OK; ++k)
            fine = journal_write_change(memory, &change);
    if (memory && fclose(memory) != 0) fine = false;
    if (!fine) {
        status = COMQTT_ERR_STORAGE;
    } else if (!write_all(it->file, bytes, len)) {
        status = errno == ENOSPC || errno == EDQUOT ? COMQTT_ERR_QUEUE_FULL : COMQTT_ERR_STORAGE;
        it->broken = ftruncate(it->file, before) != 0;
    } else if (fsync(it->file) != 0) {
        status = COMQTT_ERR_STORAGE;
        it->broken = true;
    }
    free(bytes);
    return status;
}

static void* write_batches(void* user) {
    store* it = user;
    comqtt_changes* batches[MAX_BATCHES];
    for (;;) {
        comqtt_status status;
        size_t count;
        pthread_mutex_lock(&it->mutex);
        while (it->count == 0 && !it->over) pthread_cond_wait(&it->wake, &it->mutex);
        count = it->count;
        memcpy(batches, it->waiting, count * sizeof *batches);
        it->count = 0;
        pthread_mutex_unlock(&it->mutex);
        if (count == 0) return NULL;
        status = append(it, batches, count);
        for (size_t i = 0; i < count; ++i) {
            comqtt_changes_complete(batches[i], status, comqtt_str_of("the journal could not be written"));
            comqtt_changes_release(batches[i]);
        }
    }
}

/* On a thread of the server: only takes note. */
static comqtt_status store_changes(void* user, comqtt_event* event, comqtt_changes* changes) {
    store* it = user;
    bool room;
    (void)event;
    pthread_mutex_lock(&it->mutex);
    room = it->count < MAX_BATCHES;
    if (room) it->waiting[it->count++] = comqtt_changes_retain(changes);
    pthread_cond_signal(&it->wake);
    pthread_mutex_unlock(&it->mutex);
    return room ? COMQTT_PENDING : COMQTT_ERR_QUEUE_FULL;
}

static comqtt_status stored_clients(void* user, comqtt_event* event, comqtt_sink* sink) {
    const comqtt_status status = entries_give(&((store*)user)->state, COMQTT_CHANGE_SESSION_SAVED, sink);
    (void)event;
    return status ? status : entries_give(&((store*)user)->state, COMQTT_CHANGE_CLIENT_BLOCKED, sink);
}

static comqtt_status stored_subscriptions(void* user, comqtt_event* event, comqtt_sink* sink) {
    (void)event;
    return entries_give(&((store*)user)->state, COMQTT_CHANGE_SUBSCRIPTION_SAVED, sink);
}

static comqtt_status stored_messages(void* user, comqtt_event* event, comqtt_sink* sink) {
    const comqtt_status status = entries_give(&((store*)user)->state, COMQTT_CHANGE_MESSAGE_QUEUED, sink);
    (void)event;
    return status ? status : entries_give(&((store*)user)->state, COMQTT_CHANGE_RECEIVED_ADDED, sink);
}

static comqtt_status stored_retained(void* user, comqtt_event* event, comqtt_sink* sink) {
    (void)event;
    return entries_give(&((store*)user)->state, COMQTT_CHANGE_RETAINED_SAVED, sink);
}

static void on_started(void* user, comqtt_event* event) {
    (void)event;
    entries_clear(&((store*)user)->state); /* the server has it now */
}

/* Writes what still counts to a new file, which takes the old one's place when it is on the disk. */
static bool write_compact(const store* it) {
    char fresh[4096], folder[4096];
    FILE* file;
    bool fine;
    int at;
    snprintf(fresh, sizeof fresh, "%s.new", it->path);
    snprintf(folder, sizeof folder, "%s", it->path);
    file = fopen(fresh, "wb");
    if (!file) return false;
    fine = entries_write(&it->state, file) && fflush(file) == 0 && fsync(fileno(file)) == 0;
    fine = fclose(file) == 0 && fine && rename(fresh, it->path) == 0;
    at = open(dirname(folder), O_RDONLY | O_DIRECTORY);
    fine = fine && at >= 0 && fsync(at) == 0;
    if (at >= 0) close(at);
    return fine;
}

static bool store_open(store* it, const char* path) {
    FILE* old = fopen(path, "rb");
    bool fine = old || errno == ENOENT;
    it->path = path;
    if (old) {
        fine = entries_read(&it->state, old);
        fclose(old);
    }
    fine = fine && write_compact(it);
    it->file = fine ? open(path, O_WRONLY | O_APPEND) : -1;
    if (it->file < 0) return false;
    pthread_mutex_init(&it->mutex, NULL);
    pthread_cond_init(&it->wake, NULL);
    return pthread_create(&it->writer, NULL, write_batches, it) == 0;
}

/* After the server. */
static void store_close(store* it) {
    pthread_mutex_lock(&it->mutex);
    it->over = true;
    pthread_cond_signal(&it->wake);
    pthread_mutex_unlock(&it->mutex);
    pthread_join(it->writer, NULL);
    pthread_cond_destroy(&it->wake);
    pthread_mutex_destroy(&it->mutex);
    close(it->file);
    entries_clear(&it->state);
}

int main(int argc, char** argv) {
    arguments given = example_arguments(argc, argv, 1883);
    const char* path = "comqtt.journal";
    static store disk;
    comqtt_server* server = NULL;
    comqtt_error* error = NULL;
    comqtt_hooks table = comqtt_hooks_init();
    int elapsed = 0;
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], "--file") == 0) path = argv[i + 1];
    if (!store_open(&disk, path)) {
        perror(path);
        return 1;
    }
    table.id = "file store";
    table.on_started = on_started;
    table.stored_clients = stored_clients;
    table.stored_subscriptions = stored_subscriptions;
    table.stored_inflight_messages = stored_messages;
    table.stored_retained_messages = stored_retained;
    table.store_changes = store_changes;
    example_check(comqtt_server_new(NULL, &server, &error), error);
    example_check(comqtt_server_add_hook(server, &table, &disk, NULL, NULL, &error), error);
    example_check(comqtt_server_add_allow_loopback(server, NULL, &error), error);
    example_start(server, given.port);
    while (example_next_second(&given, &elapsed)) continue;
    comqtt_server_free(server);
    store_close(&disk);
    return 0;
}
