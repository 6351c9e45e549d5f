#pragma once
// Long waits without the interpreter's lock, in slices, so that Ctrl-C is seen.

#include <comqtt.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "gil.hpp"

namespace comqtt_python {

/// Seconds to wait; None = for ever.
inline std::optional<double> seconds_of(const py::object& timeout) {
    if (timeout.is_none()) return std::nullopt;
    return std::max(0.0, timeout.cast<double>());
}

/// Calls `fn(timeout_ms)` until it answers something else than TIMEOUT or the time is up.
template <class Fn>
comqtt_status wait_in_slices(std::optional<double> seconds, Fn&& fn) {
    using Clock = std::chrono::steady_clock;
    using Milliseconds = std::chrono::milliseconds;
    constexpr Milliseconds kSlice{100};
    const auto begin = Clock::now();
    for (;;) {
        Milliseconds slice = kSlice;
        if (seconds) {
            const std::chrono::duration<double> left =
                std::chrono::duration<double>(*seconds) - (Clock::now() - begin);
            slice = std::min(kSlice, std::max(Milliseconds(0), std::chrono::ceil<Milliseconds>(left)));
        }
        const comqtt_status status = without_gil([&] { return fn(static_cast<int64_t>(slice.count())); });
        if (status != COMQTT_ERR_TIMEOUT || slice < kSlice) return status;
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    }
}

}  // namespace comqtt_python
