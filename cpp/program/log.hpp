#pragma once
// Log lines of the program and of the library, on stderr. Writing is left to a thread of its own: a terminal that
// does not keep up loses lines and never holds up the broker.

#include <comqtt.h>

#include <string>

namespace comqtt::program {

/// Begins to log from `level` (a comqtt_log_level) on. The destructor writes what is left.
class LogOutput {
public:
    explicit LogOutput(int level);
    ~LogOutput();
    LogOutput(const LogOutput&) = delete;
    LogOutput& operator=(const LogOutput&) = delete;
};

void log_line(comqtt_log_level level, const std::string& text);

/// A comqtt_log_fn.
void log_from_library(void* user, const comqtt_log_record* record);

}  // namespace comqtt::program
