#pragma once
// A subscriber and its subscription as the index sees them.

#include <cstdint>

namespace comqtt::topics {

/// A subscriber as the index sees it: opaque but for the shard in the top byte.
/// shard (8 bits) | generation (24) | slot (32)
struct SubscriberId {
    uint64_t value = 0;
    uint8_t shard() const { return static_cast<uint8_t>(value >> 56); }
    uint32_t slot() const { return static_cast<uint32_t>(value); }
    friend bool operator==(SubscriberId a, SubscriberId b) { return a.value == b.value; }
};

/// Options of one subscription. 8 bytes.
struct SubscriptionOptions {
    uint32_t identifier = 0;  ///< Subscription Identifier, 0 = none
    uint8_t qos : 2 = 0;
    uint8_t retain_handling : 2 = 0;
    uint8_t no_local : 1 = 0;
    uint8_t retain_as_published : 1 = 0;
    friend bool operator==(const SubscriptionOptions&, const SubscriptionOptions&) = default;
};

}  // namespace comqtt::topics
