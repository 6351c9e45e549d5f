#pragma once
// Sink and Load: what takes stored records. A sink dies with its callback; a load may be kept and completed later.

#include <comqtt.h>

#include <memory>
#include <string>

#include "error.hpp"
#include "stored.hpp"

namespace comqtt_python {

class Sink {
public:
    explicit Sink(comqtt_sink* sink) : sink_(sink) {}

    void add(const StoredClient& record);
    void add(const StoredSubscription& record);
    void add(const StoredMessage& record);
    void add_blocked(const std::string& client_id);
    void leave() { sink_ = nullptr; }

private:
    comqtt_sink* open() const;

    comqtt_sink* sink_;
};

class Load {
public:
    explicit Load(comqtt_load* load) : handle_(comqtt_load_retain(load)) {}

    comqtt_load_request request() const;
    void add(const StoredClient& record);
    void add(const StoredSubscription& record);
    void add(const StoredMessage& record);
    /// False when the server is gone.
    bool complete(comqtt_status status, const std::string& text);

private:
    struct Release {
        void operator()(comqtt_load* load) const {
            without_gil([load] { comqtt_load_release(load); });
        }
    };
    std::unique_ptr<comqtt_load, Release> handle_;
};

void bind_loads(py::module_& module);

}  // namespace comqtt_python
