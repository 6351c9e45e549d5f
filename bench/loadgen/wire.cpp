#include "wire.hpp"

#include <stdexcept>

namespace comqtt::bench {
namespace {

constexpr std::size_t kKeptSeconds = 3600;

void append_u16(Bytes& out, std::size_t value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8));
    out.push_back(static_cast<std::uint8_t>(value));
}

void append_string(Bytes& out, std::string_view text) {
    append_u16(out, text.size());
    out.insert(out.end(), text.begin(), text.end());
}

void append_varint(Bytes& out, std::size_t value) {
    do {
        const auto low = static_cast<std::uint8_t>(value & 0x7f);
        value >>= 7;
        out.push_back(value != 0 ? low | 0x80 : low);
    } while (value != 0);
}

Bytes with_header(std::uint8_t first, const Bytes& body) {
    Bytes out;
    out.push_back(first);
    append_varint(out, body.size());
    out.insert(out.end(), body.begin(), body.end());
    return out;
}

[[noreturn]] void malformed(const char* what) {
    throw std::runtime_error(std::string("malformed packet from the broker: ") + what);
}

// Returns the number of bytes of the integer, 0 when it is not complete.
std::size_t read_varint(const std::uint8_t* p, const std::uint8_t* end, std::size_t& value) {
    value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        if (p + i >= end) return 0;
        value |= static_cast<std::size_t>(p[i] & 0x7f) << (7 * i);
        if ((p[i] & 0x80) == 0) return i + 1;
    }
    malformed("length of more than 4 bytes");
}

// The size of a property's value by its identifier; only those of CONNACK.
std::size_t connack_property_size(std::uint8_t id, ByteView rest) {
    const auto string_size = [&](std::size_t at) -> std::size_t {
        if (rest.size() < at + 2) malformed("CONNACK property");
        return 2 + load_u16_be(rest.data() + at);
    };
    switch (id) {
        case 0x24:
        case 0x25:
        case 0x28:
        case 0x29:
        case 0x2a: return 1;
        case 0x13:
        case 0x21:
        case 0x22: return 2;
        case 0x11:
        case 0x27: return 4;
        case 0x12:
        case 0x15:
        case 0x16:
        case 0x1a:
        case 0x1c:
        case 0x1f: return string_size(0);
        case 0x26: {
            const std::size_t name = string_size(0);
            return name + string_size(name);
        }
        default: malformed("unknown CONNACK property");
    }
}

}  // namespace

PublishPacket make_publish(const PublishSpec& spec) {
    PublishPacket packet;
    Bytes body;
    append_string(body, spec.topic);
    if (spec.qos > 0) {
        packet.packet_id_at = body.size();
        append_u16(body, 0);
    }
    if (spec.protocol == 5) append_varint(body, 0);
    packet.payload_at = body.size();
    body.resize(body.size() + spec.payload_size, 'x');
    const auto first =
        static_cast<std::uint8_t>(kPublish | (spec.qos << 1) | (spec.retain ? kRetainFlag : 0));
    packet.bytes = with_header(first, body);
    const std::size_t header = packet.bytes.size() - body.size();
    packet.topic_at = header + 2;
    packet.payload_at += header;
    if (spec.qos > 0) packet.packet_id_at += header;
    return packet;
}

Bytes make_connect(std::string_view client_id, int protocol, Session session) {
    Bytes body;
    append_string(body, "MQTT");
    body.push_back(static_cast<std::uint8_t>(protocol));
    body.push_back(session == Session::clean ? 0x02 : 0x00);  // clean session, clean start
    append_u16(body, 0);                                      // no keep alive: an idle connection stays
    if (protocol == 5 && session == Session::kept) {
        append_varint(body, 5);
        body.push_back(0x11);  // Session Expiry Interval
        append_u16(body, 0);
        append_u16(body, kKeptSeconds);
    } else if (protocol == 5) {
        append_varint(body, 0);
    }
    append_string(body, client_id);
    return with_header(kConnect, body);
}

Bytes make_subscribe(std::uint16_t packet_id, std::span<const std::string> filters, int qos, int protocol) {
    Bytes body;
    append_u16(body, packet_id);
    if (protocol == 5) append_varint(body, 0);
    for (const std::string& filter : filters) {
        append_string(body, filter);
        body.push_back(static_cast<std::uint8_t>(qos));
    }
    return with_header(kSubscribe, body);
}

void append_ack(Bytes& out, std::uint8_t first, std::uint16_t packet_id) {
    const std::size_t at = out.size();
    out.resize(at + 4);
    out[at] = first;
    out[at + 1] = 2;
    store_u16_be(out.data() + at + 2, packet_id);
}

bool next_frame(const std::uint8_t* p, const std::uint8_t* end, Frame& out) {
    if (end - p < 2) return false;
    std::size_t size = 0;
    const std::size_t digits = read_varint(p + 1, end, size);
    if (digits == 0) return false;
    const std::uint8_t* body = p + 1 + digits;
    if (static_cast<std::size_t>(end - body) < size) return false;
    out = {p[0], p, ByteView(body, size)};
    return true;
}

PublishLayout publish_layout(const Frame& frame, int protocol) {
    const ByteView body = frame.body;
    PublishLayout layout;
    if (body.size() < 2) malformed("short PUBLISH");
    layout.topic_size = load_u16_be(body.data());
    std::size_t at = 2 + layout.topic_size;
    if ((frame.first & 0x06) != 0) {
        layout.packet_id_at = at;
        at += 2;
    }
    if (at > body.size()) malformed("short PUBLISH");
    if (protocol == 5) {
        std::size_t properties = 0;
        const std::size_t digits = read_varint(body.data() + at, body.data() + body.size(), properties);
        if (digits == 0) malformed("PUBLISH properties");
        at += digits + properties;
    }
    if (at > body.size()) malformed("short PUBLISH");
    layout.payload_at = at;
    return layout;
}

Connack parse_connack(ByteView body, int protocol) {
    if (body.size() < 2) malformed("short CONNACK");
    Connack connack;
    connack.reason_code = body[1];
    if (protocol != 5 || body.size() < 3) return connack;
    std::size_t size = 0;
    const std::size_t digits = read_varint(body.data() + 2, body.data() + body.size(), size);
    if (digits == 0 || body.size() < 2 + digits + size) malformed("CONNACK properties");
    ByteView rest = body.subspan(2 + digits, size);
    while (!rest.empty()) {
        const std::uint8_t id = rest[0];
        rest = rest.subspan(1);
        const std::size_t value_size = connack_property_size(id, rest);
        if (rest.size() < value_size) malformed("CONNACK property");
        if (id == 0x21) connack.receive_maximum = load_u16_be(rest.data());
        rest = rest.subspan(value_size);
    }
    return connack;
}

}  // namespace comqtt::bench
