#include "broker.hpp"

#include "log.hpp"

namespace comqtt::program {

namespace {

constexpr int64_t kDrainMs = 1000;
constexpr int64_t kStopMs = 1500;

struct FreeOptions {
    void operator()(comqtt_options* options) const { comqtt_options_free(options); }
};
using Options = std::unique_ptr<comqtt_options, FreeOptions>;

comqtt_str view(const std::string& text) { return {text.data(), text.size()}; }

/// Throws when a call has failed; frees its error.
void check(comqtt_status status, comqtt_error* error, const std::string& what) {
    if (status == COMQTT_OK) return;
    std::string why = comqtt_status_text(status);
    if (error) {
        const comqtt_str message = comqtt_error_message(error);
        why.assign(message.ptr, message.len);
        comqtt_error_free(error);
    }
    throw Failure(what.empty() ? why : what + ": " + why);
}

Options make_options(const Flags& flags) {
    comqtt_options* made = nullptr;
    check(comqtt_options_new(&made), nullptr, "options");
    Options options(made);
    for (const auto& [key, value] : flags.settings) {
        comqtt_error* error = nullptr;
        check(comqtt_options_set(made, key.c_str(), view(value), &error), error, "");
    }
    check(comqtt_options_set_log(made, flags.log_level, log_from_library, nullptr, nullptr), nullptr, "log");
    return options;
}

}  // namespace

Broker::Broker(const Flags& flags) {
    const Options options = make_options(flags);
    comqtt_server* made = nullptr;
    comqtt_error* error = nullptr;
    check(comqtt_server_new(options.get(), &made, &error), error, "cannot make a server");
    server_.reset(made);
    check(comqtt_server_add_allow_loopback(made, nullptr, &error), error, "cannot add the loopback rule");

    size_t number = 0;
    for (const std::string& address : flags.tcp_addresses)
        listen(COMQTT_LISTENER_TCP, "tcp-" + std::to_string(++number), address);
    number = 0;
    for (const std::string& path : flags.unix_paths)
        listen(COMQTT_LISTENER_UNIX, "unix-" + std::to_string(++number), path);
}

void Broker::listen(comqtt_listener_kind kind, const std::string& id, const std::string& address) {
    comqtt_listener_config config = comqtt_listener_config_init();
    config.id = view(id);
    config.kind = kind;
    config.address = view(address);
    comqtt_error* error = nullptr;
    check(comqtt_server_listen(server_.get(), &config, &error), error, "cannot listen on " + address);
}

void Broker::start() {
    comqtt_error* error = nullptr;
    check(comqtt_server_start(server_.get(), &error), error, "cannot start");
}

bool Broker::stop() {
    comqtt_server_stop(server_.get(), kDrainMs);
    return comqtt_server_wait(server_.get(), kStopMs) == COMQTT_OK;
}

std::vector<std::string> Broker::listeners() const {
    std::vector<std::string> found;
    comqtt_server_each_listener(
        server_.get(),
        [](void* user, const comqtt_listener_info* info) {
            auto& list = *static_cast<std::vector<std::string>*>(user);
            list.push_back(std::string(info->protocol.ptr, info->protocol.len) + " " +
                           std::string(info->address.ptr, info->address.len));
            return true;
        },
        &found);
    return found;
}

int64_t Broker::threads() const {
    comqtt_metrics metrics = comqtt_metrics_init();
    return comqtt_server_metrics(server_.get(), &metrics) == COMQTT_OK ? metrics.threads : 0;
}

}  // namespace comqtt::program
