// A VFS for SQLite that fails, stalls or ends the process at chosen writes and syncs of the database and its log.
// Loaded into a program with LD_PRELOAD it wraps the default VFS and takes its place.
//
// COMQTT_FAULT_CONTROL names a file with lines "name=value", read again whenever it was replaced:
//   write=full|ioerr|short   each write fails; short: after half of it was done
//   sync=full|ioerr          each sync fails
//   sync_ms=N                each sync takes N ms longer; ends early when the file changes
//   op=write|sync, at=N      ends the process at the Nth of them since the file was read, in this manner:
//   kill=before|after        before or after it is done
//   kill=torn                write: when half of it is done; sync: with half of what was not synced
//   kill=lost                as if power had failed just before: with nothing of what was not synced
//   undo=1                   keeps what torn and lost need from now on (implied by these two)
// COMQTT_FAULT_LOG names a file to which each write and sync adds a line "write wal" or the like.

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum Op { OP_NONE, OP_WRITE, OP_SYNC };
enum Kill { KILL_NONE, KILL_BEFORE, KILL_TORN, KILL_LOST, KILL_AFTER };
enum Failure { FAIL_NONE, FAIL_FULL, FAIL_IOERR, FAIL_SHORT };

struct Control {
    enum Failure write, sync;
    int sync_ms;
    enum Op op;
    enum Kill kill;
    int at;
    bool undo;
};

// What a range of a file held before a write or truncation that is not synced yet.
struct Undo {
    struct Undo* older;
    sqlite3_int64 offset, old_size;
    int bytes;
    char data[];
};

// What all connections to one file have in common: a sync through one of them is one of all.
struct Shared {
    struct Shared* next;
    int users;
    struct Undo* unsynced;
    char path[];
};

struct FaultFile {
    sqlite3_file base;
    struct FaultFile* next;
    const char* name;
    struct Shared* shared;
    sqlite3_file real[];
};

static sqlite3_vfs* real_vfs;
static sqlite3_vfs fault_vfs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct Control control;
static struct timespec control_time;
static ino_t control_inode;
static int operations;  // of the chosen kind since the control file was read
static int log_file = -1;
static struct FaultFile* files;
static struct Shared* shared_files;

static sqlite3_file* real_of(sqlite3_file* file) { return ((struct FaultFile*)file)->real; }

static enum Failure failure(const char* word) {
    if (!strcmp(word, "full")) return FAIL_FULL;
    if (!strcmp(word, "ioerr")) return FAIL_IOERR;
    return strcmp(word, "short") ? FAIL_NONE : FAIL_SHORT;
}

static enum Kill manner(const char* word) {
    static const char* const words[] = {"", "before", "torn", "lost", "after"};
    for (int each = KILL_BEFORE; each <= KILL_AFTER; ++each)
        if (!strcmp(word, words[each])) return (enum Kill)each;
    return KILL_NONE;
}

static void set(struct Control* to, const char* name, const char* value) {
    if (!strcmp(name, "write")) to->write = failure(value);
    if (!strcmp(name, "sync")) to->sync = failure(value);
    if (!strcmp(name, "sync_ms")) to->sync_ms = atoi(value);
    if (!strcmp(name, "op")) to->op = strcmp(value, "sync") ? OP_WRITE : OP_SYNC;
    if (!strcmp(name, "kill")) to->kill = manner(value);
    if (!strcmp(name, "at")) to->at = atoi(value);
    if (!strcmp(name, "undo")) to->undo = true;
}

static void read_control(void) {  // under the lock
    const char* path = getenv("COMQTT_FAULT_CONTROL");
    struct stat now;
    if (!path || stat(path, &now)) return;
    if (now.st_ino == control_inode && !memcmp(&now.st_mtim, &control_time, sizeof control_time)) return;
    control_inode = now.st_ino;
    control_time = now.st_mtim;
    memset(&control, 0, sizeof control);
    operations = 0;
    FILE* file = fopen(path, "r");
    char name[32], value[32];
    while (file && fscanf(file, " %31[^=]=%31s", name, value) == 2) set(&control, name, value);
    if (file) fclose(file);
    if (control.kill == KILL_TORN || control.kill == KILL_LOST) control.undo = true;
}

static void note(const char* what, const struct FaultFile* file) {
    char line[64];
    const int length = snprintf(line, sizeof line, "%s %s\n", what, file->name);
    if (log_file >= 0 && write(log_file, line, (size_t)length) < 0) log_file = -1;
}

static void forget(struct Shared* shared) {
    while (shared->unsynced) {
        struct Undo* gone = shared->unsynced;
        shared->unsynced = gone->older;
        free(gone);
    }
}

