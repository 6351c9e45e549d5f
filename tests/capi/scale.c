#define _GNU_SOURCE /* syscall */
#include "scale.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "peer.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOW 5 /* and a tenth of the sizes: what is superlinear shows at these too */
#else
#define SLOW 1
#endif
#define SMALL (SLOW > 1 ? 1000 : 10000)
#define LARGE (10 * SMALL)
#define REPEATS 3 /* of the small size, whose median counts */
#define TRIES 3   /* of the large size: what is superlinear fails each time, a busy machine does not */
#define MOST_GROWTH 3.0
#define LEAST 1e-6 /* seconds: an item that costs less is counted so; how much less is a matter of caches */
#define MOST_WAIT (0.5 * SLOW) /* seconds */
#define INTERVAL_MS 10

comqtt_options* scale_options(unsigned threads) {
    comqtt_options* options = test_options(false);
    CHECK_OK(comqtt_options_set_int(options, "threads", threads, NULL));
    CHECK_OK(comqtt_options_set_int(options, "limits.deferrals", 1000000, NULL));
    CHECK_OK(comqtt_options_set_int(options, "limits.deferral-timeout-ms", 3600000, NULL));
    CHECK_OK(comqtt_options_set_int(options, "limits.connect-timeout-ms", 3600000, NULL));
    return options;
}

comqtt_pipe* scale_connect(comqtt_server* server, const char* id) {
    uint8_t bytes[64] = {0x10, 0, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 0};
    const size_t len = strlen(id);
    comqtt_pipe* pipe = NULL;
    bytes[1] = (uint8_t)(12 + len);
    bytes[13] = (uint8_t)len;
    memcpy(bytes + 14, id, len);
    CHECK_OK(comqtt_pipe_open(server, S("pipe"), S("scale"), &pipe, NULL));
    CHECK_OK(comqtt_pipe_write(pipe, comqtt_bytes_of(bytes, 14 + len)));
    return pipe;
}

bool scale_read(comqtt_pipe* pipe, void* bytes, size_t size) {
    size_t have = 0;
    while (have < size) {
        size_t got = 0;
        if (comqtt_pipe_read(pipe, (uint8_t*)bytes + have, size - have, 60000 * SLOW, &got) != COMQTT_OK)
            return false;
        have += got;
    }
    return true;
}

static double seconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* How long this thread and the server's were ready and did not run: what else the machine does is not its fault. */
static double starved(void) {
    double sum = 0;
    const long own = syscall(SYS_gettid);
    DIR* tasks = opendir("/proc/self/task");
    struct dirent* entry;
    while (tasks && (entry = readdir(tasks))) {
        char path[300], name[32] = "";
        unsigned long long run = 0, wait = 0;
        FILE* file;
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        file = fopen(path, "r");
        if (file && !fgets(name, sizeof name, file)) name[0] = 0;
        if (file) fclose(file);
        if (strncmp(name, "comqtt", 6) != 0 && atol(entry->d_name) != own) continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/schedstat", entry->d_name);
        file = fopen(path, "r");
        if (file && fscanf(file, "%llu %llu", &run, &wait) == 2) sum += (double)wait / 1e9;
        if (file) fclose(file);
    }
    if (tasks) closedir(tasks);
    return sum;
}

/* ---- the other pair: several, so that each thread of the server has some */

#define OTHERS 12

typedef struct others {
    pthread_t thread;
    comqtt_pipe* pipes[OTHERS];
    atomic_bool stop;
    double longest; /* round trip of a message, seconds */
    double work;    /* of the thread itself */
} others;

static void* go_on(void* user) {
    others* it = user;
    while (!atomic_load(&it->stop)) {
        /* each publishes to the next one; 8 bytes of topic */
        static const uint8_t publish[] = {0x30, 10, 0, 8, 'o', 't', 'h', 'e', 'r', '/', '0', '0'};
        const double starved_before = starved(), began = seconds(CLOCK_MONOTONIC);
        double took;
        for (int i = 0; i < OTHERS; ++i) {
            uint8_t bytes[sizeof publish];
            const int next = (i + 1) % OTHERS;
            memcpy(bytes, publish, sizeof bytes);
            bytes[10] = (uint8_t)('0' + next / 10);
            bytes[11] = (uint8_t)('0' + next % 10);
            CHECK_OK(comqtt_pipe_write(it->pipes[i], comqtt_bytes_of(bytes, sizeof bytes)));
        }
        for (int i = 0; i < OTHERS; ++i) {
            uint8_t bytes[sizeof publish];
            if (!CHECK(scale_read(it->pipes[i], bytes, sizeof bytes))) return NULL;
        }
        took = seconds(CLOCK_MONOTONIC) - began;
        if (took > it->longest) took -= starved() - starved_before;
        if (took > it->longest) it->longest = took;
        sleep_ms(INTERVAL_MS); /* the pace of the messages */
    }
    it->work = seconds(CLOCK_THREAD_CPUTIME_ID);
    return NULL;
}

