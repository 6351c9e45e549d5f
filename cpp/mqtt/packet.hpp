#pragma once
// Packet: any MQTT Control Packet as one owned, editable value. The hot path uses the views of
// publish_view.hpp instead; this type serves CONNECT, SUBSCRIBE and the like, hooks and the C ABI.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mqtt/property.hpp"
#include "mqtt/reason.hpp"
#include "mqtt/types.hpp"

namespace comqtt::mqtt {

/// One entry of SUBSCRIBE (with options) or UNSUBSCRIBE (filter only).
struct TopicFilterEntry {
    std::string filter;  ///< as sent, `$share/<name>/` included
    QoS qos = 0;
    bool no_local = false;
    bool retain_as_published = false;
    uint8_t retain_handling = 0;

    bool operator==(const TopicFilterEntry&) const = default;
};

struct Will {
    std::string topic_name;
    std::string payload;
    QoS qos = 0;
    bool retain = false;
    Properties properties;  ///< will properties, the delay included

    bool operator==(const Will&) const = default;
};

/// The fields of CONNECT beside its properties.
struct ConnectFields {
    std::string protocol_name = "MQTT";  ///< as read; the encoder writes the name of the version
    std::string client_id;
    bool clean_start = true;  ///< "clean session" in 3.x
    uint16_t keep_alive = 0;
    std::optional<std::string> username;
    std::optional<std::string> password;
    std::optional<Will> will;

    bool operator==(const ConnectFields&) const = default;
};

struct Packet {
    PacketType type = PacketType::reserved;
    Version version = Version::v5;  ///< of the connection it travels on

    // PUBLISH
    QoS qos = 0;
    bool dup = false;
    bool retain = false;
    std::string topic_name;
    std::string payload;

    PacketId packet_id = 0;                 ///< 0 = none
    Reason reason = Reason::success;        ///< CONNACK, PUBACK.., DISCONNECT, AUTH
    bool session_present = false;           ///< CONNACK
    std::vector<uint8_t> reason_codes;      ///< SUBACK, UNSUBACK (return codes in 3.x)
    std::vector<TopicFilterEntry> filters;  ///< SUBSCRIBE, UNSUBSCRIBE
    ConnectFields connect;                  ///< CONNECT
    Properties properties;                  ///< 5.0 only

    bool operator==(const Packet&) const = default;
};

}  // namespace comqtt::mqtt
