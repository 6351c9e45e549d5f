#pragma once
// The MQTT specification's small types and limits.

#include <cstdint>

namespace comqtt::mqtt {

enum class PacketType : uint8_t {
    reserved = 0,
    connect = 1,
    connack = 2,
    publish = 3,
    puback = 4,
    pubrec = 5,
    pubrel = 6,
    pubcomp = 7,
    subscribe = 8,
    suback = 9,
    unsubscribe = 10,
    unsuback = 11,
    pingreq = 12,
    pingresp = 13,
    disconnect = 14,
    auth = 15,
};

/// Protocol Level of CONNECT.
enum class Version : uint8_t { v31 = 3, v311 = 4, v5 = 5 };

using PacketId = uint16_t;
using QoS = uint8_t;  ///< 0, 1 or 2

inline constexpr uint32_t kMaxRemainingLength = 268'435'455;
inline constexpr uint32_t kMaxPacketSize = kMaxRemainingLength + 5;
inline constexpr uint32_t kNoExpiry = 0xFFFFFFFF;  ///< Session Expiry Interval "never"

}  // namespace comqtt::mqtt
