// Listeners and in-memory connections.
#include "error.hpp"
#include "pipe.hpp"
#include "server.hpp"
#include "text.hpp"

namespace comqtt_python {
namespace {

void listen(const Server& self, comqtt_listener_kind kind, const std::string& address, const std::string& id,
            int32_t backlog) {
    const auto server = self.handle();
    comqtt_listener_config config = comqtt_listener_config_init();
    config.kind = kind;
    config.address = view_of(address);
    config.id = view_of(id);
    config.backlog = backlog;
    call([&](comqtt_error** error) { return comqtt_server_listen(server.get(), &config, error); });
}

void listen_fd(const Server& self, comqtt_listener_kind kind, int fd, const std::string& id) {
    const auto server = self.handle();
    call([&](comqtt_error** error) {
        return comqtt_server_listen_fd(server.get(), view_of(id), kind, fd, error);
    });
}

void unlisten(const Server& self, const std::string& id, bool disconnect_clients) {
    const auto server = self.handle();
    call([&](comqtt_error** error) {
        return comqtt_server_unlisten(server.get(), view_of(id), disconnect_clients, error);
    });
}

struct ListenerCopy {
    std::string id;
    std::string protocol;
    std::string address;
    uint16_t port;
    uint64_t connections;
};

py::list listeners(const Server& self) {
    const auto server = self.handle();
    std::vector<ListenerCopy> found;
    call([&](auto) {
        return comqtt_server_each_listener(
            server.get(),
            [](void* user, const comqtt_listener_info* info) {
                const auto text = [](comqtt_str view) {
                    return std::string(view.ptr ? view.ptr : "", view.len);
                };
                static_cast<std::vector<ListenerCopy>*>(user)->push_back(
                    {text(info->id), text(info->protocol), text(info->address), info->port,
                     info->connections});
                return true;
            },
            &found);
    });
    py::list made;
    for (const ListenerCopy& each : found)
        made.append(py::make_tuple(each.id, each.protocol, each.address, each.port, each.connections));
    return made;
}

Pipe connect_pipe(const Server& self, const std::string& listener, const std::string& remote) {
    const auto server = self.handle();
    comqtt_pipe* pipe = nullptr;
    call([&](comqtt_error** error) {
        return comqtt_pipe_open(server.get(), view_of(listener), view_of(remote), &pipe, error);
    });
    return Pipe(pipe);
}

}  // namespace

void bind_server_listeners(ServerClass& server) {
    server.def("listen", &listen, py::arg("kind"), py::arg("address"), py::arg("id"), py::arg("backlog") = 0)
        .def("listen_fd", &listen_fd, py::arg("kind"), py::arg("fd"), py::arg("id"))
        .def("unlisten", &unlisten, py::arg("id"), py::kw_only(), py::arg("disconnect_clients") = false)
        .def("listener_table", &listeners)
        .def("connect_pipe", &connect_pipe, py::arg("listener") = "pipe", py::arg("remote") = "pipe");
}

}  // namespace comqtt_python
