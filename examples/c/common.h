/* What the examples share: --port N, --seconds N, errors, waiting for the end. */
#ifndef COMQTT_EXAMPLES_COMMON_H
#define COMQTT_EXAMPLES_COMMON_H

#include <comqtt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct arguments {
    int port;    /* to listen on */
    int seconds; /* to run; 0 = until SIGINT or SIGTERM */
} arguments;

static volatile sig_atomic_t example_stopped;

static inline void example_on_signal(int number) {
    (void)number;
    example_stopped = 1;
}

static inline arguments example_arguments(int argc, char** argv, int port) {
    struct sigaction action;
    arguments given;
    given.port = port;
    given.seconds = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--port") == 0) given.port = atoi(argv[i + 1]);
        if (strcmp(argv[i], "--seconds") == 0) given.seconds = atoi(argv[i + 1]);
    }
    memset(&action, 0, sizeof action);
    action.sa_handler = example_on_signal;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return given;
}

/* Ends the program with the error's text when a call failed. */
static inline void example_check(comqtt_status status, comqtt_error* error) {
    if (status == COMQTT_OK) return;
    fprintf(stderr, "%s: %s\n", comqtt_status_name(status), error ? comqtt_error_message(error).ptr : "");
    exit(1);
}

/* Adds a TCP listener on the loopback address and starts the server. */
static inline void example_start(comqtt_server* server, int port) {
    comqtt_listener_config tcp = comqtt_listener_config_init();
    comqtt_error* error = NULL;
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    tcp.kind = COMQTT_LISTENER_TCP;
    tcp.id = comqtt_str_of("tcp");
    tcp.address = comqtt_str_of(address);
    example_check(comqtt_server_listen(server, &tcp, &error), error);
    example_check(comqtt_server_start(server, &error), error);
    printf("listening on port %u\n", comqtt_server_listener_port(server, tcp.id));
    fflush(stdout);
}

/* Sleeps a second; false when the example is to end. `elapsed` counts the seconds. */
static inline bool example_next_second(const arguments* given, int* elapsed) {
    struct timespec second;
    if (example_stopped || (given->seconds > 0 && *elapsed >= given->seconds)) return false;
    second.tv_sec = 1;
    second.tv_nsec = 0;
    nanosleep(&second, NULL);
    ++*elapsed;
    return !example_stopped;
}

#endif
