// Listeners and in-memory pipes.

#include "capi/guard.hpp"
#include "capi/views.hpp"

using namespace comqtt;
using namespace comqtt::capi;

namespace {

Result<server::ListenerConfig> listener_config(comqtt_str id, comqtt_listener_kind kind) {
    if (text(id).empty()) return invalid("the listener has no id");
    if (kind < COMQTT_LISTENER_TCP || kind > COMQTT_LISTENER_PIPE) return invalid("no such kind of listener");
    server::ListenerConfig config;
    config.id = text(id);
    config.kind = static_cast<server::ListenerKind>(kind);
    return config;
}

comqtt_pipe* pipe_of(comqtt_pipe* pipe) { return checked(pipe); }

}  // namespace

comqtt_status comqtt_server_listen(comqtt_server* server, const comqtt_listener_config* config,
                                   comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        comqtt_listener_config record;
        if (auto fine = read_record(config, sizeof record, record, "the listener"); !fine) return fine;
        auto wanted = listener_config(record.id, record.kind);
        if (!wanted) return wanted.take_error();
        if (record.kind != COMQTT_LISTENER_PIPE && text(record.address).empty())
            return Error{Status::address, "the listener has no address"};
        wanted->address = text(record.address);
        if (record.backlog > 0) wanted->backlog = record.backlog;
        return entry->listen(wanted.take());
    });
}

comqtt_status comqtt_server_listen_fd(comqtt_server* server, comqtt_str id, comqtt_listener_kind kind, int fd,
                                      comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        if (fd < 0) return invalid("the file descriptor is negative");
        if (kind == COMQTT_LISTENER_PIPE) return invalid("a pipe has no file descriptor");
        auto wanted = listener_config(id, kind);
        if (!wanted) return wanted.take_error();
        wanted->fd = fd;
        return entry->listen(wanted.take());
    });
}

comqtt_status comqtt_server_unlisten(comqtt_server* server, comqtt_str id, bool disconnect_clients,
                                     comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        return entry->unlisten(text(id), disconnect_clients);
    });
}

uint16_t comqtt_server_listener_port(const comqtt_server* server, comqtt_str id) {
    return guarded_or(uint16_t{0}, [&]() -> uint16_t {
        Entry entry(server);
        if (!entry) return 0;
        auto info = entry->listener(text(id));
        return info ? info->port : uint16_t{0};
    });
}

comqtt_status comqtt_server_each_listener(const comqtt_server* server, comqtt_listener_fn fn, void* user) {
    return guarded(nullptr, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        if (!fn) return invalid("the function is NULL");
        const auto all = entry->listeners();
        const auto core = entry.release_now();
        const CallbackScope scope;
        for (const auto& info : all) {
            const comqtt_listener_info row = {sizeof row,           to_str(info.id), to_str(info.protocol),
                                              to_str(info.address), info.port,       info.connections};
            if (!fn(user, &row)) break;
        }
        return {};
    });
}

comqtt_status comqtt_server_adopt(comqtt_server* server, comqtt_str listener_id, int fd, comqtt_str remote,
                                  comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        if (fd < 0) return invalid("the file descriptor is negative");
        return entry->adopt(text(listener_id), fd, text(remote));
    });
}

comqtt_status comqtt_pipe_open(comqtt_server* server, comqtt_str listener_id, comqtt_str remote,
                               comqtt_pipe** out_pipe, comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        if (!out_pipe) return invalid("out_pipe is NULL");
        if (text(listener_id).empty()) return invalid("the listener has no id");
        auto opened = entry->open_pipe(text(listener_id), text(remote));
        if (!opened) return opened.take_error();
        auto pipe = std::make_unique<comqtt_pipe>();
        pipe->pipe = opened.take();
        pipe->owner = Ref<comqtt_server>::share(&entry.core());
        *out_pipe = pipe.release();
        return {};
    });
}

comqtt_pipe* comqtt_pipe_retain(comqtt_pipe* pipe) {
    if (pipe_of(pipe)) retain(pipe);
    return pipe;
}

void comqtt_pipe_release(comqtt_pipe* pipe) {
    if (pipe_of(pipe)) release(pipe);
}

comqtt_status comqtt_pipe_write(comqtt_pipe* pipe, comqtt_bytes data) {
    return guarded(nullptr, [&]() -> Result<void> {
        if (!pipe_of(pipe)) return invalid("the pipe is NULL or not a pipe");
        if (pipe->owner->closed.load()) return outcome(Status::closed);
        return outcome(pipe->pipe->write(bytes(data)));
    });
}

comqtt_status comqtt_pipe_read(comqtt_pipe* pipe, uint8_t* buffer, size_t capacity, int64_t timeout_ms,
                               size_t* out_len) {
    return guarded(nullptr, [&]() -> Result<void> {
        if (!pipe_of(pipe)) return invalid("the pipe is NULL or not a pipe");
        if (!buffer || !out_len || capacity == 0) return invalid("nowhere to read to");
        if (timeout_ms != 0) {
            Entry entry(pipe->owner.get());
            if (!entry) timeout_ms = 0;
            if (entry && in_callback(entry.core())) return outcome(Status::reentrant);
        }
        size_t count = 0;
        const Status status = pipe->pipe->read(buffer, capacity, timeout_ms, count);
        if (status == Status::timeout && pipe->owner->closed.load()) return outcome(Status::closed);
        if (status != Status::ok) return outcome(status);
        *out_len = count;
        return {};
    });
}

comqtt_status comqtt_pipe_close(comqtt_pipe* pipe) {
    return guarded(nullptr, [&]() -> Result<void> {
        if (!pipe_of(pipe)) return invalid("the pipe is NULL or not a pipe");
        pipe->pipe->close();
        return {};
    });
}
