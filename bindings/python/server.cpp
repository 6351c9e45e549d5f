// Life of a server.
#include "server.hpp"

#include <pybind11/stl.h>

#include "error.hpp"
#include "text.hpp"
#include "waiting.hpp"

namespace comqtt_python {
namespace {

/// Frees the server; not in a child process, which has none of its threads.
struct FreeServer {
    pid_t process = getpid();
    void operator()(comqtt_server* server) const {
        if (getpid() == process) without_gil([server] { comqtt_server_free(server); });
    }
};

using Options = std::unique_ptr<comqtt_options, void (*)(comqtt_options*)>;

Options options_from(const Settings& settings) {
    comqtt_options* made = nullptr;
    check(comqtt_options_new(&made));
    Options options(made, comqtt_options_free);
    for (const auto& [key, value] : settings) {
        comqtt_error* error = nullptr;
        const comqtt_status status = comqtt_options_set(made, key.c_str(), view_of(value), &error);
        check(status, error);
    }
    return options;
}

void stop(const Server& self, int64_t drain_ms) {
    const auto server = self.handle();
    call([&](auto) { return comqtt_server_stop(server.get(), drain_ms); });
}

/// True when the server has stopped.
bool wait(const Server& self, const py::object& timeout) {
    const auto server = self.handle();
    const comqtt_status status = wait_in_slices(
        seconds_of(timeout), [&](int64_t slice_ms) { return comqtt_server_wait(server.get(), slice_ms); });
    if (status == COMQTT_ERR_TIMEOUT) return false;
    check(status);
    return true;
}

std::string option(const Server& self, const std::string& key) {
    const auto server = self.handle();
    const comqtt_options* options = comqtt_server_options(server.get());
    size_t size = 0;
    const comqtt_status status = comqtt_options_get(options, key.c_str(), nullptr, 0, &size);
    if (status == COMQTT_ERR_NOT_FOUND) throw py::key_error("there is no option " + key);
    std::string value(size, '\0');
    check(comqtt_options_get(options, key.c_str(), value.data(), value.size(), &size));
    return value;
}

/// [(key, default, text)] of every option there is.
py::list option_table() {
    py::list made;
    check(comqtt_options_each(
        [](void* user, const comqtt_option_info* info) {
            static_cast<py::list*>(user)->append(py::make_tuple(info->key, info->default_text, info->text));
            return true;
        },
        &made));
    return made;
}

}  // namespace

Server::Server(const Settings& options, std::shared_ptr<LogRing> log, comqtt_log_level level)
    : log_(std::move(log)) {
    const Options prepared = options_from(options);
    if (log_) log_to(prepared.get(), log_, level);
    comqtt_server* made = nullptr;
    call([&](comqtt_error** error) { return comqtt_server_new(prepared.get(), &made, error); });
    handle_ = std::shared_ptr<comqtt_server>(made, FreeServer{});
}

Server::~Server() {
    const bool ours = !handle_ || getpid() == std::get_deleter<FreeServer>(handle_)->process;
    close();
    if (log_ && ours) log_->close();  // ends the thread that empties it
}

std::shared_ptr<comqtt_server> Server::handle() const {
    if (!handle_) throw Failure(COMQTT_ERR_CLOSED, "the server is closed");
    return handle_;
}

void Server::close() {
    const std::shared_ptr<comqtt_server> server = handle_;
    if (!server) return;
    if (getpid() == std::get_deleter<FreeServer>(server)->process)
        without_gil([&] {  // callbacks that still come find a server that works
            if (comqtt_server_stop(server.get(), 0) == COMQTT_OK) comqtt_server_wait(server.get(), -1);
        });
    handle_.reset();
}

void bind_server(py::module_& module) {
    ServerClass server(module, "Server");
    server
        .def(py::init<const Settings&, std::shared_ptr<LogRing>, comqtt_log_level>(), py::arg("options"),
             py::arg("log"), py::arg("log_level"))
        .def("start",
             [](const Server& self) {
                 const auto handle = self.handle();
                 call([&](comqtt_error** error) { return comqtt_server_start(handle.get(), error); });
             })
        .def("begin_stop", &stop, py::arg("drain_ms") = 0)
        .def("wait", &wait, py::arg("timeout") = py::none())
        .def("close", &Server::close)
        .def(
            "advance",
            [](const Server& self, int64_t ms) {
                const auto handle = self.handle();
                call([&](auto) { return comqtt_server_advance(handle.get(), ms); });
            },
            py::arg("ms"))
        .def("check_ready",
             [](const Server& self) {
                 const auto handle = self.handle();
                 call([&](comqtt_error** error) { return comqtt_server_ready(handle.get(), error); });
             })
        .def("option", &option, py::arg("key"))
        .def_static("option_table", &option_table)
        .def_property_readonly(
            "now_ms", [](const Server& self) { return comqtt_server_now_unix_ms(self.handle().get()); })
        .def_property_readonly(
            "state", [](const Server& self) { return comqtt_server_state(self.handle_or_null().get()); });
    bind_server_listeners(server);
    bind_server_hooks(server);
    bind_server_inline(server);
    bind_server_lookup(server);
}

}  // namespace comqtt_python
