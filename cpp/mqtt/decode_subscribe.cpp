#include "mqtt/decode.hpp"

namespace comqtt::mqtt {
namespace {

constexpr uint8_t kNoLocal = 0x04;
constexpr uint8_t kRetainAsPublished = 0x08;

bool check_options(Reader& reader, size_t where, uint8_t options, Version version, std::string_view filter) {
    if (options & (version == Version::v5 ? 0xC0 : 0xFC))
        return reader.fail_at(where, Reason::malformed_packet, "MQTT-3.8.3-5",
                              "reserved bits of the subscription options");
    if ((options & 3) == 3)
        return reader.fail_at(where,
                              version == Version::v5 ? Reason::protocol_error : Reason::malformed_packet,
                              "3.8.3.1", "requested QoS is 3");
    if (options >> 4 == 3)
        return reader.fail_at(where, Reason::protocol_error, "3.8.3.1", "retain handling is 3");
    if ((options & kNoLocal) && filter.substr(0, 7) == "$share/")
        return reader.fail_at(where, Reason::protocol_error, "MQTT-3.8.3-4",
                              "No Local on a shared subscription");
    return true;
}

bool read_options(Reader& reader, Version version, TopicFilterEntry& out) {
    const size_t where = reader.offset();
    uint8_t options = 0;
    if (!reader.u8(options) || !check_options(reader, where, options, version, out.filter)) return false;
    out.qos = options & 3;
    out.no_local = options & kNoLocal;
    out.retain_as_published = options & kRetainAsPublished;
    out.retain_handling = options >> 4;
    return true;
}

bool read_filter(Reader& reader, const char* statement, TopicFilterEntry& out) {
    const size_t where = reader.offset();
    ByteView filter;
    if (!reader.utf8(filter, statement)) return false;
    if (filter.empty())
        return reader.fail_at(where, Reason::protocol_error, "MQTT-4.7.3-1", "topic filter is empty");
    out.filter = filter.text();
    return true;
}

bool check_count(Reader& reader, const DecodeContext& context, size_t count) {
    return count < context.limits.filters ||
           reader.fail(Reason::packet_too_large, "4.13.1", "more topic filters than this server accepts");
}

/// Packet Identifier and properties, which SUBSCRIBE and UNSUBSCRIBE share.
bool read_request_head(Reader& reader, const DecodeContext& context, Packet& out) {
    if (!reader.packet_id(out.packet_id, "MQTT-2.2.1-3")) return false;
    PropertyContext properties = context.properties(scope_of(out.type));
    return out.version != Version::v5 || read_properties(reader, properties, out.properties);
}

}  // namespace

bool decode_subscribe(Reader& reader, const DecodeContext& context, Packet& out) {
    if (!read_request_head(reader, context, out)) return false;
    if (reader.empty()) return reader.fail(Reason::protocol_error, "MQTT-3.8.3-2", "no topic filter");
    while (!reader.empty()) {
        TopicFilterEntry entry;
        if (!check_count(reader, context, out.filters.size())) return false;
        if (!read_filter(reader, "MQTT-3.8.3-1", entry)) return false;
        if (!read_options(reader, out.version, entry)) return false;
        out.filters.push_back(std::move(entry));
    }
    return true;
}

bool decode_unsubscribe(Reader& reader, const DecodeContext& context, Packet& out) {
    if (!read_request_head(reader, context, out)) return false;
    if (reader.empty()) return reader.fail(Reason::protocol_error, "MQTT-3.10.3-2", "no topic filter");
    while (!reader.empty()) {
        TopicFilterEntry entry;
        if (!check_count(reader, context, out.filters.size())) return false;
        if (!read_filter(reader, "MQTT-3.10.3-1", entry)) return false;
        out.filters.push_back(std::move(entry));
    }
    return true;
}

}  // namespace comqtt::mqtt
