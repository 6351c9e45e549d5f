/* Every function that takes a server, called once; and a watchdog that names the call that does not return. */
#ifndef COMQTT_TESTS_EVERY_CALL_H
#define COMQTT_TESTS_EVERY_CALL_H

#include <comqtt.h>
#include <stdatomic.h>

/* What is being called now, and where. */
extern const char* _Atomic now_function;
extern const char* _Atomic now_callback;
extern const char* _Atomic now_state;
extern const char* _Atomic now_deed;
extern atomic_uint progress;

#define CALL(function, ...) \
    (atomic_store(&now_function, #function), atomic_fetch_add(&progress, 1), function(__VA_ARGS__))

/* Ends the program, with a line that says where, when no call was begun for a minute. */
void watchdog_start(void);
void watchdog_end(void);
/* Calls everything but what ends or stops something; `client` may be NULL. Gives the number of calls that wait and did
 * not answer REENTRANT. */
int call_everything(comqtt_server* server, comqtt_client* client);

#endif
