/* Listeners: TCP, unix, open descriptors, adopted connections; their list. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "peer.h"

static int tcp_connect(uint16_t port) {
    struct sockaddr_in address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr*)&address, sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

static int unix_connect(const char* path) {
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (connect(fd, (struct sockaddr*)&address, sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

/* CONNECT over a socket; the reason of the CONNACK, -1 when there was none. Keeps the socket open. */
static int connect_over(int fd, const char* id) {
    comqtt_packet* connect = make_connect(COMQTT_MQTT_5, id);
    comqtt_packet* answer = NULL;
    uint8_t bytes[512];
    size_t len = 0;
    ssize_t got;
    int reason = -1;
    CHECK_OK(comqtt_packet_encode(connect, bytes, sizeof bytes, &len));
    comqtt_packet_release(connect);
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len) return -1;
    got = read(fd, bytes, sizeof bytes);
    if (got <= 0) return -1;
    if (comqtt_packet_decode(comqtt_bytes_of(bytes, (size_t)got), COMQTT_MQTT_5, COMQTT_FROM_SERVER, &answer,
                             NULL, NULL) == COMQTT_OK)
        reason = comqtt_packet_reason(answer);
    comqtt_packet_release(answer);
    return reason;
}

static comqtt_listener_config listener(comqtt_listener_kind kind, const char* id, const char* address) {
    comqtt_listener_config config = comqtt_listener_config_init();
    config.kind = kind;
    config.id = S(id);
    config.address = S(address);
    return config;
}

static void a_tcp_listener_takes_any_port_before_and_after_start(void) {
    comqtt_options* options = test_options(false);
    comqtt_server* server = NULL;
    comqtt_listener_config config = listener(COMQTT_LISTENER_TCP, "early", "127.0.0.1:0");
    comqtt_client* client = NULL;
    int fd;
    CHECK_OK(comqtt_server_new(options, &server, NULL));
    comqtt_options_free(options);
    CHECK_OK(comqtt_server_add_allow_loopback(server, NULL, NULL));
    CHECK_OK(comqtt_server_listen(server, &config, NULL));
    CHECK_STATUS(comqtt_server_listen(server, &config, NULL), COMQTT_ERR_EXISTS);
    CHECK_OK(comqtt_server_start(server, NULL));
    config.id = S("late");
    CHECK_OK(comqtt_server_listen(server, &config, NULL));
    CHECK(comqtt_server_listener_port(server, S("early")) != 0);
    CHECK(comqtt_server_listener_port(server, S("late")) != 0);
    CHECK(comqtt_server_listener_port(server, S("late")) != comqtt_server_listener_port(server, S("early")));
    CHECK_INT(comqtt_server_listener_port(server, S("none")), 0);
    fd = tcp_connect(comqtt_server_listener_port(server, S("late")));
    CHECK_INT(connect_over(fd, "over-tcp"), COMQTT_REASON_SUCCESS);
    CHECK_OK(comqtt_server_client(server, S("over-tcp"), &client));
    CHECK_STR(comqtt_client_listener(client), "late");
    CHECK(comqtt_client_remote(client).len > 10 &&
          memcmp(comqtt_client_remote(client).ptr, "127.0.0.1:", 10) == 0);
    comqtt_client_release(client);
    close(fd);
    comqtt_server_free(server);
}

static void a_unix_listener_makes_and_removes_its_socket(void) {
    comqtt_server* server = plain_server();
    char path[64];
    comqtt_listener_config config;
    int fd;
    snprintf(path, sizeof path, "/tmp/comqtt-test-%ld.sock", (long)getpid());
    config = listener(COMQTT_LISTENER_UNIX, "unix", path);
    CHECK_OK(comqtt_server_listen(server, &config, NULL));
    fd = unix_connect(path);
    CHECK_INT(connect_over(fd, "over-unix"), COMQTT_REASON_SUCCESS);
    close(fd);
    CHECK_OK(comqtt_server_unlisten(server, S("unix"), true, NULL));
    CHECK_INT(unix_connect(path), -1);
    comqtt_server_free(server);
    CHECK(access(path, F_OK) != 0);
}

