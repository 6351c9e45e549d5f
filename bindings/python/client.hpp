#pragma once
// Client: Python's handle of a connection, a stored session or an inline client; counted, so it may be kept.

#include <comqtt.h>

#include <memory>

#include "gil.hpp"

namespace comqtt_python {

class Client {
public:
    static Client adopt(comqtt_client* own) { return Client(own); }
    static Client share(const comqtt_client* client) { return Client(comqtt_client_retain(client)); }

    comqtt_client* get() const { return handle_.get(); }

private:
    struct Release {
        void operator()(comqtt_client* client) const {
            without_gil([client] { comqtt_client_release(client); });  // the last count ends an inline client
        }
    };
    explicit Client(comqtt_client* handle) : handle_(handle) {}

    std::unique_ptr<comqtt_client, Release> handle_;
};

void bind_clients(py::module_& module);

}  // namespace comqtt_python
