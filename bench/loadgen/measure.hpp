#pragma once

#include <cstdint>

#include "clock.hpp"
#include "connection.hpp"
#include "options.hpp"
#include "proc_stats.hpp"

namespace comqtt::bench {

// All counters at one moment; two of them make an interval.
struct Snapshot {
    std::uint64_t time_ns = 0;
    std::uint64_t broker_cpu_ns = 0;
    std::uint64_t own_cpu_ns = 0;
    std::uint64_t delivered = 0;
    CallCounts calls;
};

inline Snapshot take_snapshot(const Options& options, std::uint64_t delivered) {
    return {now_ns(), process_cpu_ns(options.broker_pid), own_cpu_ns(), delivered, call_counts()};
}

// CPU per item in microseconds; 0 when there were none.
inline double us_each(std::uint64_t ns, std::uint64_t items) {
    return items == 0 ? 0 : static_cast<double>(ns) / 1000.0 / static_cast<double>(items);
}

inline double per_second(std::uint64_t items, std::uint64_t ns) {
    return ns == 0 ? 0 : static_cast<double>(items) / ns_to_seconds(ns);
}

}  // namespace comqtt::bench
