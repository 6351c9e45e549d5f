#pragma once
// Views of comqtt.h to Python objects and back.

#include <comqtt.h>

#include <string>
#include <string_view>

#include "gil.hpp"

namespace comqtt_python {

inline comqtt_str view_of(std::string_view text) { return {text.data() ? text.data() : "", text.size()}; }

/// Text for Python; an absent one is empty. What is not UTF-8 is replaced, not refused.
py::str to_str(comqtt_str text);
/// The same; an absent one is None.
py::object to_optional_str(comqtt_str text);
py::bytes to_bytes(comqtt_bytes bytes);
py::object to_optional_bytes(comqtt_bytes bytes);

/// The bytes of a str (as UTF-8), of None (none) or of any contiguous bytes-like object, for as long as this lives.
class BytesArgument {
public:
    explicit BytesArgument(const py::object& value);
    ~BytesArgument();
    BytesArgument(const BytesArgument&) = delete;
    BytesArgument& operator=(const BytesArgument&) = delete;

    comqtt_bytes view() const { return view_; }

private:
    py::object owner_;
    Py_buffer buffer_{};
    comqtt_bytes view_{};
};

}  // namespace comqtt_python