static struct Shared* join(const char* path) {  // under the lock
    for (struct Shared* each = shared_files; each; each = each->next) {
        if (strcmp(each->path, path)) continue;
        ++each->users;
        return each;
    }
    struct Shared* made = malloc(sizeof *made + strlen(path) + 1);
    if (!made) return NULL;
    *made = (struct Shared){shared_files, 1, NULL};
    strcpy(made->path, path);
    return shared_files = made;
}

static void leave(struct Shared* shared) {  // under the lock
    if (--shared->users) return;
    forget(shared);
    struct Shared** at = &shared_files;
    while (*at != shared) at = &(*at)->next;
    *at = shared->next;
    free(shared);
}

// SQLite's own VFS takes no more than 128 KiB at a time.
enum { CHUNK = 65536 };

static void read_all(struct FaultFile* file, char* data, int bytes, sqlite3_int64 offset) {
    for (int done = 0; done < bytes; done += CHUNK)
        file->real->pMethods->xRead(file->real, data + done, bytes - done < CHUNK ? bytes - done : CHUNK,
                                    offset + done);
}

static void write_all(struct FaultFile* file, const char* data, int bytes, sqlite3_int64 offset) {
    for (int done = 0; done < bytes; done += CHUNK)
        file->real->pMethods->xWrite(file->real, data + done, bytes - done < CHUNK ? bytes - done : CHUNK,
                                     offset + done);
}

// Keeps the bytes from offset on that a write or truncation is about to change.
static void remember(struct FaultFile* file, sqlite3_int64 offset, sqlite3_int64 bytes) {
    sqlite3_int64 size = 0;
    file->real->pMethods->xFileSize(file->real, &size);
    if (offset + bytes > size) bytes = offset < size ? size - offset : 0;
    struct Undo* undo = malloc(sizeof *undo + (size_t)bytes);
    if (!undo) return;
    *undo = (struct Undo){file->shared->unsynced, offset, size, (int)bytes};
    read_all(file, undo->data, (int)bytes, offset);
    file->shared->unsynced = undo;
}

// Undoes what was not synced, or the newer half of it.
static void take_back(struct FaultFile* file, bool half) {
    int count = 0;
    for (const struct Undo* each = file->shared->unsynced; each; each = each->older) ++count;
    if (half) count = (count + 1) / 2;
    for (const struct Undo* each = file->shared->unsynced; each && count--; each = each->older) {
        write_all(file, each->data, each->bytes, each->offset);
        file->real->pMethods->xTruncate(file->real, each->old_size);
    }
    file->shared->unsynced = NULL;  // once, though several connections lead here
}

