#include "pipe.hpp"

#include <algorithm>
#include <vector>

#include "error.hpp"
#include "text.hpp"
#include "waiting.hpp"

namespace comqtt_python {

void Pipe::write(const py::object& data) {
    const BytesArgument bytes(data);
    call([&](auto) { return comqtt_pipe_write(handle_.get(), bytes.view()); });
}

py::bytes Pipe::read(size_t size, const py::object& timeout) {
    std::vector<uint8_t> buffer(std::min<size_t>(size, 1U << 20U));
    size_t length = 0;
    const comqtt_status status = wait_in_slices(seconds_of(timeout), [&](int64_t slice_ms) {
        return comqtt_pipe_read(handle_.get(), buffer.data(), buffer.size(), slice_ms, &length);
    });
    if (status == COMQTT_ERR_CLOSED) return {};
    if (status == COMQTT_ERR_TIMEOUT) {
        PyErr_SetString(PyExc_TimeoutError, "the server has sent nothing");
        throw py::error_already_set();
    }
    check(status);
    return to_bytes({buffer.data(), length});
}

void Pipe::close() {
    call([&](auto) { return comqtt_pipe_close(handle_.get()); });
}

void bind_pipes(py::module_& module) {
    py::class_<Pipe>(module, "Pipe")
        .def("write", &Pipe::write, py::arg("data"))
        .def("read", &Pipe::read, py::arg("size") = 65536, py::arg("timeout") = py::none())
        .def("close", &Pipe::close)
        .def("__enter__", [](const py::object& self) { return self; })
        .def("__exit__", [](Pipe& self, const py::args&) { self.close(); });
}

}  // namespace comqtt_python
