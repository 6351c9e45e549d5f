#pragma once
// CallScope: one call of Python from a slot. Turns what comqtt.h gives into Python objects, calls, turns the result
// into an answer, and takes back at the end what dies with the callback. Under the interpreter's lock throughout.

#include <comqtt.h>

#include <vector>

#include "answer.hpp"
#include "hook.hpp"

namespace comqtt_python {

class Event;
class Packet;
class Selection;
class Sink;

class CallScope {
public:
    CallScope(const Hook& hook, comqtt_event* event, Kind kind);
    ~CallScope();
    CallScope(const CallScope&) = delete;
    CallScope& operator=(const CallScope&) = delete;

    void add(comqtt_client* client);
    void add(comqtt_packet* editable);
    void add(const comqtt_packet* frozen);
    void add(comqtt_selection* selection) { add(static_cast<const comqtt_selection*>(selection)); }
    void add(const comqtt_selection* selection);
    void add(comqtt_sink* sink);
    void add(comqtt_changes* changes);
    void add(comqtt_load* load);
    void add(const comqtt_disconnect* info);
    void add(const comqtt_metrics* metrics);
    void add(comqtt_str text);
    void add(comqtt_bytes bytes);
    void add(const int32_t* counts) { counts_ = counts; }
    void add(size_t count);
    void add(int64_t number) { arguments_.push_back(py::int_(number)); }
    void add(int32_t number) { arguments_.push_back(py::int_(number)); }
    void add(comqtt_reason reason) { arguments_.push_back(py::int_(reason)); }

    /// Answer for comqtt.h. Exceptions of Python go out.
    int32_t run(const py::object& function);

private:
    std::vector<py::object> arguments_;
    const int32_t* counts_ = nullptr;
    Kind kind_;
    Event* event_ = nullptr;
    Packet* editable_ = nullptr;
    Selection* selection_ = nullptr;
    Sink* sink_ = nullptr;
    size_t editable_index_ = 0;
};

/// "ValueError: text (in on_publish at hooks.py:12)", one line.
std::string describe(py::error_already_set& error);

py::dict metrics_dict(const comqtt_metrics& metrics);

}  // namespace comqtt_python
