#include "process.hpp"

#include <pthread.h>
#include <sys/resource.h>

namespace comqtt::program {

StopSignals::StopSignals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);  // a log that nobody reads any more must not end the broker
}

int StopSignals::wait() {
    int received = 0;
    while (sigwait(&set_, &received) != 0) {
    }
    return received;
}

uint64_t raise_open_files() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : before;
}

}  // namespace comqtt::program