static void die(bool undo, bool half) {
    for (struct FaultFile* each = files; undo && each; each = each->next) take_back(each, half);
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

// Counts one operation; whether, and how, the process ends at it.
static enum Kill count(enum Op op, const char* what, const struct FaultFile* file) {
    read_control();
    note(what, file);
    if (control.op != op || !control.kill) return KILL_NONE;
    return ++operations == control.at ? control.kill : KILL_NONE;
}

static int fault_write(sqlite3_file* base, const void* data, int bytes, sqlite3_int64 offset) {
    struct FaultFile* file = (struct FaultFile*)base;
    pthread_mutex_lock(&lock);
    const enum Kill kill = count(OP_WRITE, "write", file);
    const enum Failure fail = control.write;
    if (kill == KILL_BEFORE || kill == KILL_LOST) die(kill == KILL_LOST, false);
    if (control.undo) remember(file, offset, bytes);
    int status = fail == FAIL_FULL ? SQLITE_FULL : fail == FAIL_IOERR ? SQLITE_IOERR_WRITE : SQLITE_OK;
    if (!status) {
        const bool half = kill == KILL_TORN || fail == FAIL_SHORT;
        status = file->real->pMethods->xWrite(file->real, data, half ? bytes / 2 : bytes, offset);
        if (!status && fail == FAIL_SHORT) status = SQLITE_FULL;
    }
    if (kill) die(false, false);
    pthread_mutex_unlock(&lock);
    return status;
}

// Waits as long as the control file asks for; a change of the file counts at once.
static void stall(void) {
    const struct timespec step = {0, 5 * 1000 * 1000};
    for (int waited = 0; waited < control.sync_ms; waited += 5) {
        pthread_mutex_unlock(&lock);
        nanosleep(&step, NULL);
        pthread_mutex_lock(&lock);
        read_control();
    }
}

static int fault_sync(sqlite3_file* base, int flags) {
    struct FaultFile* file = (struct FaultFile*)base;
    pthread_mutex_lock(&lock);
    const enum Kill kill = count(OP_SYNC, "sync", file);
    if (kill && kill != KILL_AFTER) die(kill != KILL_BEFORE, kill == KILL_TORN);
    stall();
    int status = control.sync == FAIL_FULL ? SQLITE_FULL : control.sync ? SQLITE_IOERR_FSYNC : SQLITE_OK;
    if (!status) status = file->real->pMethods->xSync(file->real, flags);
    if (!status) forget(file->shared);
    if (kill) die(false, false);
    pthread_mutex_unlock(&lock);
    return status;
}

static int fault_truncate(sqlite3_file* base, sqlite3_int64 size) {
    struct FaultFile* file = (struct FaultFile*)base;
    pthread_mutex_lock(&lock);
    sqlite3_int64 old = 0;
    file->real->pMethods->xFileSize(file->real, &old);
    if (control.undo && old > size) remember(file, size, old - size);
    const int status = file->real->pMethods->xTruncate(file->real, size);
    pthread_mutex_unlock(&lock);
    return status;
}

static int fault_close(sqlite3_file* base) {
    struct FaultFile* file = (struct FaultFile*)base;
    pthread_mutex_lock(&lock);
    for (struct FaultFile** each = &files; *each; each = &(*each)->next) {
        if (*each != file) continue;
        *each = file->next;
        break;
    }
    leave(file->shared);
    pthread_mutex_unlock(&lock);
    return file->real->pMethods->xClose(file->real);
}

// The rest is the real file's.
#define PASS(name, result, parameters, ...)                                 \
    static result fault_##name parameters {                                 \
        return real_of(file)->pMethods->name(real_of(file), ##__VA_ARGS__); \
    }
PASS(xRead, int, (sqlite3_file * file, void* data, int bytes, sqlite3_int64 offset), data, bytes, offset)
PASS(xFileSize, int, (sqlite3_file * file, sqlite3_int64* size), size)
PASS(xLock, int, (sqlite3_file * file, int level), level)
PASS(xUnlock, int, (sqlite3_file * file, int level), level)
PASS(xCheckReservedLock, int, (sqlite3_file * file, int* out), out)
PASS(xFileControl, int, (sqlite3_file * file, int op, void* argument), op, argument)
PASS(xSectorSize, int, (sqlite3_file * file))
PASS(xDeviceCharacteristics, int, (sqlite3_file * file))
PASS(xShmMap, int, (sqlite3_file * file, int page, int size, int extend, void volatile** out), page, size,
     extend, out)
PASS(xShmLock, int, (sqlite3_file * file, int offset, int n, int flags), offset, n, flags)
PASS(xShmBarrier, void, (sqlite3_file * file))
PASS(xShmUnmap, int, (sqlite3_file * file, int remove), remove)
PASS(xFetch, int, (sqlite3_file * file, sqlite3_int64 offset, int bytes, void** out), offset, bytes, out)
PASS(xUnfetch, int, (sqlite3_file * file, sqlite3_int64 offset, void* page), offset, page)

static const sqlite3_io_methods fault_methods = {3,
                                                 fault_close,
                                                 fault_xRead,
                                                 fault_write,
                                                 fault_truncate,
                                                 fault_sync,
                                                 fault_xFileSize,
                                                 fault_xLock,
                                                 fault_xUnlock,
                                                 fault_xCheckReservedLock,
                                                 fault_xFileControl,
                                                 fault_xSectorSize,
                                                 fault_xDeviceCharacteristics,
                                                 fault_xShmMap,
                                                 fault_xShmLock,
                                                 fault_xShmBarrier,
                                                 fault_xShmUnmap,
                                                 fault_xFetch,
                                                 fault_xUnfetch};

static int fault_open(sqlite3_vfs* vfs, const char* path, sqlite3_file* base, int flags, int* out_flags) {
    (void)vfs;
    struct FaultFile* file = (struct FaultFile*)base;
    const bool log = flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL);
    if (!log && !(flags & SQLITE_OPEN_MAIN_DB))
        return real_vfs->xOpen(real_vfs, path, base, flags, out_flags);
    memset(file, 0, sizeof *file);
    const int status = real_vfs->xOpen(real_vfs, path, file->real, flags, out_flags);
    if (status || file->real->pMethods->iVersion < 3) return status ? status : SQLITE_CANTOPEN;
    file->name = log ? "wal" : "db";
    pthread_mutex_lock(&lock);
    file->shared = join(path);
    if (file->shared) {
        file->next = files;
        files = file;
    }
    pthread_mutex_unlock(&lock);
    if (file->shared) {
        file->base.pMethods = &fault_methods;
        return SQLITE_OK;
    }
    file->real->pMethods->xClose(file->real);
    return SQLITE_NOMEM;
}

__attribute__((constructor)) static void start(void) {
    real_vfs = sqlite3_vfs_find(NULL);
    if (!real_vfs) return;
    const char* log = getenv("COMQTT_FAULT_LOG");
    if (log) log_file = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    fault_vfs = *real_vfs;
    fault_vfs.szOsFile += (int)sizeof(struct FaultFile);
    fault_vfs.zName = "fault";
    fault_vfs.xOpen = fault_open;
    pthread_mutex_lock(&lock);
    read_control();
    pthread_mutex_unlock(&lock);
    sqlite3_vfs_register(&fault_vfs, 1);
}
