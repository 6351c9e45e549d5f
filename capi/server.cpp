// Life cycle of a server.

#include "base/thread.hpp"
#include "capi/guard.hpp"

using namespace comqtt;
using namespace comqtt::capi;

namespace {

/// Destroys the server behind a handle when nobody is inside it any more, then gives the owner's count back.
void finish(comqtt_server* core) {
    uint32_t running;
    while ((running = core->calls_running.load()) != 0) core->calls_running.wait(running);
    core->server.reset();
    release(core);
}

Result<void> not_in_callback(const comqtt_server& core, const char* call) {
    if (!in_callback(core) && !in_some_callback()) return {};
    return Error{Status::reentrant, std::string(call) + " would wait for the callback it is called from"};
}

Result<void> start(const comqtt_server* handle) {
    Entry entry(handle);
    if (!entry) return entry.error();
    if (auto fine = not_in_callback(entry.core(), "start"); !fine) return fine;
    const CallbackScope scope(entry.core());
    return entry->start();
}

}  // namespace

comqtt_status comqtt_server_new(const comqtt_options* options, comqtt_server** out_server,
                                comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        if (!out_server) return invalid("out_server is NULL");
        if (options && !checked(options)) return invalid("the options are not options");
        auto made = server::Server::create(options ? options->value : server::Options{});
        if (!made) return made.take_error();
        auto core = std::make_unique<comqtt_server>();
        core->server = made.take();
        core->options.value = core->server->options();
        *out_server = core.release();
        return {};
    });
}

comqtt_status comqtt_server_start(comqtt_server* server, comqtt_error** out_error) {
    return guarded(out_error, [&] { return start(server); });
}

comqtt_status comqtt_server_run(comqtt_server* server, comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        if (auto started = start(server); !started) return started;
        Entry entry(server);
        if (!entry) return {};  // freed meanwhile, hence stopped
        return outcome(entry->wait(-1));
    });
}

comqtt_status comqtt_server_stop(comqtt_server* server, int64_t drain_ms) {
    return guarded(nullptr, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        return outcome(entry->stop(drain_ms < 0 ? 0 : drain_ms));
    });
}

comqtt_status comqtt_server_wait(comqtt_server* server, int64_t timeout_ms) {
    return guarded(nullptr, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        if (auto fine = not_in_callback(entry.core(), "wait"); !fine) return fine;
        if (entry->state() == server::State::created) return Error{Status::state, {}};
        return outcome(entry->wait(timeout_ms));
    });
}

void comqtt_server_free(comqtt_server* server) {
    guarded(nullptr, [&]() -> Result<void> {
        comqtt_server* core = checked(server);
        if (!core || core->closed.exchange(true)) return {};
        const bool inside = in_callback(*core) || in_some_callback();
        core->server->stop(0);
        if (inside)
            start_thread("free", [core] { finish(core); }).detach();
        else
            finish(core);
        return {};
    });
}

comqtt_state comqtt_server_state(const comqtt_server* server) {
    Entry entry(server);
    return entry ? static_cast<comqtt_state>(entry->state()) : COMQTT_STATE_STOPPED;
}

comqtt_status comqtt_server_ready(const comqtt_server* server, comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        return entry->ready();
    });
}

const comqtt_options* comqtt_server_options(const comqtt_server* server) {
    const comqtt_server* core = checked(server);
    return core ? &core->options : nullptr;
}

comqtt_status comqtt_server_advance(comqtt_server* server, int64_t ms) {
    return guarded(nullptr, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        if (ms < 0) return invalid("time does not go back");
        if (ms > (int64_t{1} << 52)) return invalid("so much time does not fit into the clock");
        if (auto fine = not_in_callback(entry.core(), "advance"); !fine) return fine;
        return outcome(entry->advance(ms));
    });
}

int64_t comqtt_server_now_unix_ms(const comqtt_server* server) {
    return guarded_or(int64_t{0}, [&] {
        Entry entry(server);
        return entry ? entry->now_unix_ms() : int64_t{0};
    });
}
