#pragma once

#include <sys/types.h>

#include <cstdint>

namespace comqtt::bench {

// What the kernel says about one process. With pid 0 every function returns 0.

// User and system time of all its threads, in nanoseconds.
std::uint64_t process_cpu_ns(pid_t pid);

// Resident memory, and the most it ever was.
std::uint64_t process_rss_bytes(pid_t pid);
std::uint64_t process_peak_rss_bytes(pid_t pid);

// What it caused to be written to disks. 0 where the kernel does not tell.
std::uint64_t process_written_bytes(pid_t pid);

// User and system time of this process.
std::uint64_t own_cpu_ns();

}  // namespace comqtt::bench
