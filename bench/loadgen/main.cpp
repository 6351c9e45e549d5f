#include <sys/prctl.h>

#include <cstdio>
#include <exception>
#include <string_view>

#include "options.hpp"
#include "report.hpp"
#include "scenarios.hpp"
#include "socket.hpp"

namespace {

using namespace comqtt::bench;

void run(const Options& options, Report& report) {
    report.add("scenario", options.scenario);
    report.add("protocol", options.protocol);
    report.add("qos", options.qos);
    report.add("size", options.size);
    if (options.scenario == "latency") return run_latency(options, report);
    if (options.scenario == "durable") return run_durable(options, report);
    if (options.scenario == "retained") return run_retained(options, report);
    if (options.scenario == "connect" || options.scenario == "idle") {
        return run_connect(options, report);
    }
    run_traffic(options, report);
}

}  // namespace

// Exit status: 0 measured, 1 the run failed, 2 wrong command line.
int main(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == "--help") {
        std::printf("%s", usage().c_str());
        return 0;
    }
    Options options;
    try {
        options = parse_options(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n%s", error.what(), usage().c_str());
        return 2;
    }
    raise_descriptor_limit();
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);  // the default makes sleeps 50 us late
    Report report;
    try {
        run(options, report);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "comqtt_loadgen: %s\n", error.what());
        return 1;
    }
    if (options.json) std::printf("%s\n", report.json().c_str());
    std::fprintf(options.json ? stderr : stdout, "%s\n", report.line().c_str());
    return 0;
}
