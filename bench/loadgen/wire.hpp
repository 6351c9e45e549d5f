#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bytes.hpp"

namespace comqtt::bench {

// First bytes of the packets the load generator sends or expects.
enum PacketType : std::uint8_t {
    kConnect = 0x10,
    kConnack = 0x20,
    kPublish = 0x30,
    kPuback = 0x40,
    kPubrec = 0x50,
    kPubrel = 0x62,
    kPubcomp = 0x70,
    kSubscribe = 0x82,
    kSuback = 0x90,
    kPingreq = 0xc0,
    kPingresp = 0xd0,
    kDisconnect = 0xe0,
};

constexpr std::uint8_t kRetainFlag = 0x01;

constexpr std::uint8_t packet_type(std::uint8_t first) { return first & 0xf0; }

struct PublishSpec {
    std::string_view topic;
    std::size_t payload_size = 0;
    int qos = 0;
    bool retain = false;
    int protocol = 4;
};

// A PUBLISH ready to be copied, with the places that change from one message to the next.
struct PublishPacket {
    Bytes bytes;
    std::size_t topic_at = 0;
    std::size_t packet_id_at = 0;  // 0 with QoS 0
    std::size_t payload_at = 0;
};

PublishPacket make_publish(const PublishSpec& spec);

// Whether a session ends with its connection. A kept one is resumed where it exists.
enum class Session { clean, kept };

Bytes make_connect(std::string_view client_id, int protocol, Session session = Session::clean);
Bytes make_subscribe(std::uint16_t packet_id, std::span<const std::string> filters, int qos, int protocol);
void append_ack(Bytes& out, std::uint8_t first, std::uint16_t packet_id);

// One packet found in a buffer.
struct Frame {
    std::uint8_t first = 0;
    const std::uint8_t* begin = nullptr;  // the fixed header
    ByteView body;                        // after the fixed header
    const std::uint8_t* end() const { return body.data() + body.size(); }
};

// False when the buffer holds no complete packet; throws on a malformed length.
bool next_frame(const std::uint8_t* p, const std::uint8_t* end, Frame& out);

// Where things are within the body of a received PUBLISH.
struct PublishLayout {
    std::size_t topic_size = 0;
    std::size_t packet_id_at = 0;  // 0 with QoS 0
    std::size_t payload_at = 0;
};

PublishLayout publish_layout(const Frame& frame, int protocol);

struct Connack {
    int reason_code = 0;
    std::uint16_t receive_maximum = 65535;
};

Connack parse_connack(ByteView body, int protocol);

}  // namespace comqtt::bench
