// What a server has: clients, blocked ids, retained messages, metrics.
#include "call_scope.hpp"
#include "client.hpp"
#include "error.hpp"
#include "packet.hpp"
#include "server.hpp"
#include "text.hpp"

namespace comqtt_python {
namespace {

template <class T>
py::list to_list(std::vector<T>&& found) {
    py::list made;
    for (T& each : found) made.append(std::move(each));
    return made;
}

/// None when there is no such client.
py::object client(const Server& self, const std::string& id) {
    const auto server = self.handle();
    comqtt_client* found = nullptr;
    const comqtt_status status =
        without_gil([&] { return comqtt_server_client(server.get(), view_of(id), &found); });
    if (status == COMQTT_ERR_NOT_FOUND) return py::none();
    check(status);
    return py::cast(Client::adopt(found));
}

py::list clients(const Server& self) {
    const auto server = self.handle();
    std::vector<Client> found;
    call([&](auto) {
        return comqtt_server_each_client(
            server.get(),
            [](void* user, comqtt_client* each) {
                static_cast<std::vector<Client>*>(user)->push_back(Client::share(each));
                return true;
            },
            &found);
    });
    return to_list(std::move(found));
}

size_t client_count(const Server& self, bool connected_only) {
    const auto server = self.handle();
    return without_gil([&] { return comqtt_server_client_count(server.get(), connected_only); });
}

py::list blocked(const Server& self) {
    const auto server = self.handle();
    std::vector<std::string> found;
    call([&](auto) {
        return comqtt_server_each_blocked(
            server.get(),
            [](void* user, comqtt_str id) {
                static_cast<std::vector<std::string>*>(user)->emplace_back(id.ptr ? id.ptr : "", id.len);
                return true;
            },
            &found);
    });
    return to_list(std::move(found));
}

py::list retained(const Server& self, const std::string& filter) {
    const auto server = self.handle();
    std::vector<Packet> found;
    call([&](auto) {
        return comqtt_server_each_retained(
            server.get(), view_of(filter),
            [](void* user, const comqtt_packet* each) {
                static_cast<std::vector<Packet>*>(user)->push_back(Packet::share(each));
                return true;
            },
            &found);
    });
    return to_list(std::move(found));
}

py::dict metrics(const Server& self) {
    const auto server = self.handle();
    comqtt_metrics record = comqtt_metrics_init();
    call([&](auto) { return comqtt_server_metrics(server.get(), &record); });
    return metrics_dict(record);
}

/// A method that passes one text on.
template <auto Function>
void with_text(const Server& self, const std::string& text) {
    const auto server = self.handle();
    call([&](auto) { return Function(server.get(), view_of(text)); });
}

}  // namespace

void bind_server_lookup(ServerClass& server) {
    server.def("client", &client, py::arg("id"))
        .def("clients", &clients)
        .def("client_count", &client_count, py::kw_only(), py::arg("connected_only") = false)
        .def("block", &with_text<comqtt_server_block_client>, py::arg("id"))
        .def("unblock", &with_text<comqtt_server_unblock_client>, py::arg("id"))
        .def("blocked", &blocked)
        .def("retained", &retained, py::arg("filter") = "#")
        .def("clear_retained", &with_text<comqtt_server_clear_retained>, py::arg("topic"))
        .def("metrics", &metrics);
}

}  // namespace comqtt_python
