#pragma once
// What belongs to the process and not to the library: signals, the limit on open files, how memory is freed.

#include <csignal>
#include <cstdint>
#include <optional>

namespace comqtt::program {

/// Holds the signals that this program is sent back from every thread begun after it, so that one thread can wait for
/// them. None of them ends the process by itself.
class Signals {
public:
    Signals();
    /// The signal that came.
    int wait();
    /// The same for so long at most; nothing when none came.
    std::optional<int> wait_for(int milliseconds);

private:
    sigset_t set_;
};

/// SIGINT and SIGTERM. The others mean nothing here.
bool means_stop(int signal);
/// "SIGTERM".
const char* signal_name(int signal);

/// Raises the soft limit on open files to the hard one, a file being a connection. Returns what holds now.
uint64_t raise_open_files();

/// glibc's allocator keeps small blocks that were freed apart and joins them with their neighbours all at once, when a
/// large block is freed: a pause of up to 50 ms for all clients of a thread that has freed 100,000 things. From here on
/// each is joined when it is freed. Before any thread.
void free_memory_evenly();

}  // namespace comqtt::program
