// The broker as its own client: publish, subscribe, inject.
#include "call_scope.hpp"
#include "client.hpp"
#include "error.hpp"
#include "packet.hpp"
#include "server.hpp"
#include "text.hpp"

namespace comqtt_python {
namespace {

/// The callback of an inline subscription; dies with its drop.
struct Subscriber {
    py::object callback;
    std::shared_ptr<LogRing> log;
};

void report(const Subscriber& subscriber, py::error_already_set& error) {
    if (subscriber.log) {
        subscriber.log->push(COMQTT_LOG_ERROR, "python",
                             "a subscription's callback failed: " + describe(error));
    } else {
        error.discard_as_unraisable(subscriber.callback);
    }
}

void on_message(void* user, uint64_t, comqtt_client*, const comqtt_packet* packet) {
    if (!Py_IsInitialized()) return;
    const py::gil_scoped_acquire gil;
    const Subscriber& subscriber = *static_cast<Subscriber*>(user);
    try {
        subscriber.callback(Packet::share(packet));
    } catch (py::error_already_set& error) {
        report(subscriber, error);
    }
}

uint64_t subscribe(const Server& self, const std::string& filter, py::function callback, uint8_t qos,
                   uint32_t identifier) {
    const auto server = self.handle();
    auto* user = new Subscriber{std::move(callback), self.log()};
    uint64_t token = 0;
    call([&](comqtt_error** error) {
        return comqtt_server_subscribe(server.get(), view_of(filter), qos, identifier, on_message, user,
                                       drop_with_gil<Subscriber>, &token, error);
    });
    return token;
}

void unsubscribe(const Server& self, uint64_t token) {
    const auto server = self.handle();
    call([&](auto) { return comqtt_server_unsubscribe(server.get(), token); });
}

void publish(const Server& self, const std::string& topic, const py::object& payload, uint8_t qos,
             bool retain) {
    const auto server = self.handle();
    const BytesArgument bytes(payload);
    call([&](comqtt_error** error) {
        return comqtt_server_publish(server.get(), view_of(topic), bytes.view(), qos, retain, error);
    });
}

void publish_packet(const Server& self, const Packet& packet) {
    const auto server = self.handle();
    call([&](comqtt_error** error) {
        return comqtt_server_publish_packet(server.get(), packet.get(), error);
    });
}

Client inline_client(const Server& self, const std::string& id) {
    const auto server = self.handle();
    comqtt_client* client = nullptr;
    call([&](comqtt_error** error) {
        return comqtt_server_new_inline_client(server.get(), view_of(id), &client, error);
    });
    return Client::adopt(client);
}

void inject(const Server& self, const Client& client, const Packet& packet) {
    const auto server = self.handle();
    call([&](comqtt_error** error) {
        return comqtt_server_inject(server.get(), client.get(), packet.get(), error);
    });
}

}  // namespace

void bind_server_inline(ServerClass& server) {
    server
        .def("publish_payload", &publish, py::arg("topic"), py::arg("payload"), py::arg("qos"),
             py::arg("retain"))
        .def("publish_packet", &publish_packet, py::arg("packet"))
        .def("subscribe_callback", &subscribe, py::arg("filter"), py::arg("callback"), py::arg("qos"),
             py::arg("identifier"))
        .def("unsubscribe_token", &unsubscribe, py::arg("token"))
        .def("inline_client", &inline_client, py::arg("id"))
        .def("inject", &inject, py::arg("client"), py::arg("packet"));
}

}  // namespace comqtt_python
