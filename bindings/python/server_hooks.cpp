// Hooks of a server, written in Python or built in.
#include "error.hpp"
#include "hook.hpp"
#include "server.hpp"
#include "text.hpp"

namespace comqtt_python {
namespace {

uint64_t add_hook(Server& self, const py::dict& functions, std::string id) {
    const auto server = self.handle();
    auto hook = hook_from(functions, std::move(id));
    hook->server = self.weak_from_this();
    const comqtt_hooks table = table_of(*hook);
    uint64_t number = 0;
    call([&](comqtt_error** error) {
        return comqtt_server_add_hook(server.get(), &table, hook.release(), drop_with_gil<Hook>, &number,
                                      error);
    });
    return number;
}

void remove_hook(const Server& self, uint64_t hook) {
    const auto server = self.handle();
    call([&](auto) { return comqtt_server_remove_hook(server.get(), hook); });
}

template <auto Add>
uint64_t add_built_in(const Server& self) {
    const auto server = self.handle();
    uint64_t number = 0;
    call([&](comqtt_error** error) { return Add(server.get(), &number, error); });
    return number;
}

uint64_t add_debug_hook(const Server& self, bool packet_data, bool pings, bool passwords) {
    const auto server = self.handle();
    comqtt_debug_config config = comqtt_debug_config_init();
    config.show_packet_data = packet_data;
    config.show_pings = pings;
    config.show_passwords = passwords;
    uint64_t number = 0;
    call([&](comqtt_error** error) {
        return comqtt_server_add_debug_hook(server.get(), &config, &number, error);
    });
    return number;
}

}  // namespace

void bind_server_hooks(ServerClass& server) {
    server.def("add_hook_functions", &add_hook, py::arg("functions"), py::arg("id"))
        .def("remove_hook", &remove_hook, py::arg("hook"))
        .def("allow_all", &add_built_in<comqtt_server_add_allow_all>)
        .def("allow_loopback", &add_built_in<comqtt_server_add_allow_loopback>)
        .def("add_debug_hook", &add_debug_hook, py::kw_only(), py::arg("show_packet_data") = false,
             py::arg("show_pings") = false, py::arg("show_passwords") = false)
        .def("clear_acl_cache", [](const Server& self) {
            const auto handle = self.handle();
            call([&](auto) { return comqtt_server_clear_acl_cache(handle.get()); });
        });
}

}  // namespace comqtt_python
