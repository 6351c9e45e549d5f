#include "broker.hpp"

#include "log.hpp"
#include "text.hpp"

namespace comqtt::program {

namespace {

constexpr int64_t kDrainMs = 1000;
constexpr auto kStopTime = std::chrono::milliseconds(1500);

struct FreeOptions {
    void operator()(comqtt_options* options) const { comqtt_options_free(options); }
};
using Options = std::unique_ptr<comqtt_options, FreeOptions>;

/// Makes a call that may store an error; throws when it has failed.
template <typename Call>
void check(const std::string& what, Call&& call) {
    comqtt_error* error = nullptr;
    const comqtt_status status = call(&error);
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
    check("cannot make options", [&](comqtt_error**) { return comqtt_options_new(&made); });
    Options options(made);
    for (const auto& setting : flags.settings) {
        check("", [&](comqtt_error** error) {
            return comqtt_options_set(made, setting.first.c_str(), view(setting.second), error);
        });
    }
    check("cannot log", [&](comqtt_error**) {
        return comqtt_options_set_log(made, flags.log_level, log_from_library, nullptr, nullptr);
    });
    return options;
}

}  // namespace

Broker::Broker(const Flags& flags) {
    const Options options = make_options(flags);
    comqtt_server* made = nullptr;
    check("cannot make a server",
          [&](comqtt_error** error) { return comqtt_server_new(options.get(), &made, error); });
    server_.reset(made);
    check("cannot add the rule for this machine",
          [&](comqtt_error** error) { return comqtt_server_add_allow_loopback(made, nullptr, error); });

    size_t number = 0;
    for (const std::string& address : flags.tcp_addresses)
        listen(COMQTT_LISTENER_TCP, "tcp-" + std::to_string(++number), address);
    number = 0;
    for (const std::string& path : flags.unix_paths)
        listen(COMQTT_LISTENER_UNIX, "unix-" + std::to_string(++number), path);
}

void Broker::listen(comqtt_listener_kind kind, const std::string& id, const std::string& address) {
    if (address.empty())  // as the library says it for an address that it could not parse
        throw Failure(kind == COMQTT_LISTENER_TCP ? "address '': expected HOST:PORT or :PORT"
                                                  : "unix socket path '': must have 1 to 107 bytes");
    comqtt_listener_config config = comqtt_listener_config_init();
    config.id = view(id);
    config.kind = kind;
    config.address = view(address);
    check("", [&](comqtt_error** error) { return comqtt_server_listen(server_.get(), &config, error); });
}

void Broker::start() {
    check("cannot start", [&](comqtt_error** error) { return comqtt_server_start(server_.get(), error); });
}

void Broker::begin_stop() {
    stop_by_ = std::chrono::steady_clock::now() + kStopTime;
    comqtt_server_stop(server_.get(), kDrainMs);
}

void Broker::hasten() { comqtt_server_stop(server_.get(), 0); }

bool Broker::stopped() const { return comqtt_server_wait(server_.get(), 0) == COMQTT_OK; }

bool Broker::late() const { return std::chrono::steady_clock::now() > stop_by_; }

std::vector<std::string> Broker::listeners() const {
    std::vector<std::string> found;
    comqtt_server_each_listener(
        server_.get(),
        [](void* user, const comqtt_listener_info* info) {
            const std::string protocol(info->protocol.ptr, info->protocol.len);
            const std::string address(info->address.ptr, info->address.len);
            const bool named = address.starts_with(protocol + ":");  // "unix:/path"
            static_cast<std::vector<std::string>*>(user)->push_back(named ? address
                                                                          : protocol + " " + address);
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
