// The `comqtt` program: a broker in the foreground until SIGINT or SIGTERM; `comqtt store` works on a store instead.

#include <cstdio>
#include <cstdlib>

#include "broker.hpp"
#include "flags.hpp"
#include "log.hpp"
#include "process.hpp"

namespace {

using namespace comqtt::program;

constexpr int kStopSliceMs = 10;

void announce(const Broker& broker, uint64_t open_files) {
    for (const std::string& listener : broker.listeners())
        log_line(COMQTT_LOG_INFO, "listening on " + listener);
    const int64_t threads = broker.threads();
    log_line(COMQTT_LOG_INFO,
             std::to_string(threads) + (threads == 1 ? " thread, " : " threads, ") +
                 std::to_string(open_files) +
                 " open files; clients of this machine may do everything, all others nothing");
}

/// SIGHUP will mean reload; until then it is said and nothing happens, as with SIGUSR1 and SIGUSR2.
void ignore(int signal) {
    log_line(COMQTT_LOG_INFO, std::string(signal_name(signal)) +
                                  (signal == SIGHUP ? ": there is nothing to load again, the broker goes on"
                                                    : ": has no meaning here, the broker goes on"));
}

/// Returns when the broker has stopped, or has had its time. A second signal to stop takes the clients' time away.
bool stop(Broker& broker, Signals& signals) {
    broker.begin_stop();
    while (!broker.stopped()) {
        if (broker.late()) return false;
        const auto signal = signals.wait_for(kStopSliceMs);
        if (!signal) continue;
        if (!means_stop(*signal)) {
            ignore(*signal);
            continue;
        }
        log_line(COMQTT_LOG_INFO, std::string("stopping at once on a second ") + signal_name(*signal));
        broker.hasten();
    }
    return true;
}

int serve(const Flags& flags) {
    Signals signals;  // before any thread, so that all inherit it
    free_memory_evenly();
    LogOutput log(flags.log_level);
    try {
        const uint64_t open_files = raise_open_files();
        Broker broker(flags);
        log_line(COMQTT_LOG_INFO, std::string("comqtt ") + comqtt_version_text());
        broker.start();
        announce(broker, open_files);

        int signal = signals.wait();
        for (; !means_stop(signal); signal = signals.wait()) ignore(signal);
        log_line(COMQTT_LOG_INFO, std::string("stopping on ") + signal_name(signal));
        if (!stop(broker, signals)) {
            std::fputs("comqtt: the broker did not stop in time\n", stderr);
            std::_Exit(EXIT_FAILURE);
        }
    } catch (const Failure& failure) {
        std::fprintf(stderr, "comqtt: %s\n", failure.what());
        return EXIT_FAILURE;
    }
    log_line(COMQTT_LOG_INFO, "stopped");
    return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
    const Parsed parsed = parse_flags(argc, argv);
    if (parsed.store) return run_store_command(*parsed.store);
    return parsed.flags ? serve(*parsed.flags) : parsed.exit_code;
}