static void others_begin(others* it, comqtt_server* server) {
    memset(it, 0, sizeof *it);
    for (int i = 0; i < OTHERS; ++i) {
        uint8_t bytes[9];
        uint8_t subscribe[] = {0x82,
                               13,
                               0,
                               1,
                               0,
                               8,
                               'o',
                               't',
                               'h',
                               'e',
                               'r',
                               '/',
                               (uint8_t)('0' + i / 10),
                               (uint8_t)('0' + i % 10),
                               0};
        char id[32];
        snprintf(id, sizeof id, "other-%d", i);
        it->pipes[i] = scale_connect(server, id);
        CHECK_OK(comqtt_pipe_write(it->pipes[i], comqtt_bytes_of(subscribe, sizeof subscribe)));
        CHECK(scale_read(it->pipes[i], bytes, sizeof bytes));
    }
    pthread_create(&it->thread, NULL, go_on, it);
}

static void others_end(others* it) {
    atomic_store(&it->stop, true);
    pthread_join(it->thread, NULL);
    for (int i = 0; i < OTHERS; ++i) comqtt_pipe_release(it->pipes[i]);
}

/* ---- measuring */

typedef struct figures {
    double work[4];    /* seconds of processor time per item, by phase */
    double longest[4]; /* that others waited */
} figures;

static figures measure(const scale_structure* structure, size_t size, unsigned threads) {
    figures found = {{0}, {0}};
    scale it = {NULL, NULL};
    others pair;
    structure->begin(&it, size, threads);
    for (int i = 0; i < 4 && structure->phases[i].run; ++i) {
        double work;
        size_t items;
        others_begin(&pair, it.server);
        work = seconds(CLOCK_PROCESS_CPUTIME_ID);
        items = structure->phases[i].run(&it, size);
        work = seconds(CLOCK_PROCESS_CPUTIME_ID) - work;
        others_end(&pair);
        found.work[i] = (work - pair.work) / (double)items;
        found.longest[i] = pair.longest;
    }
    structure->end(&it);
    comqtt_server_free(it.server);
    return found;
}

static int by_value(const void* a, const void* b) {
    const double x = *(const double*)a, y = *(const double*)b;
    return x < y ? -1 : x > y;
}

/* The median of each phase. */
static figures usual(const figures* all, size_t count) {
    figures found = all[0];
    for (int i = 0; i < 4; ++i) {
        double work[REPEATS];
        for (size_t k = 0; k < count; ++k) work[k] = all[k].work[i];
        qsort(work, count, sizeof work[0], by_value);
        found.work[i] = work[count / 2];
        for (size_t k = 0; k < count; ++k)
            if (all[k].longest[i] > found.longest[i]) found.longest[i] = all[k].longest[i];
    }
    return found;
}

static bool compare(const scale_structure* structure, unsigned threads, const figures* few,
                    const figures* many) {
    bool good = true;
    for (int i = 0; i < 4 && structure->phases[i].run; ++i) {
        const double growth = many->work[i] / (few->work[i] > LEAST ? few->work[i] : LEAST);
        printf("%s, %s, %u threads: %.2f us per item of %d, %.2f of %d: %.1f times; others waited %.3f s\n",
               structure->name, structure->phases[i].name, threads, few->work[i] * 1e6, SMALL,
               many->work[i] * 1e6, LARGE, growth, many->longest[i]);
        good = good && growth < MOST_GROWTH && few->longest[i] < MOST_WAIT && many->longest[i] < MOST_WAIT;
    }
    return good;
}

void scale_check(const scale_structure* structure) {
    for (unsigned threads = 1; threads <= 4; threads *= 2) {
        bool good = false;
        for (int attempt = 0; attempt < TRIES && !good; ++attempt) {
            figures each[REPEATS], few, many;
            for (int i = 0; i < REPEATS; ++i) each[i] = measure(structure, SMALL, threads);
            few = usual(each, REPEATS);
            many = measure(structure, LARGE, threads);
            good = compare(structure, threads, &few, &many);
        }
        CHECK(good);
    }
}
