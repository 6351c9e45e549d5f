#pragma once
// Changes: a batch of changes for a store. Python's reference keeps it; given up without an answer it was not stored.

#include <comqtt.h>

#include <memory>
#include <string>

#include "gil.hpp"

namespace comqtt_python {

struct Change {
    comqtt_change_kind kind;
    std::string client_id;
    uint64_t position;
    uint64_t message_key;
    uint16_t packet_id;
    std::string text;
    py::object session, subscription, message;  ///< StoredClient, StoredSubscription, StoredMessage or None
};

class Changes {
public:
    explicit Changes(comqtt_changes* batch) : handle_(comqtt_changes_retain(batch)) {}

    size_t count() const { return comqtt_changes_count(handle_.get()); }
    unsigned thread() const { return comqtt_changes_thread(handle_.get()); }
    Change at(size_t index) const;
    /// False when the server is gone.
    bool complete(comqtt_status status, const std::string& text) const;
    bool report(comqtt_status status, const std::string& text) const;

private:
    struct Release {
        void operator()(comqtt_changes* batch) const {
            without_gil([batch] { comqtt_changes_release(batch); });
        }
    };
    std::unique_ptr<comqtt_changes, Release> handle_;
};

void bind_changes(py::module_& module);

}  // namespace comqtt_python
