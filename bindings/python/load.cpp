#include "load.hpp"

#include "text.hpp"

namespace comqtt_python {
namespace {

/// Under the interpreter's lock throughout: the server takes a copy and waits for nothing.
template <auto Add, class To, class Record>
void add_record(To* to, const Record& record) {
    const auto view = record.view();
    comqtt_error* error = nullptr;
    const comqtt_status status = Add(to, &view, &error);
    check(status, error);
}

template <class Taker>
void bind_adds(py::class_<Taker>& taker) {
    taker.def("add_client", py::overload_cast<const StoredClient&>(&Taker::add), py::arg("client"))
        .def("add_subscription", py::overload_cast<const StoredSubscription&>(&Taker::add),
             py::arg("subscription"))
        .def("add_message", py::overload_cast<const StoredMessage&>(&Taker::add), py::arg("message"));
}

}  // namespace

comqtt_sink* Sink::open() const {
    if (!sink_) throw Failure(COMQTT_ERR_STATE, "the sink is over: its callback has returned");
    return sink_;
}

void Sink::add(const StoredClient& record) { add_record<comqtt_sink_add_client>(open(), record); }
void Sink::add(const StoredSubscription& record) { add_record<comqtt_sink_add_subscription>(open(), record); }
void Sink::add(const StoredMessage& record) { add_record<comqtt_sink_add_message>(open(), record); }

void Sink::add_blocked(const std::string& client_id) {
    comqtt_error* error = nullptr;
    const comqtt_status status = comqtt_sink_add_blocked(open(), view_of(client_id), &error);
    check(status, error);
}

comqtt_load_request Load::request() const {
    comqtt_load_request made = comqtt_load_request_init();
    check(comqtt_load_read(handle_.get(), &made));
    return made;
}

void Load::add(const StoredClient& record) { add_record<comqtt_load_add_client>(handle_.get(), record); }
void Load::add(const StoredSubscription& record) {
    add_record<comqtt_load_add_subscription>(handle_.get(), record);
}
void Load::add(const StoredMessage& record) { add_record<comqtt_load_add_message>(handle_.get(), record); }

bool Load::complete(comqtt_status status, const std::string& text) {
    const comqtt_status result =
        without_gil([&] { return comqtt_load_complete(handle_.get(), status, view_of(text)); });
    if (result == COMQTT_ERR_CLOSED) return false;
    check(result);
    return true;
}

void bind_loads(py::module_& module) {
    py::class_<Sink> sink(module, "Sink");
    bind_adds(sink);
    sink.def("add_blocked", &Sink::add_blocked, py::arg("client_id"));
    py::class_<Load> load(module, "Load");
    bind_adds(load);
    load.def("complete", &Load::complete, py::arg("status") = int{COMQTT_OK}, py::arg("text") = "")
        .def_property_readonly("client_id", [](const Load& self) { return to_str(self.request().client_id); })
        .def_property_readonly("session", [](const Load& self) { return self.request().session; })
        .def_property_readonly("after", [](const Load& self) { return self.request().after; })
        .def_property_readonly("max_messages", [](const Load& self) { return self.request().max_messages; })
        .def_property_readonly("max_bytes", [](const Load& self) { return self.request().max_bytes; });
}

}  // namespace comqtt_python
