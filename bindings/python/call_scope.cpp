#include "call_scope.hpp"

#include "changes.hpp"
#include "client.hpp"
#include "error.hpp"
#include "event.hpp"
#include "load.hpp"
#include "packet.hpp"
#include "text.hpp"

namespace comqtt_python {

CallScope::CallScope(const Hook& hook, comqtt_event* event, Kind kind) : kind_(kind) {
    arguments_.reserve(6);
    arguments_.push_back(py::cast(Event(event, kind, hook.server)));
    event_ = &arguments_.back().cast<Event&>();
}

CallScope::~CallScope() {
    event_->leave();
    if (selection_) selection_->leave();
    if (sink_) sink_->leave();
    if (editable_) editable_->leave(arguments_[editable_index_].ref_count() > 1);
}

void CallScope::add(comqtt_client* client) {
    arguments_.push_back(client ? py::cast(Client::share(client)) : py::none());
}

void CallScope::add(comqtt_packet* packet) {
    arguments_.push_back(py::cast(Packet::borrow(packet)));
    editable_ = &arguments_.back().cast<Packet&>();
    editable_index_ = arguments_.size() - 1;
}

void CallScope::add(const comqtt_packet* packet) {
    arguments_.push_back(packet ? py::cast(Packet::share(packet)) : py::none());
}

void CallScope::add(const comqtt_selection* selection) {
    arguments_.push_back(py::cast(Selection(selection)));
    selection_ = &arguments_.back().cast<Selection&>();
}

void CallScope::add(comqtt_sink* sink) {
    arguments_.push_back(py::cast(Sink(sink)));
    sink_ = &arguments_.back().cast<Sink&>();
}

void CallScope::add(comqtt_changes* changes) {
    arguments_.push_back(py::cast(std::make_unique<Changes>(changes)));
}

void CallScope::add(comqtt_load* load) { arguments_.push_back(py::cast(std::make_unique<Load>(load))); }

void CallScope::add(const comqtt_disconnect* info) {
    py::dict made;
    made["reason"] = info->reason;
    made["text"] = to_str(info->text);
    made["by_client"] = info->by_client;
    made["clean"] = info->clean;
    made["expire"] = info->expire;
    arguments_.push_back(std::move(made));
}

void CallScope::add(const comqtt_metrics* metrics) { arguments_.push_back(metrics_dict(*metrics)); }

void CallScope::add(comqtt_str text) { arguments_.push_back(to_str(text)); }

void CallScope::add(comqtt_bytes bytes) { arguments_.push_back(to_bytes(bytes)); }

void CallScope::add(size_t count) {
    py::list made;
    for (size_t index = 0; counts_ && index < count; ++index) made.append(counts_[index]);
    arguments_.push_back(std::move(made));
}

int32_t CallScope::run(const py::object& function) {
    py::tuple arguments(arguments_.size());
    for (size_t index = 0; index < arguments_.size(); ++index) arguments[index] = arguments_[index];
    const py::object result = function(*arguments);
    const int32_t answer = answer_of(result, kind_);
    if (is_pending(answer, kind_) && !event_->deferred())
        throw py::value_error("PENDING was answered, but event.defer() was not called");
    return answer;
}

std::string describe(py::error_already_set& error) {
    try {
        std::string text = py::str(error.type().attr("__name__"));
        text += ": " + std::string(py::str(error.value()));
        if (!error.trace()) return text;
        std::string places;
        for (const py::handle frame : py::module_::import("traceback").attr("extract_tb")(error.trace()))
            places += (places.empty() ? " (in " : ", ") + std::string(py::str(frame.attr("name"))) + " at " +
                      std::string(py::str(frame.attr("filename"))) + ":" +
                      std::string(py::str(frame.attr("lineno")));
        return text + places + (places.empty() ? "" : ")");
    } catch (py::error_already_set&) {
        return "an exception that cannot be described";
    }
}

py::dict metrics_dict(const comqtt_metrics& metrics) {
    py::dict made;
    check(comqtt_metrics_each(
        &metrics,
        [](void* user, const char* name, comqtt_metric_kind, const char*, int64_t value) {
            (*static_cast<py::dict*>(user))[name] = value;
            return true;
        },
        &made));
    return made;
}

}  // namespace comqtt_python
