#include "mqtt/decode.hpp"

namespace comqtt::mqtt {
namespace {

constexpr uint8_t kReserved = 0x01;
constexpr uint8_t kCleanStart = 0x02;
constexpr uint8_t kWill = 0x04;
constexpr uint8_t kWillRetain = 0x20;
constexpr uint8_t kPassword = 0x40;
constexpr uint8_t kUserName = 0x80;

uint8_t will_qos(uint8_t flags) { return (flags >> 3) & 3; }

/// Protocol Name and Protocol Level; sets the version also when they name none that exists: by the level alone, for
/// it says which form of an answer the client can read.
bool read_version(Reader& reader, Packet& out) {
    const size_t where = reader.offset();
    ByteView name;
    uint8_t level = 0;
    if (!reader.utf8(name)) return false;
    const bool mqtt = name.text() == "MQTT";
    const size_t level_at = reader.offset();
    if (!reader.u8(level)) return false;
    out.connect.protocol_name = name.text();
    if (mqtt ? level == 4 || level == 5 : level == 3 && name.text() == "MQIsdp") {
        out.version = static_cast<Version>(level);
        return true;
    }
    // 0x83 and 0x84 are 3.1 and 3.1.1 with the mark of a bridge.
    const bool bridge = level == 0x83 || level == 0x84;
    out.version = level >= 5 && !bridge ? Version::v5 : Version::v311;
    if (!mqtt && name.text() != "MQIsdp")
        return reader.fail_at(where, Reason::unsupported_protocol_version, "MQTT-3.1.2-1",
                              "unknown protocol name");
    return reader.fail_at(level_at, Reason::unsupported_protocol_version, "MQTT-3.1.2-2",
                          "unknown protocol level");
}

bool check_connect_flags(Reader& reader, size_t where, uint8_t flags, Version version) {
    const auto malformed = [&](const char* statement, const char* what) {
        return reader.fail_at(where, Reason::malformed_packet, statement, what);
    };
    if (flags & kReserved) return malformed("MQTT-3.1.2-3", "reserved connect flag is set");
    if (!(flags & kWill)) {
        if (will_qos(flags)) return malformed("MQTT-3.1.2-11", "Will QoS without Will Flag");
        if (flags & kWillRetain) return malformed("MQTT-3.1.2-13", "Will Retain without Will Flag");
    }
    if (will_qos(flags) == 3) return malformed("MQTT-3.1.2-12", "Will QoS is 3");
    if (version != Version::v5 && (flags & kPassword) && !(flags & kUserName))
        return malformed("3.1.2.9", "password without user name");  // section of 3.1.1
    return true;
}

/// A field that its flag promises; told apart from one that is cut off.
bool require_field(Reader& reader, const char* statement, const char* what) {
    return !reader.empty() || reader.fail(Reason::malformed_packet, statement, what);
}

bool read_will(Reader& reader, uint8_t flags, PropertyContext& properties, Packet& out) {
    Will& will = out.connect.will.emplace();
    will.qos = will_qos(flags);
    will.retain = flags & kWillRetain;
    if (!require_field(reader, "MQTT-3.1.2-9", "will is missing")) return false;
    if (out.version == Version::v5) {
        properties.scope = kWillScope;
        if (!read_properties(reader, properties, will.properties)) return false;
    }
    const size_t where = reader.offset();
    ByteView topic_name, payload;
    if (!reader.binary(topic_name)) return false;
    if (topic_name.empty())
        return reader.fail_at(where, Reason::topic_name_invalid, "MQTT-4.7.3-1", "will topic is empty");
    if (const TextFlaw flaw = scan_topic_name(topic_name); flaw != TextFlaw::none)
        return reader.bad_text(flaw, where, flaw == TextFlaw::wildcard ? "MQTT-4.7.0-1" : "MQTT-3.1.3-11");
    if (!require_field(reader, "MQTT-3.1.2-9", "will payload is missing")) return false;
    if (!reader.binary(payload)) return false;
    will.topic_name = topic_name.text();
    will.payload = payload.text();
    return true;
}

bool read_client_id(Reader& reader, Packet& out) {
    ByteView client_id;
    const size_t where = reader.offset();
    if (!require_field(reader, "MQTT-3.1.3-3", "client identifier is missing")) return false;
    if (!reader.utf8(client_id, "MQTT-3.1.3-4")) return false;
    out.connect.client_id = client_id.text();
    if (client_id.empty() && !out.connect.clean_start && out.version != Version::v5)
        return reader.fail_at(where, Reason::client_identifier_not_valid, "MQTT-3.1.3-8",
                              "empty client identifier without clean session");
    return true;
}

bool read_credentials(Reader& reader, uint8_t flags, Packet& out) {
    ByteView field;
    // MQTT 3.1 gives the remaining length precedence over these two flags.
    const bool may_be_missing = out.version == Version::v31;
    if ((flags & kUserName) && !(may_be_missing && reader.empty())) {
        if (!require_field(reader, "MQTT-3.1.2-17", "user name is missing")) return false;
        if (!reader.utf8(field, "MQTT-3.1.3-12")) return false;
        out.connect.username = field.text();
    }
    if ((flags & kPassword) && !(may_be_missing && reader.empty())) {
        if (!require_field(reader, "MQTT-3.1.2-19", "password is missing")) return false;
        if (!reader.binary(field)) return false;
        out.connect.password = field.text();
    }
    return true;
}

}  // namespace

bool decode_connect(Reader& reader, const DecodeContext& context, Packet& out) {
    if (!read_version(reader, out)) return false;
    const size_t flags_at = reader.offset();
    uint8_t flags = 0;
    if (!reader.u8(flags) || !check_connect_flags(reader, flags_at, flags, out.version)) return false;
    out.connect.clean_start = flags & kCleanStart;
    if (!reader.u16(out.connect.keep_alive)) return false;
    PropertyContext properties = context.properties(scope_of(PacketType::connect));
    if (out.version == Version::v5 && !read_properties(reader, properties, out.properties)) return false;
    if (!read_client_id(reader, out)) return false;
    if ((flags & kWill) && !read_will(reader, flags, properties, out)) return false;
    return read_credentials(reader, flags, out) && reader.at_end();
}

}  // namespace comqtt::mqtt
