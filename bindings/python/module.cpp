// _comqtt: comqtt.h for Python. The package `comqtt` is what users import.
#include "answer.hpp"
#include "changes.hpp"
#include "client.hpp"
#include "deferral.hpp"
#include "error.hpp"
#include "event.hpp"
#include "hook.hpp"
#include "load.hpp"
#include "log_ring.hpp"
#include "packet.hpp"
#include "pipe.hpp"
#include "server.hpp"
#include "stored.hpp"
#include "text.hpp"

namespace comqtt_python {
namespace {

void bind_functions(py::module_& module) {
    module.def("version", &comqtt_version_text);
    module.def("has_feature", &comqtt_has_feature, py::arg("name"));
    module.def("reason_text", &comqtt_reason_text, py::arg("reason"));
    module.def(
        "topic_matches",
        [](const std::string& filter, const std::string& topic) {
            return comqtt_topic_matches(view_of(filter), view_of(topic));
        },
        py::arg("filter"), py::arg("topic"));
    module.def(
        "topic_name_is_valid",
        [](const std::string& topic) { return comqtt_topic_name_is_valid(view_of(topic)); },
        py::arg("topic"));
    module.def(
        "topic_filter_is_valid",
        [](const std::string& filter) { return comqtt_topic_filter_is_valid(view_of(filter)); },
        py::arg("filter"));
}

}  // namespace
}  // namespace comqtt_python

PYBIND11_MODULE(_comqtt, module) {
    using namespace comqtt_python;
    module.doc() = "comqtt.h for Python; use the package comqtt";
    bind_errors(module);
    bind_answers(module);
    bind_log(module);
    bind_packets(module);
    bind_clients(module);
    bind_deferrals(module);
    bind_events(module);
    bind_stored(module);
    bind_changes(module);
    bind_loads(module);
    bind_hooks(module);
    bind_pipes(module);
    bind_server(module);
    bind_functions(module);
}
