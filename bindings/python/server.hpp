#pragma once
// Server: Python's handle of a broker; the package's comqtt.Server derives from it.
//
// Every call works on a share of the handle, so that close() in one thread never takes the server away under a call
// in another; the last share frees it.

#include <comqtt.h>

#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gil.hpp"
#include "log_ring.hpp"

namespace comqtt_python {

using Settings = std::vector<std::pair<std::string, std::string>>;

class Server : public std::enable_shared_from_this<Server> {
public:
    Server(const Settings& options, std::shared_ptr<LogRing> log, comqtt_log_level level);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Throws CLOSED after close().
    std::shared_ptr<comqtt_server> handle() const;
    /// Null after close().
    std::shared_ptr<comqtt_server> handle_or_null() const { return handle_; }
    const std::shared_ptr<LogRing>& log() const { return log_; }

    /// Stops, waits and frees; again does nothing. In a callback it begins to stop and returns.
    void close();

private:
    std::shared_ptr<comqtt_server> handle_;  ///< read and changed under the interpreter's lock
    std::shared_ptr<LogRing> log_;           ///< null = no log
};

using ServerClass = py::class_<Server, std::shared_ptr<Server>>;

void bind_server(py::module_& module);
void bind_server_listeners(ServerClass& server);
void bind_server_hooks(ServerClass& server);
void bind_server_inline(ServerClass& server);
void bind_server_lookup(ServerClass& server);

}  // namespace comqtt_python
