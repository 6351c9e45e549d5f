/* A hook that fills every slot, counts the events and writes them down in order. */
#ifndef COMQTT_TESTS_RECORDER_H
#define COMQTT_TESTS_RECORDER_H

#include <comqtt.h>
#include <pthread.h>

#define RECORDER_EVENTS 45

typedef struct recorder {
    pthread_mutex_t mutex;
    unsigned counts[RECORDER_EVENTS]; /* by position in recorder_names */
    size_t used;
    bool full;
    char text[200000]; /* "<client> <event>[:<detail>]\n" each */
} recorder;

extern const char* const recorder_names[RECORDER_EVENTS];

recorder* recorder_new(void);
void recorder_free(recorder* it);
/* The table; answers NEXT, PROCEED, NOT_FOUND and OK (a batch) throughout, and lets every AUTH succeed. */
comqtt_hooks recorder_table(void);
/* The same with this slot only; NULL = all. */
comqtt_hooks recorder_table_of(const char* event);
void recorder_clear(recorder* it);
unsigned recorder_count(recorder* it, const char* event);
/* Events of one client (NULL = all) in order, joined by blanks, without the leading "on_"; packet types as numbers.
 * on_packet_encode and on_packet_sent are left out unless `wire`. To be freed. */
char* recorder_sequence(recorder* it, const char* client, bool wire);

#endif
