#include "changes.hpp"

#include "error.hpp"
#include "stored.hpp"
#include "text.hpp"

namespace comqtt_python {
namespace {

std::string copy(comqtt_str text) { return text.ptr ? std::string(text.ptr, text.len) : std::string(); }

template <class Record, class View>
py::object copy_or_none(const View* view) {
    return view ? py::cast(Record::copy_of(*view)) : py::object(py::none());
}

template <auto Call>
bool tell(comqtt_changes* batch, comqtt_status status, const std::string& text) {
    const comqtt_status result = without_gil([&] { return Call(batch, status, view_of(text)); });
    if (result == COMQTT_ERR_CLOSED) return false;
    check(result);
    return true;
}

py::iterator iterate(const Changes& self) {
    py::list all;
    for (size_t index = 0; index < self.count(); ++index) all.append(self.at(index));
    return py::iter(all);
}

}  // namespace

Change Changes::at(size_t index) const {
    comqtt_change change = comqtt_change_init();
    if (comqtt_changes_at(handle_.get(), index, &change) == COMQTT_ERR_NOT_FOUND) throw py::index_error();
    check(comqtt_changes_at(handle_.get(), index, &change));
    return {change.kind,
            copy(change.client_id),
            change.position,
            change.message_key,
            change.packet_id,
            copy(change.text),
            copy_or_none<StoredClient>(change.session),
            copy_or_none<StoredSubscription>(change.subscription),
            copy_or_none<StoredMessage>(change.message)};
}

bool Changes::complete(comqtt_status status, const std::string& text) const {
    return tell<comqtt_changes_complete>(handle_.get(), status, text);
}

bool Changes::report(comqtt_status status, const std::string& text) const {
    return tell<comqtt_changes_report>(handle_.get(), status, text);
}

void bind_changes(py::module_& module) {
    py::class_<Change>(module, "Change")
        .def_readonly("kind", &Change::kind)
        .def_readonly("client_id", &Change::client_id)
        .def_readonly("position", &Change::position)
        .def_readonly("message_key", &Change::message_key)
        .def_readonly("packet_id", &Change::packet_id)
        .def_readonly("text", &Change::text)
        .def_readonly("session", &Change::session)
        .def_readonly("subscription", &Change::subscription)
        .def_readonly("message", &Change::message);
    py::class_<Changes>(module, "Changes")
        .def("__len__", &Changes::count)
        .def("__getitem__", &Changes::at, py::arg("index"))
        .def("__iter__", &iterate)
        .def_property_readonly("thread", &Changes::thread)
        .def("complete", &Changes::complete, py::arg("status") = int{COMQTT_OK}, py::arg("text") = "")
        .def("report", &Changes::report, py::arg("status"), py::arg("text") = "");
}

}  // namespace comqtt_python
