#include "error.hpp"

#include <memory>

namespace comqtt_python {
namespace {

PyObject* error_class = nullptr;  // owned by the module; never destroyed, as it may outlive the interpreter

void raise(const Failure& failure) {
    try {
        const py::object exception = py::reinterpret_borrow<py::object>(error_class)(failure.what());
        exception.attr("status") = failure.status;
        exception.attr("status_name") = comqtt_status_name(failure.status);
        exception.attr("reason") = failure.reason;
        PyErr_SetObject(error_class, exception.ptr());
    } catch (py::error_already_set& other) {
        other.restore();
    }
}

}  // namespace

void check(comqtt_status status, comqtt_error* error) {
    if (status == COMQTT_OK) return;
    const std::unique_ptr<comqtt_error, void (*)(comqtt_error*)> owned(error, comqtt_error_free);
    if (!error) throw Failure(status, comqtt_status_text(status));
    const comqtt_str text = comqtt_error_message(error);
    throw Failure(status, std::string(text.ptr, text.len), comqtt_error_reason(error));
}

void bind_errors(py::module_& module) {
    error_class =
        PyErr_NewExceptionWithDoc("comqtt.Error", "A call of the broker library failed.", nullptr, nullptr);
    if (!error_class) throw py::error_already_set();
    module.attr("Error") = py::reinterpret_borrow<py::object>(error_class);
    py::register_exception_translator([](std::exception_ptr pointer) {
        try {
            if (pointer) std::rethrow_exception(pointer);
        } catch (const Failure& failure) {
            raise(failure);
        }
    });
}

}  // namespace comqtt_python
