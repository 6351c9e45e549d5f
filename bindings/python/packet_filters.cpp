// Entries of SUBSCRIBE and UNSUBSCRIBE.
#include "error.hpp"
#include "packet.hpp"
#include "text.hpp"

namespace comqtt_python {
namespace {

/// From a TopicFilter, a str, or a pair (str, qos).
TopicFilter filter_from(const py::handle& value) {
    if (py::isinstance<TopicFilter>(value)) return value.cast<TopicFilter>();
    TopicFilter made;
    if (py::isinstance<py::tuple>(value)) {
        const auto pair = value.cast<py::tuple>();
        if (pair.size() != 2) throw py::value_error("a topic filter is a TopicFilter, a str or (str, qos)");
        made.filter = pair[0].cast<std::string>();
        made.qos = pair[1].cast<uint8_t>();
    } else {
        made.filter = value.cast<std::string>();
    }
    return made;
}

py::list filters(const Packet& packet) {
    py::list made;
    comqtt_subscription entry = comqtt_subscription_init();
    for (size_t index = 0; index < comqtt_packet_filter_count(packet.get()); ++index) {
        check(comqtt_packet_filter(packet.get(), index, &entry));
        made.append(TopicFilter::copy_of(entry));
    }
    return made;
}

void replace_filters(Packet& packet, const py::iterable& values) {
    while (comqtt_packet_filter_count(packet.get()) > 0) check(comqtt_packet_remove_filter(packet.edit(), 0));
    for (const py::handle value : values) {
        const TopicFilter filter = filter_from(value);
        const comqtt_subscription entry = filter.view();
        check(comqtt_packet_add_filter(packet.edit(), &entry));
    }
}

}  // namespace

TopicFilter TopicFilter::copy_of(const comqtt_subscription& entry) {
    return {std::string(entry.filter.ptr ? entry.filter.ptr : "", entry.filter.len),
            entry.qos,
            entry.no_local,
            entry.retain_as_published,
            entry.retain_handling,
            entry.identifier};
}

comqtt_subscription TopicFilter::view() const {
    comqtt_subscription entry = comqtt_subscription_init();
    entry.filter = view_of(filter);
    entry.qos = qos;
    entry.no_local = no_local;
    entry.retain_as_published = retain_as_published;
    entry.retain_handling = retain_handling;
    entry.identifier = identifier;
    return entry;
}

void bind_packet_filters(py::module_& module, PacketClass& packet) {
    py::class_<TopicFilter>(module, "TopicFilter")
        .def(
            py::init([](std::string filter, uint8_t qos, bool no_local, bool as_published, uint8_t handling) {
                return TopicFilter{std::move(filter), qos, no_local, as_published, handling, 0};
            }),
            py::arg("filter"), py::arg("qos") = 0, py::arg("no_local") = false,
            py::arg("retain_as_published") = false, py::arg("retain_handling") = 0)
        .def_readwrite("filter", &TopicFilter::filter)
        .def_readwrite("qos", &TopicFilter::qos)
        .def_readwrite("no_local", &TopicFilter::no_local)
        .def_readwrite("retain_as_published", &TopicFilter::retain_as_published)
        .def_readwrite("retain_handling", &TopicFilter::retain_handling)
        .def_readonly("identifier", &TopicFilter::identifier)
        .def("__repr__", [](const TopicFilter& self) {
            return "TopicFilter('" + self.filter + "', qos=" + std::to_string(self.qos) + ")";
        });
    packet.def_property("filters", &filters, &replace_filters);
}

}  // namespace comqtt_python
