#include "proc_stats.hpp"

#include <time.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

#include "clock.hpp"

namespace comqtt::bench {
namespace {

std::string proc_path(pid_t pid, const char* name) { return "/proc/" + std::to_string(pid) + "/" + name; }

std::uint64_t read_clock(clockid_t id) {
    timespec t{};
    if (::clock_gettime(id, &t) != 0) return 0;
    return static_cast<std::uint64_t>(t.tv_sec) * kNsPerSecond + static_cast<std::uint64_t>(t.tv_nsec);
}

// Fields 14 and 15 of /proc/<pid>/stat, counted after the name, which may hold spaces.
std::uint64_t stat_cpu_ns(pid_t pid) {
    std::ifstream file(proc_path(pid, "stat"));
    std::string line;
    std::getline(file, line);
    const std::size_t name_end = line.rfind(')');
    if (name_end == std::string::npos) return 0;
    std::istringstream fields(line.substr(name_end + 1));
    std::string skipped;
    for (int i = 3; i < 14; ++i) fields >> skipped;
    std::uint64_t user = 0;
    std::uint64_t system = 0;
    fields >> user >> system;
    const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    return (user + system) * (kNsPerSecond / ticks);
}

// The number of a "Name:   123 kB" or "name: 123" line.
std::uint64_t named_line(const std::string& path, const std::string& name) {
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
        if (line.compare(0, name.size(), name) != 0) continue;
        return std::stoull(line.substr(name.size()));
    }
    return 0;
}

std::uint64_t kib_line(const std::string& path, const std::string& name) {
    return named_line(path, name) * 1024;
}

}  // namespace

// The CPU clock of a process is the sum over its threads, living and ended, in nanoseconds;
// /proc/<pid>/stat holds the same sum in steps of 10 ms and is the fallback.
std::uint64_t process_cpu_ns(pid_t pid) {
    if (pid == 0) return 0;
    clockid_t id{};
    if (::clock_getcpuclockid(pid, &id) == 0) {
        const std::uint64_t ns = read_clock(id);
        if (ns != 0) return ns;
    }
    return stat_cpu_ns(pid);
}

// smaps_rollup walks the page tables and is exact; status can be some pages per core behind.
std::uint64_t process_rss_bytes(pid_t pid) {
    if (pid == 0) return 0;
    const std::uint64_t exact = kib_line(proc_path(pid, "smaps_rollup"), "Rss:");
    return exact != 0 ? exact : kib_line(proc_path(pid, "status"), "VmRSS:");
}

std::uint64_t process_peak_rss_bytes(pid_t pid) {
    return pid == 0 ? 0 : kib_line(proc_path(pid, "status"), "VmHWM:");
}

std::uint64_t process_written_bytes(pid_t pid) {
    return pid == 0 ? 0 : named_line(proc_path(pid, "io"), "write_bytes:");
}

std::uint64_t own_cpu_ns() { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace comqtt::bench
