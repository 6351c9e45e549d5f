#include "event.hpp"

#include "deferral.hpp"
#include "error.hpp"
#include "server.hpp"
#include "text.hpp"

namespace comqtt_python {

comqtt_event* Event::open() const {
    if (!event_) throw Failure(COMQTT_ERR_STATE, "the event is over: its callback has returned");
    return event_;
}

py::object Event::server() const {
    const std::shared_ptr<Server> server = server_.lock();
    return server ? py::cast(server) : py::none();
}

void Event::set_reason(comqtt_reason reason, const std::string& text) {
    check(comqtt_event_set_reason(open(), reason, text.empty() ? comqtt_str{} : view_of(text)));
}

py::object Event::defer() {
    comqtt_event* event = open();
    comqtt_deferral* token = without_gil([&] { return comqtt_event_defer(event); });
    if (!token) throw Failure(COMQTT_ERR_STATE, "this event cannot wait, or too many are waiting");
    deferred_ = true;
    return py::cast(std::make_unique<Deferral>(token, kind_));
}

const comqtt_selection* Selection::open() const {
    if (!selection_) throw Failure(COMQTT_ERR_STATE, "the selection is over: its callback has returned");
    return selection_;
}

py::list Selection::receivers() const {
    py::list made;
    comqtt_receiver receiver = comqtt_receiver_init();
    for (size_t index = 0; index < comqtt_selection_count(open()); ++index) {
        check(comqtt_selection_receiver(open(), index, &receiver));
        py::dict each;
        each["client_id"] = to_str(receiver.client_id);
        each["filter"] = to_str(receiver.filter);
        each["shared"] = receiver.shared;
        each["chosen"] = receiver.chosen;
        each["qos"] = receiver.qos;
        made.append(std::move(each));
    }
    return made;
}

void Selection::choose(size_t index, bool chosen) {
    check(comqtt_selection_choose(const_cast<comqtt_selection*>(open()), index, chosen));
}

void Selection::add(const std::string& client_id, uint8_t qos) {
    check(comqtt_selection_add(const_cast<comqtt_selection*>(open()), view_of(client_id), qos));
}

void bind_events(py::module_& module) {
    py::class_<Event>(module, "Event")
        .def_property_readonly("name", &Event::name)
        .def_property_readonly("time_ms", &Event::time_ms)
        .def_property_readonly("server", &Event::server)
        .def("set_reason", &Event::set_reason, py::arg("reason"), py::arg("text") = "")
        .def("set_for_all_topics", &Event::set_for_all_topics)
        .def("defer", &Event::defer);
    py::class_<Selection>(module, "Selection")
        .def("receivers", &Selection::receivers)
        .def("choose", &Selection::choose, py::arg("index"), py::arg("chosen") = true)
        .def("add", &Selection::add, py::arg("client_id"), py::arg("qos") = 0);
}

}  // namespace comqtt_python
