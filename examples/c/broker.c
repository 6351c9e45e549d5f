/* A broker in 20 lines: broker [host:port]. Clients from this machine may do everything, others nothing. */
#include <comqtt.h>
#include <signal.h>
#include <stdio.h>

int main(int argc, char** argv) {
    comqtt_server* server = NULL;
    comqtt_error* error = NULL;
    comqtt_listener_config tcp = comqtt_listener_config_init();
    sigset_t stop;
    int signal_number;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL); /* before the library makes threads */
    tcp.kind = COMQTT_LISTENER_TCP;
    tcp.id = comqtt_str_of("tcp");
    tcp.address = comqtt_str_of(argc > 1 ? argv[1] : "127.0.0.1:1883");
    if (comqtt_server_new(NULL, &server, &error) || comqtt_server_add_allow_loopback(server, NULL, &error) ||
        comqtt_server_listen(server, &tcp, &error) || comqtt_server_start(server, &error)) {
        fprintf(stderr, "%s\n", comqtt_error_message(error).ptr);
        return 1;
    }
    printf("listening on port %u\n", comqtt_server_listener_port(server, tcp.id));
    sigwait(&stop, &signal_number);
    comqtt_server_free(server);
    return 0;
}
