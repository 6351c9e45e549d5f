/* Measures what grows at two sizes, through the C interface: the work per item must not grow with the number of items,
 * and another pair of clients goes on meanwhile. */
#ifndef COMQTT_TESTS_SCALE_H
#define COMQTT_TESTS_SCALE_H

#include <comqtt.h>

/* What a structure works on: a server of its own for each size. */
typedef struct scale {
    comqtt_server* server;
    void* state;
} scale;

typedef struct scale_phase {
    const char* name;
    size_t (*run)(scale* it, size_t size); /* returns when the server has done it, with the number of items */
} scale_phase;

typedef struct scale_structure {
    const char* name;
    void (*begin)(scale* it, size_t size, unsigned threads); /* makes the server */
    void (*end)(scale* it);                                  /* before the server is freed */
    scale_phase phases[4];
} scale_structure;

/* Options for `threads` threads, no $SYS topics, and limits beyond what is tested. */
comqtt_options* scale_options(unsigned threads);
/* Both sizes with 1, 2 and 4 threads. */
void scale_check(const scale_structure* structure);
/* CONNECT with a clean session; the CONNACK is not waited for. */
comqtt_pipe* scale_connect(comqtt_server* server, const char* id);
/* Reads exactly that many bytes. */
bool scale_read(comqtt_pipe* pipe, void* bytes, size_t size);

#endif
