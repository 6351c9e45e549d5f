#pragma once
// Event and Selection: contexts of one callback. Python may keep the objects; when the callback has returned they
// answer with an error instead of touching what is gone.

#include <comqtt.h>

#include <memory>
#include <string>

#include "answer.hpp"
#include "error.hpp"

namespace comqtt_python {

class Server;

class Event {
public:
    Event(comqtt_event* event, Kind kind, std::weak_ptr<Server> server)
        : event_(event), kind_(kind), server_(std::move(server)) {}

    std::string name() const { return comqtt_event_name(open()); }
    int64_t time_ms() const { return comqtt_event_time_unix_ms(open()); }
    py::object server() const;
    void set_reason(comqtt_reason reason, const std::string& text);
    void set_for_all_topics() { check(comqtt_event_set_for_all_topics(open())); }
    py::object defer();
    bool deferred() const { return deferred_; }
    void leave() { event_ = nullptr; }

private:
    comqtt_event* open() const;

    comqtt_event* event_;
    Kind kind_;
    bool deferred_ = false;
    std::weak_ptr<Server> server_;
};

/// The receivers of one message.
class Selection {
public:
    explicit Selection(const comqtt_selection* selection) : selection_(selection) {}

    py::list receivers() const;
    void choose(size_t index, bool chosen);
    void add(const std::string& client_id, uint8_t qos);
    void leave() { selection_ = nullptr; }

private:
    const comqtt_selection* open() const;

    const comqtt_selection* selection_;
};

void bind_events(py::module_& module);

}  // namespace comqtt_python
