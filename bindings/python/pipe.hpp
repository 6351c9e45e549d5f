#pragma once
// Pipe: the client's end of an in-memory connection.

#include <comqtt.h>

#include <memory>

#include "gil.hpp"

namespace comqtt_python {

class Pipe {
public:
    explicit Pipe(comqtt_pipe* own) : handle_(own) {}

    void write(const py::object& data);
    /// Up to `size` bytes; none = the server has closed. TimeoutError after `timeout` seconds (None = for ever).
    py::bytes read(size_t size, const py::object& timeout);
    void close();

private:
    struct Release {
        void operator()(comqtt_pipe* pipe) const {
            without_gil([pipe] { comqtt_pipe_release(pipe); });
        }
    };
    std::unique_ptr<comqtt_pipe, Release> handle_;
};

void bind_pipes(py::module_& module);

}  // namespace comqtt_python