static void an_open_descriptor_becomes_a_listener(void) {
    comqtt_server* server = plain_server();
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    int fd;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_INT(bind(listening, (struct sockaddr*)&address, sizeof address), 0);
    CHECK_INT(listen(listening, 5), 0);
    CHECK_INT(getsockname(listening, (struct sockaddr*)&address, &size), 0);
    CHECK_STATUS(comqtt_server_listen_fd(server, S("fd"), COMQTT_LISTENER_TCP, -1, NULL),
                 COMQTT_ERR_INVALID_ARGUMENT);
    CHECK_OK(comqtt_server_listen_fd(server, S("fd"), COMQTT_LISTENER_TCP, listening, NULL));
    CHECK_INT(comqtt_server_listener_port(server, S("fd")), ntohs(address.sin_port));
    fd = tcp_connect(ntohs(address.sin_port));
    CHECK_INT(connect_over(fd, "over-fd"), COMQTT_REASON_SUCCESS);
    close(fd);
    comqtt_server_free(server);
}

static void a_connected_socket_can_be_adopted(void) {
    comqtt_server* server = plain_server();
    comqtt_listener_config config = listener(COMQTT_LISTENER_TCP, "tcp", "127.0.0.1:0");
    comqtt_client* client = NULL;
    int pair[2];
    CHECK_OK(comqtt_server_listen(server, &config, NULL));
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    CHECK_OK(comqtt_server_adopt(server, S("tcp"), pair[0], S("10.1.2.3:4"), NULL));
    CHECK_INT(connect_over(pair[1], "adopted"), COMQTT_REASON_SUCCESS);
    CHECK_OK(comqtt_server_client(server, S("adopted"), &client));
    CHECK_STR(comqtt_client_remote(client), "10.1.2.3:4");
    comqtt_client_release(client);
    close(pair[1]);
    CHECK_STATUS(comqtt_server_adopt(server, S("tcp"), -1, S("x"), NULL), COMQTT_ERR_INVALID_ARGUMENT);
    comqtt_server_free(server);
}

static bool count_listener(void* user, const comqtt_listener_info* info) {
    int* counts = user;
    ++counts[0];
    if (str_is(info->id, "tcp")) {
        ++counts[1];
        CHECK_STR(info->protocol, "tcp");
        CHECK(info->port != 0);
    }
    if (str_is(info->id, "pipe")) {
        ++counts[2];
        CHECK_STR(info->protocol, "pipe");
        CHECK_INT(info->connections, 1);
    }
    return true;
}

static void listeners_can_be_listed_and_closed(void) {
    comqtt_server* server = plain_server();
    comqtt_listener_config config = listener(COMQTT_LISTENER_TCP, "tcp", "127.0.0.1:0");
    peer* it = peer_connect(server, COMQTT_MQTT_5, "piped");
    int counts[3] = {0, 0, 0};
    uint16_t port;
    CHECK_OK(comqtt_server_listen(server, &config, NULL));
    port = comqtt_server_listener_port(server, S("tcp"));
    CHECK_OK(comqtt_server_each_listener(server, count_listener, counts));
    CHECK_INT(counts[1], 1);
    CHECK_INT(counts[2], 1);
    CHECK_OK(comqtt_server_unlisten(server, S("tcp"), false, NULL));
    CHECK_INT(tcp_connect(port), -1);
    CHECK_STATUS(comqtt_server_unlisten(server, S("tcp"), false, NULL), COMQTT_ERR_NOT_FOUND);
    CHECK_OK(comqtt_server_unlisten(server, S("pipe"), true, NULL));
    CHECK(peer_sees_close(it));
    peer_close(it);
    comqtt_server_free(server);
}

static void addresses_that_cannot_be_are_refused(void) {
    comqtt_server* server = plain_server();
    const char* bad[] = {"no-port", "127.0.0.1:99999", "127.0.0.1:http-not", "[::1:80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        comqtt_listener_config config = listener(COMQTT_LISTENER_TCP, "bad", bad[i]);
        comqtt_error* error = NULL;
        CHECK_STATUS(comqtt_server_listen(server, &config, &error), COMQTT_ERR_ADDRESS);
        CHECK(comqtt_error_message(error).len > 0);
        comqtt_error_free(error);
    }
    comqtt_server_free(server);
}

int main(void) {
    RUN(a_tcp_listener_takes_any_port_before_and_after_start);
    RUN(a_unix_listener_makes_and_removes_its_socket);
    RUN(an_open_descriptor_becomes_a_listener);
    RUN(a_connected_socket_can_be_adopted);
    RUN(listeners_can_be_listed_and_closed);
    RUN(addresses_that_cannot_be_are_refused);
    return check_summary();
}
