#include "base/thread.hpp"

#include <pthread.h>
#include <signal.h>

namespace comqtt {

namespace {

/// Blocks all signals on the calling thread; a thread that is started meanwhile inherits that.
class SignalsBlocked {
public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    sigset_t before_;
};

}  // namespace

std::thread start_thread(const std::string& name, std::function<void()> body) {
    const SignalsBlocked blocked;
    return std::thread([full = ("comqtt-" + name).substr(0, 15), body = std::move(body)] {
        pthread_setname_np(pthread_self(), full.c_str());
        body();
    });
}

}  // namespace comqtt
