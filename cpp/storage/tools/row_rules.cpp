#include "storage/tools/row_rules.hpp"

#include "hooks/records.hpp"
#include "mqtt/codec.hpp"
#include "mqtt/publish_view.hpp"
#include "topics/filter.hpp"

namespace comqtt::storage::tools {

namespace {

constexpr size_t kMaxText = 65'535;
constexpr size_t kPrinted = 200;

bool publish_valid(ByteView frame, bool from_client) {
    mqtt::FixedHeader header;
    if (mqtt::read_fixed_header(frame, header) != mqtt::FrameState::complete_header) return false;
    if (header.type != mqtt::PacketType::publish || header.packet_size() != frame.size) return false;
    mqtt::DecodeLimits limits;
    limits.user_properties = UINT32_MAX;
    mqtt::PublishView view;
    if (mqtt::parse_publish(frame, header, mqtt::Version::v5, from_client, limits, true, view)) return false;
    return !view.topic_name.empty() && view.topic_alias == 0;
}

/// A list of properties is judged inside a packet that has nothing else.
bool properties_valid(ByteView list) {
    if (list.size > mqtt::kMaxRemainingLength - 8) return false;
    std::vector<uint8_t> frame;
    frame.reserve(list.size + 16);
    ByteWriter writer(frame);
    const auto length = static_cast<uint32_t>(list.size);
    writer.u8(0x30);
    writer.varint(static_cast<uint32_t>(3 + varint_size(length) + length));
    writer.string(ByteView(std::string_view("t")));
    writer.varint(length);
    writer.raw(list);
    return publish_valid(ByteView(frame), false);
}

bool filter_valid(std::string_view filter, bool shared) {
    topics::ParsedFilter parsed;
    return is_mqtt_text(filter) && topics::parse_filter(filter, parsed) == topics::FilterError::none &&
           (parsed.shared || !shared);
}

/// A shared subscription, or who a message of the server's own sessions goes to.
bool receiver_valid(std::string_view text) {
    return filter_valid(text, true) || text == hooks::kToRetained ||
           (text.starts_with(hooks::kToClient) && is_mqtt_text(text));
}

bool identifiers_valid(ByteView list) {
    if (list.empty() || list.size % 4 != 0) return false;
    for (size_t at = 0; at < list.size; at += 4) {
        const uint32_t identifier = load_u32(list.data + at);
        if (identifier == 0 || identifier > mqtt::kMaxRemainingLength) return false;
    }
    return true;
}

bool options_valid(int64_t options) {
    return options >= 0 && options < 0x40 && (options & 0x03) != 3 && (options & 0x30) != 0x30;
}

}  // namespace

bool is_mqtt_text(std::string_view text) {
    return text.size() <= kMaxText && mqtt::utf8_valid(ByteView(text));
}

std::string broken_rule(ColumnRule rule, const Value& value) {
    const ByteView bytes{std::string_view(value.bytes)};
    switch (rule) {
        case ColumnRule::any: return {};
        case ColumnRule::client_id:
            return !value.bytes.empty() && is_mqtt_text(value.bytes) ? "" : "is not a client identifier";
        case ColumnRule::topic_name:
            return mqtt::topic_name_valid(bytes) ? ""
                                                 : "is not a topic name: '" + printable(value.bytes) + "'";
        case ColumnRule::topic_filter:
            return filter_valid(value.bytes, false)
                       ? ""
                       : "is not a topic filter: '" + printable(value.bytes) + "'";
        case ColumnRule::share:
            return receiver_valid(value.bytes)
                       ? ""
                       : "is not a shared subscription: '" + printable(value.bytes) + "'";
        case ColumnRule::options: return options_valid(value.number) ? "" : "are not those of a SUBSCRIBE";
        case ColumnRule::will: return publish_valid(bytes, true) ? "" : "cannot be decoded";
        case ColumnRule::properties: return properties_valid(bytes) ? "" : "cannot be decoded";
        case ColumnRule::identifiers: return identifiers_valid(bytes) ? "" : "cannot be decoded";
    }
    return {};
}

std::string printable(std::string_view text) {
    const bool cut = text.size() > kPrinted;
    if (cut) {
        size_t end = kPrinted;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
        text = text.substr(0, end);
    }
    const bool utf8 = mqtt::utf8_valid(ByteView(text));
    std::string shown(text);
    for (char& c : shown) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !utf8)) c = '?';
    }
    return cut ? shown + "..." : shown;
}

}  // namespace comqtt::storage::tools
