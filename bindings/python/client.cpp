#include "client.hpp"

#include <vector>

#include "error.hpp"
#include "packet.hpp"
#include "text.hpp"

namespace comqtt_python {
namespace {

py::list subscriptions(const Client& client) {
    std::vector<TopicFilter> found;
    call([&](auto) {
        return comqtt_client_each_subscription(
            client.get(),
            [](void* user, const comqtt_subscription* entry) {
                static_cast<std::vector<TopicFilter>*>(user)->push_back(TopicFilter::copy_of(*entry));
                return true;
            },
            &found);
    });
    py::list made;
    for (TopicFilter& each : found) made.append(std::move(each));
    return made;
}

py::object will(const Client& client) {
    comqtt_packet* packet = nullptr;
    const comqtt_status status = without_gil([&] { return comqtt_client_will(client.get(), &packet); });
    if (status == COMQTT_ERR_NOT_FOUND) return py::none();
    check(status);
    return py::cast(Packet::adopt(packet));
}

template <auto Get>
void text(py::class_<Client>& client, const char* name) {
    client.def_property_readonly(name, [](const Client& self) { return to_str(Get(self.get())); });
}

template <auto Get>
void value(py::class_<Client>& client, const char* name) {
    client.def_property_readonly(name, [](const Client& self) { return Get(self.get()); });
}

void bind_values(py::class_<Client>& client) {
    text<comqtt_client_id>(client, "id");
    text<comqtt_client_username>(client, "username");
    text<comqtt_client_remote>(client, "remote");
    text<comqtt_client_listener>(client, "listener");
    value<comqtt_client_version>(client, "version");
    value<comqtt_client_clean_start>(client, "clean_start");
    value<comqtt_client_is_inline>(client, "is_inline");
    value<comqtt_client_is_connected>(client, "connected");
    value<comqtt_client_connected_unix_ms>(client, "connected_ms");
    value<comqtt_client_disconnected_unix_ms>(client, "disconnected_ms");
    value<comqtt_client_session_expiry_s>(client, "session_expiry_s");
    value<comqtt_client_bytes_in>(client, "bytes_in");
    value<comqtt_client_bytes_out>(client, "bytes_out");
    value<comqtt_client_inflight_count>(client, "inflight_count");
    value<comqtt_client_queued_count>(client, "queued_count");
    client.def_property(
        "keep_alive", [](const Client& self) { return comqtt_client_keep_alive(self.get()); },
        [](const Client& self, uint16_t seconds) {
            call([&](auto) { return comqtt_client_set_keep_alive(self.get(), seconds); });
        });
    client.def_property_readonly("will", &will);
}

}  // namespace

void bind_clients(py::module_& module) {
    py::class_<Client> client(module, "Client");
    bind_values(client);
    client
        .def(
            "disconnect",
            [](const Client& self, comqtt_reason reason) {
                call([&](auto) { return comqtt_client_disconnect(self.get(), reason); });
            },
            py::arg("reason") = int{COMQTT_REASON_ADMINISTRATIVE_ACTION})
        .def("expire",
             [](const Client& self) { call([&](auto) { return comqtt_client_expire(self.get()); }); })
        .def(
            "send",
            [](const Client& self, const Packet& packet) {
                call([&](auto) { return comqtt_client_send(self.get(), packet.get()); });
            },
            py::arg("packet"))
        .def("subscriptions", &subscriptions)
        .def("__repr__", [](const Client& self) {
            return py::str("<comqtt.Client {!r} from {!r}>")
                .format(to_str(comqtt_client_id(self.get())), to_str(comqtt_client_remote(self.get())));
        });
}

}  // namespace comqtt_python
