/* Checks for the black-box tests: a failed check is printed and counted, the test goes on. */
#ifndef COMQTT_TESTS_CHECK_H
#define COMQTT_TESTS_CHECK_H

#include <comqtt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of the whole program, whichever of its files checks (check.c). */
extern atomic_int check_passed;
extern atomic_int check_failed;
extern const char* check_test; /* the one that runs */

static inline bool check_report(bool ok, const char* file, int line, const char* text) {
    atomic_fetch_add(ok ? &check_passed : &check_failed, 1);
    if (!ok) {
        printf("%s:%d: %s: FAILED: %s\n", file, line, check_test, text);
        fflush(stdout);
    }
    return ok;
}

static inline bool check_int(long long got, long long wanted, const char* file, int line, const char* text) {
    if (!check_report(got == wanted, file, line, text)) {
        printf("    got %lld, wanted %lld\n", got, wanted);
        return false;
    }
    return true;
}

static inline bool check_status(comqtt_status got, comqtt_status wanted, const char* file, int line,
                                const char* text) {
    if (!check_report(got == wanted, file, line, text)) {
        printf("    got %s, wanted %s\n", comqtt_status_name(got), comqtt_status_name(wanted));
        return false;
    }
    return true;
}

static inline bool str_is(comqtt_str view, const char* text) {
    return view.ptr && view.len == strlen(text) && memcmp(view.ptr, text, view.len) == 0;
}
static inline bool bytes_are(comqtt_bytes view, const char* text) {
    comqtt_str as_text;
    as_text.ptr = (const char*)view.ptr;
    as_text.len = view.len;
    return str_is(as_text, text);
}

static inline bool check_str(comqtt_str got, const char* wanted, const char* file, int line,
                             const char* text) {
    if (!check_report(str_is(got, wanted), file, line, text)) {
        printf("    got \"%.*s\", wanted \"%s\"\n", (int)got.len, got.ptr ? got.ptr : "", wanted);
        return false;
    }
    return true;
}

#define CHECK(condition) check_report((condition), __FILE__, __LINE__, #condition)
#define CHECK_INT(got, wanted) \
    check_int((long long)(got), (long long)(wanted), __FILE__, __LINE__, #got " == " #wanted)
#define CHECK_STATUS(got, wanted) check_status((got), (wanted), __FILE__, __LINE__, #got " -> " #wanted)
#define CHECK_OK(got) CHECK_STATUS(got, COMQTT_OK)
#define CHECK_STR(got, wanted) check_str((got), (wanted), __FILE__, __LINE__, #got " == " #wanted)

static inline void sleep_ms(long ms) {
    struct timespec time;
    time.tv_sec = ms / 1000;
    time.tv_nsec = (ms % 1000) * 1000000L;
    nanosleep(&time, NULL);
}

/* Waits up to five seconds for something that happens on another thread. */
#define EVENTUALLY(condition)                                                    \
    do {                                                                         \
        int check_tries_ = 0;                                                    \
        while (!(condition) && check_tries_++ < 5000) sleep_ms(1);               \
        check_report((condition), __FILE__, __LINE__, "eventually " #condition); \
    } while (0)

#define RUN(test)           \
    do {                    \
        check_test = #test; \
        test();             \
    } while (0)

static inline int check_summary(void) {
    printf("%d passed, %d failed\n", check_passed, check_failed);
    return check_failed ? 1 : 0;
}

/* Text view of a literal or array. */
static inline comqtt_str S(const char* text) { return comqtt_str_of(text); }
static inline comqtt_bytes B(const char* text) { return comqtt_bytes_of(text, strlen(text)); }

/* Counts how often user data is dropped. */
static inline void count_drop(void* user) { atomic_fetch_add((atomic_int*)user, 1); }

#endif
