#include "hooks/debug_hook.hpp"

#include <string>

namespace comqtt::hooks {
namespace {

using mqtt::Packet;
using mqtt::PacketType;

constexpr const char* kComponent = "debug";

const char* type_name(PacketType type) {
    static constexpr const char* kNames[] = {
        "RESERVED",  "CONNECT", "CONNACK",     "PUBLISH",  "PUBACK",  "PUBREC",   "PUBREL",     "PUBCOMP",
        "SUBSCRIBE", "SUBACK",  "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"};
    return kNames[static_cast<unsigned>(type) & 15];
}

/// What a terminal should not get raw becomes \xNN.
std::string printable(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7F && byte < 0x80 && c != '\\')
            out += c;
        else
            out += fmt::format("\\x{:02x}", byte);
    }
    return out;
}

std::string hex(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return out;
}

std::string connect_data(const Packet& packet, bool show_passwords) {
    const mqtt::ConnectFields& fields = packet.connect;
    std::string out = fmt::format("id='{}' clean={} keepalive={} version={} username='{}'",
                                  printable(fields.client_id), fields.clean_start, fields.keep_alive,
                                  static_cast<int>(packet.version), printable(fields.username.value_or("")));
    if (show_passwords) out += fmt::format(" password='{}'", printable(fields.password.value_or("")));
    if (fields.will)
        out += fmt::format(" will-topic='{}' will-payload='{}' will-qos={} will-retain={}",
                           printable(fields.will->topic_name), printable(fields.will->payload),
                           fields.will->qos, fields.will->retain);
    return out;
}

std::string publish_data(const Packet& packet) {
    return fmt::format("topic='{}' payload='{}' raw={} qos={} id={} retain={} dup={}",
                       printable(packet.topic_name), printable(packet.payload), hex(packet.payload),
                       packet.qos, packet.packet_id, packet.retain, packet.dup);
}

std::string answer_data(const Packet& packet) {
    const auto reason = static_cast<int>(packet.reason);
    std::string out = packet.packet_id ? fmt::format("id={} reason={}", packet.packet_id, reason)
                                       : fmt::format("reason={}", reason);
    if (const auto text = packet.properties.text(mqtt::PropertyId::reason_string))
        out += fmt::format(" reason-string='{}'", printable(*text));
    return out;
}

std::string filters_data(const Packet& packet) {
    std::string out = fmt::format("id={} filters=[", packet.packet_id);
    const bool with_qos = packet.type == PacketType::subscribe;
    for (const auto& entry : packet.filters) {
        if (out.back() != '[') out += ' ';
        out += with_qos ? fmt::format("'{}':{}", printable(entry.filter), entry.qos)
                        : fmt::format("'{}'", printable(entry.filter));
    }
    return out + "]";
}

std::string codes_data(const Packet& packet) {
    std::string out = fmt::format("id={} reasons=[", packet.packet_id);
    for (const uint8_t code : packet.reason_codes)
        out += fmt::format("{}{}", out.back() == '[' ? "" : " ", code);
    return out + "]";
}

std::string packet_data(const Packet& packet, bool show_passwords) {
    switch (packet.type) {
        case PacketType::connect: return connect_data(packet, show_passwords);
        case PacketType::publish: return publish_data(packet);
        case PacketType::subscribe:
        case PacketType::unsubscribe: return filters_data(packet);
        case PacketType::suback:
        case PacketType::unsuback: return codes_data(packet);
        case PacketType::pingreq:
        case PacketType::pingresp: return {};
        default: return answer_data(packet);
    }
}

template <typename... Ids>
constexpr EventMask masks(Ids... ids) {
    return (mask_of(ids) | ...);
}

}  // namespace

EventMask DebugHook::events() const {
    return masks(EventId::on_started, EventId::on_stopped, EventId::on_packet_read, EventId::on_packet_sent,
                 EventId::on_session_established, EventId::on_disconnect, EventId::on_subscribed,
                 EventId::on_unsubscribed, EventId::on_published, EventId::on_publish_dropped,
                 EventId::on_retain_message, EventId::on_qos_dropped, EventId::on_packet_id_exhausted,
                 EventId::on_will_sent, EventId::on_client_expired, EventId::on_retained_expired);
}

