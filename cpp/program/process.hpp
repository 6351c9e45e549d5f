#pragma once
// What belongs to the process and not to the library: signals and the limit on open files.

#include <csignal>
#include <cstdint>

namespace comqtt::program {

/// Holds SIGINT and SIGTERM back from every thread begun after it, so that one thread can wait for them.
class StopSignals {
public:
    StopSignals();
    /// Returns the signal that came.
    int wait();

private:
    sigset_t set_;
};

/// Raises the soft limit on open files to the hard one, a file being a connection. Returns what holds now.
uint64_t raise_open_files();

}  // namespace comqtt::program
