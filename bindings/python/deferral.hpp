#pragma once
// Deferral: the token behind a PENDING answer, to be completed once from any thread.

#include <comqtt.h>

#include <string>

#include "answer.hpp"

namespace comqtt_python {

class Deferral {
public:
    Deferral(comqtt_deferral* own, Kind kind) : handle_(own), kind_(kind) {}
    ~Deferral();
    Deferral(const Deferral&) = delete;
    Deferral& operator=(const Deferral&) = delete;

    /// False when nobody waits any more: the client or the server has gone, or the time is up.
    bool complete(const py::object& answer, comqtt_reason reason, const std::string& text, int64_t delay_ms);
    bool cancelled() const;
    py::object client() const;
    /// The packet in question, for editing until the token is completed; None when there is none.
    py::object packet();
    void on_cancel(py::function callback);

private:
    comqtt_deferral* open() const;
    comqtt_deferral* take();
    void give_packet_back();

    comqtt_deferral* handle_;  ///< null once completed
    Kind kind_;
    py::object packet_;
};

void bind_deferrals(py::module_& module);

}  // namespace comqtt_python
