#pragma once
// Failed calls become the Python exception comqtt.Error (status, status_name, reason).

#include <comqtt.h>

#include <stdexcept>
#include <string>

#include "gil.hpp"

namespace comqtt_python {

struct Failure : std::runtime_error {
    Failure(comqtt_status failed_status, const std::string& text, comqtt_reason mqtt_reason = 0)
        : std::runtime_error(text), status(failed_status), reason(mqtt_reason) {}
    comqtt_status status;
    comqtt_reason reason;
};

/// Throws when `status` is a failure; takes `error` over.
void check(comqtt_status status, comqtt_error* error = nullptr);

/// Calls `fn(comqtt_error** out_error)` without the interpreter's lock and throws when it fails.
template <class Fn>
void call(Fn&& fn) {
    comqtt_error* error = nullptr;
    const comqtt_status status = without_gil([&] { return fn(&error); });
    check(status, error);
}

void bind_errors(py::module_& module);

}  // namespace comqtt_python
