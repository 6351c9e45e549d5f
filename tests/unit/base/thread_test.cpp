#include "base/thread.hpp"

#include <doctest/doctest.h>
#include <pthread.h>
#include <signal.h>

using namespace comqtt;

TEST_CASE("a thread of the library is named and blocks every signal, its maker's mask stays as it was") {
    sigset_t before, after;
    pthread_sigmask(SIG_BLOCK, nullptr, &before);
    char name[32] = "";
    sigset_t inside;
    sigemptyset(&inside);
    start_thread("with-a-long-name", [&] {
        pthread_getname_np(pthread_self(), name, sizeof name);
        pthread_sigmask(SIG_BLOCK, nullptr, &inside);
    }).join();
    CHECK(std::string(name) == "comqtt-with-a-l");
    for (const int signal : {SIGTERM, SIGHUP, SIGINT, SIGUSR1, SIGUSR2, SIGPIPE, SIGCHLD, SIGRTMIN})
        CHECK(sigismember(&inside, signal) == 1);
    pthread_sigmask(SIG_BLOCK, nullptr, &after);
    for (int signal = 1; signal < 32; ++signal)
        CHECK(sigismember(&before, signal) == sigismember(&after, signal));
}
