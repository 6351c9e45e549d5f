#pragma once
// The interpreter's lock. Rule of this module: no function of comqtt.h that may wait, or that takes a lock which a
// thread of the server may hold while it calls back, is called with the lock held.

#include <pybind11/pybind11.h>

#include <utility>

namespace comqtt_python {

namespace py = pybind11;

/// Runs `fn` without the lock, whether the caller holds it or not.
template <class Fn>
auto without_gil(Fn&& fn) {
    if (!PyGILState_Check()) return std::forward<Fn>(fn)();
    const py::gil_scoped_release released;
    return std::forward<Fn>(fn)();
}

/// `drop` of user data that holds Python objects: deletes it under the lock.
template <class T>
void drop_with_gil(void* user) {
    if (!Py_IsInitialized()) return;  // the interpreter's memory is gone, and with it the objects
    const py::gil_scoped_acquire gil;
    delete static_cast<T*>(user);
}

}  // namespace comqtt_python
