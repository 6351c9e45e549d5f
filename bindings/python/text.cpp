#include "text.hpp"

namespace comqtt_python {

py::str to_str(comqtt_str text) {
    PyObject* made =
        PyUnicode_DecodeUTF8(text.ptr ? text.ptr : "", static_cast<Py_ssize_t>(text.len), "replace");
    if (!made) throw py::error_already_set();
    return py::reinterpret_steal<py::str>(made);
}

py::object to_optional_str(comqtt_str text) { return text.ptr ? py::object(to_str(text)) : py::none(); }

py::bytes to_bytes(comqtt_bytes bytes) {
    return py::bytes(bytes.ptr ? reinterpret_cast<const char*>(bytes.ptr) : "", bytes.len);
}

py::object to_optional_bytes(comqtt_bytes bytes) {
    return bytes.ptr ? py::object(to_bytes(bytes)) : py::none();
}

BytesArgument::BytesArgument(const py::object& value) : owner_(value) {
    if (value.is_none()) {
        view_ = comqtt_bytes_of("", 0);
    } else if (PyUnicode_Check(value.ptr())) {
        Py_ssize_t size = 0;
        const char* text = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
        if (!text) throw py::error_already_set();
        view_ = comqtt_bytes_of(text, static_cast<size_t>(size));
    } else {
        if (PyObject_GetBuffer(value.ptr(), &buffer_, PyBUF_SIMPLE) != 0) throw py::error_already_set();
        view_ = comqtt_bytes_of(buffer_.buf ? buffer_.buf : "", static_cast<size_t>(buffer_.len));
    }
}

BytesArgument::~BytesArgument() {
    if (buffer_.obj) PyBuffer_Release(&buffer_);
}

}  // namespace comqtt_python
