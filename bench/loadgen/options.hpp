#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace comqtt::bench {

// The command line. A zero in `clients`, `publishers`, `window`, `rate` or `min_batch` means
// "the scenario's own default" and is filled in by finish_options().
struct Options {
    std::string scenario = "pair";
    std::string host = "127.0.0.1";
    std::uint16_t port = 1883;
    int protocol = 4;
    int qos = 0;
    std::size_t size = 64;

    std::size_t clients = 0;     // pairs, subscribers, group members, connections
    std::size_t publishers = 0;  // publishers of `wildcard` and `shared`
    std::size_t filters = 1000;  // wildcard filters of one client
    std::size_t leaves = 4;      // distinct topics below one wildcard filter
    std::size_t window = 0;
    std::size_t min_batch = 0;

    double warmup = 0.5;
    double duration = 3.0;
    std::uint64_t messages = 0;  // when set: this many in all, instead of warmup and duration
    double rate = 0;             // messages per second in all; 0 with `durable`: by the window
    double settle = 1.5;         // wait before memory is read, seconds
    double drain_idle = 2.0;     // give up after so long without a delivery
    double cutoff = 30.0;        // and at the latest after so long

    std::size_t retained = 1'000'000;
    std::size_t concurrency = 64;  // connects under way at once
    pid_t broker_pid = 0;
    bool persistent = false;  // the subscribers' sessions outlive their connections
    bool offline = false;     // `durable`: and they come back only at the end
    bool json = false;
    bool spin = false;
};

// Throws std::invalid_argument with a text for the user.
Options parse_options(int argc, char** argv);

std::string usage();

}  // namespace comqtt::bench
