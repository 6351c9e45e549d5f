#pragma once
// Broker: the server that the flags describe, from comqtt.h to C++.

#include <comqtt.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "flags.hpp"

namespace comqtt::program {

/// What could not be done and why, ready to be printed.
class Failure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Lives in main. One thread.
class Broker {
public:
    /// Everything but the start: options, hook, listeners.
    explicit Broker(const Flags& flags);

    void start();
    /// Clients are told and get a moment to go.
    void begin_stop();
    /// No longer that moment.
    void hasten();
    bool stopped() const;
    /// It has not stopped within the time it has.
    bool late() const;

    std::vector<std::string> listeners() const;  ///< "tcp 127.0.0.1:1883", as bound
    int64_t threads() const;

private:
    struct Free {
        void operator()(comqtt_server* server) const { comqtt_server_free(server); }
    };

    void listen(comqtt_listener_kind kind, const std::string& id, const std::string& address);

    std::unique_ptr<comqtt_server, Free> server_;
    std::chrono::steady_clock::time_point stop_by_;
};

}  // namespace comqtt::program