Result<void> DebugHook::init() {
    log_.write(LogLevel::debug, kComponent, "init show-packet-data={} show-pings={} show-passwords={}",
               config_.show_packet_data, config_.show_pings, config_.show_passwords);
    return {};
}

void DebugHook::stop() { log_.write(LogLevel::debug, kComponent, "stop"); }
void DebugHook::on_started(Event&) { log_.write(LogLevel::debug, kComponent, "started"); }
void DebugHook::on_stopped(Event&) { log_.write(LogLevel::debug, kComponent, "stopped"); }

void DebugHook::packet_line(const char* arrow, const Client& client, const Packet& packet) const {
    const bool ping = packet.type == PacketType::pingreq || packet.type == PacketType::pingresp;
    if ((ping && !config_.show_pings) || !log_.enabled(LogLevel::debug)) return;
    const std::string data =
        config_.show_packet_data ? packet_data(packet, config_.show_passwords) : std::string();
    log_.write(LogLevel::debug, kComponent, "{} {} client='{}'{}{}", type_name(packet.type), arrow,
               printable(client.id), data.empty() ? "" : " ", data);
}

Action DebugHook::on_packet_read(Event&, Client& client, PacketBox& packet) {
    packet_line("<<", client, packet.packet);
    return Action::proceed;
}

void DebugHook::on_packet_sent(Event&, Client& client, PacketBox& packet, ByteView) {
    packet_line(">>", client, packet.packet);
}

void DebugHook::on_session_established(Event&, Client& client, PacketBox&) {
    log_.write(LogLevel::debug, kComponent, "session established client='{}' remote='{}' listener='{}'",
               printable(client.id), client.remote, client.listener);
}

void DebugHook::on_disconnect(Event&, Client& client, const DisconnectInfo& info) {
    log_.write(LogLevel::debug, kComponent, "disconnect client='{}' reason={} by-client={} expire={} {}",
               printable(client.id), static_cast<int>(info.reason), info.by_client, info.expire, info.text);
}

void DebugHook::on_subscribed(Event&, Client& client, PacketBox& packet, Codes, Counts) {
    log_.write(LogLevel::debug, kComponent, "subscribed client='{}' {}", printable(client.id),
               filters_data(packet.packet));
}

void DebugHook::on_unsubscribed(Event&, Client& client, PacketBox& packet, Codes, Counts) {
    log_.write(LogLevel::debug, kComponent, "unsubscribed client='{}' {}", printable(client.id),
               filters_data(packet.packet));
}

void DebugHook::on_published(Event&, Client& client, PacketBox& packet) {
    log_.write(LogLevel::debug, kComponent, "published client='{}' topic='{}'", printable(client.id),
               printable(packet.packet.topic_name));
}

void DebugHook::on_publish_dropped(Event&, Client& client, PacketBox& packet) {
    log_.write(LogLevel::debug, kComponent, "publish dropped client='{}' topic='{}'", printable(client.id),
               printable(packet.packet.topic_name));
}

void DebugHook::on_retain_message(Event&, Client& client, PacketBox& packet, int change) {
    log_.write(LogLevel::debug, kComponent, "retained client='{}' topic='{}' change={}", printable(client.id),
               printable(packet.packet.topic_name), change);
}

void DebugHook::on_qos_dropped(Event&, Client& client, PacketBox& packet) {
    log_.write(LogLevel::debug, kComponent, "inflight dropped client='{}' id={}", printable(client.id),
               packet.packet.packet_id);
}

void DebugHook::on_packet_id_exhausted(Event&, Client& client, PacketBox&) {
    log_.write(LogLevel::debug, kComponent, "packet ids exhausted client='{}'", printable(client.id));
}

void DebugHook::on_will_sent(Event&, Client& client, PacketBox& packet) {
    log_.write(LogLevel::debug, kComponent, "will sent client='{}' topic='{}'", printable(client.id),
               printable(packet.packet.topic_name));
}

void DebugHook::on_client_expired(Event&, Client& client) {
    log_.write(LogLevel::debug, kComponent, "session expired client='{}'", printable(client.id));
}

void DebugHook::on_retained_expired(Event&, std::string_view topic) {
    log_.write(LogLevel::debug, kComponent, "retained message expired topic='{}'", printable(topic));
}

}  // namespace comqtt::hooks
