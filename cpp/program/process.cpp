#include "process.hpp"

#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>

namespace comqtt::program {

namespace {

constexpr struct {
    int number;
    const char* name;
} kSignals[] = {
    {SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}, {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"}};

}  // namespace

Signals::Signals() {
    sigemptyset(&set_);
    for (const auto& signal : kSignals) sigaddset(&set_, signal.number);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);  // a log that nobody reads any more must not end the broker
}

int Signals::wait() {
    int received = 0;
    while (sigwait(&set_, &received) != 0) {
    }
    return received;
}

std::optional<int> Signals::wait_for(int milliseconds) {
    const timespec time{milliseconds / 1000, (milliseconds % 1000) * 1'000'000L};
    const int received = sigtimedwait(&set_, nullptr, &time);
    return received > 0 ? std::optional(received) : std::nullopt;
}

bool means_stop(int signal) { return signal == SIGINT || signal == SIGTERM; }

const char* signal_name(int signal) {
    for (const auto& known : kSignals)
        if (known.number == signal) return known.name;
    return "a signal";
}

uint64_t raise_open_files() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : before;
}

void free_memory_evenly() {
#ifdef M_MXFAST
    mallopt(M_MXFAST, 0);
#endif
}

}  // namespace comqtt::program
