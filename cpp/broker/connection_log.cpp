// One line in the log when a connection is accepted by CONNACK, and one when it ends.

#include <fmt/format.h>

#include "broker/shard.hpp"

namespace comqtt::broker {

namespace {

constexpr size_t kNameBytes = 128;  ///< of a client id; it may have 65535

std::string shortened(std::string_view name) {
    return name.size() <= kNameBytes
               ? std::string(name)
               : fmt::format("{}... ({} bytes)", name.substr(0, kNameBytes), name.size());
}

const char* version_text(mqtt::Version version) {
    switch (version) {
        case mqtt::Version::v31: return "MQTT 3.1";
        case mqtt::Version::v311: return "MQTT 3.1.1";
        case mqtt::Version::v5: break;
    }
    return "MQTT 5.0";
}

std::string who(const Connection& c) {
    if (!c.client) return std::string(c.remote());
    return fmt::format("{} ({})", c.remote(), shortened(c.client->id));
}

/// "0x8E Session taken over, the client id connected again at byte 7 [MQTT-3.1.4-3]", as far as it is known.
std::string cause_text(const CloseCause& cause) {
    std::string text;
    // 0x80 says nothing that the words do not say.
    if (cause.reason != Reason::success && cause.reason != Reason::unspecified_error)
        text =
            fmt::format("0x{:02X} {}", static_cast<unsigned>(cause.reason), mqtt::reason_text(cause.reason));
    if (cause.clean)
        text += text.empty() ? "the client disconnected" : ", the client disconnected";
    else if (*cause.text)
        text += fmt::format("{}{}", text.empty() ? "" : ", ", cause.text);
    if (cause.offset >= 0) text += fmt::format(" at byte {}", cause.offset);
    if (*cause.statement) text += fmt::format(" [{}]", cause.statement);
    return text;
}

std::string will_text(const hooks::Client& client, const CloseCause& cause, bool session_ends) {
    if (!client.will) return "no will";
    if (!cause.send_will) return "its will is not sent";
    const uint32_t delay = client.will->properties.number(mqtt::PropertyId::will_delay_interval).value_or(0);
    if (!delay || session_ends) return "its will is sent";
    return fmt::format("its will is sent in {} s", delay);
}

std::string session_text(uint32_t expiry_interval) {
    if (!expiry_interval) return "session ended";
    if (expiry_interval == mqtt::kNoExpiry) return "session kept";
    return fmt::format("session kept for {} s", expiry_interval);
}

}  // namespace

void Shard::log_connected(const Connection& c, bool session_present) const {
    if (!here_.core().log.enabled(LogLevel::debug)) return;
    const hooks::Client& client = *c.client;
    here_.core().log.write(LogLevel::debug, "broker", "{}: connected, {}, listener '{}', keep alive {} s, {}",
                           who(c), version_text(c.version), client.listener,
                           client.keep_alive.load(std::memory_order_relaxed),
                           session_present ? "session present" : "new session");
}

void Shard::log_end(const Connection& c, const CloseCause& cause) {
    LogLevel level = cause.level;
    const bool in_order = cause.clean || cause.reason == Reason::server_shutting_down ||
                          (cause.by_client && c.state == Connection::State::awaiting_connect);
    if (level == LogLevel::info && in_order) level = LogLevel::debug;
    if (!here_.core().log.enabled(level)) return;
    uint64_t suppressed = 0;
    // Peers decide how often connections end.
    if (level >= LogLevel::info &&
        !(level == LogLevel::info ? limited_.ends : limited_.refusals).allow(here_.now_ms(), suppressed))
        return;
    const std::string session =
        c.session ? fmt::format("; {}; {}", will_text(*c.client, cause, c.session->expiry_interval == 0),
                                session_text(c.session->expiry_interval))
                  : std::string();
    here_.core().log.write(level, "broker", "{}: connection ended: {}{}{}", who(c), cause_text(cause),
                           session, lines_held_back(suppressed));
}

}  // namespace comqtt::broker
