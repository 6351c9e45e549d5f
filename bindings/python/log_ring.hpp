#pragma once
// LogRing: log lines on their way from the server's threads to Python's logging. The log callback only appends, so
// that no thread of the server ever waits for the interpreter in order to log; a Python thread takes the lines out.

#include <comqtt.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "gil.hpp"

namespace comqtt_python {

struct LogLine {
    comqtt_log_level level;
    std::string component;
    std::string message;
};

class LogRing {
public:
    /// Any thread, with the interpreter's lock or without. A full ring counts the line as lost.
    void push(comqtt_log_level level, std::string_view component, std::string_view message) noexcept;
    /// Waits for lines; none = closed and empty.
    std::vector<LogLine> take();
    /// No more lines are taken in.
    void close();

private:
    static constexpr size_t kCapacity = 8192;
    std::mutex mutex_;
    std::condition_variable filled_;
    std::deque<LogLine> lines_;
    uint64_t lost_ = 0;
    bool closed_ = false;
};

/// Sends the log of servers made from `options` to `ring`.
void log_to(comqtt_options* options, const std::shared_ptr<LogRing>& ring, comqtt_log_level level);

void bind_log(py::module_& module);

}  // namespace comqtt_python
