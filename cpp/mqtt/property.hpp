#pragma once
// MQTT 5.0 properties (2.2.2): one table of identifiers, types and where they may stand, and an
// owned list of values.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "mqtt/types.hpp"

namespace comqtt::mqtt {

enum class PropertyId : uint8_t {
    payload_format_indicator = 0x01,
    message_expiry_interval = 0x02,
    content_type = 0x03,
    response_topic = 0x08,
    correlation_data = 0x09,
    subscription_identifier = 0x0B,
    session_expiry_interval = 0x11,
    assigned_client_identifier = 0x12,
    server_keep_alive = 0x13,
    authentication_method = 0x15,
    authentication_data = 0x16,
    request_problem_information = 0x17,
    will_delay_interval = 0x18,
    request_response_information = 0x19,
    response_information = 0x1A,
    server_reference = 0x1C,
    reason_string = 0x1F,
    receive_maximum = 0x21,
    topic_alias_maximum = 0x22,
    topic_alias = 0x23,
    maximum_qos = 0x24,
    retain_available = 0x25,
    user_property = 0x26,
    maximum_packet_size = 0x27,
    wildcard_subscription_available = 0x28,
    subscription_identifier_available = 0x29,
    shared_subscription_available = 0x2A,
};

enum class PropertyType : uint8_t { byte, two_byte, four_byte, varint, utf8, binary, utf8_pair };

/// Where a property list stands: in a packet of some type, or in the will section of CONNECT.
/// Bit n = PacketType n; bit 0 = will properties.
using PropertyScope = uint16_t;
inline constexpr PropertyScope kWillScope = 1;
constexpr PropertyScope scope_of(PacketType type) {
    return static_cast<PropertyScope>(1u << static_cast<unsigned>(type));
}

/// What a value must be beside well-formed.
enum class PropertyRule : uint8_t {
    any,
    boolean,  ///< 0 or 1
    non_zero,
    alias,       ///< not 0, reported as topic_alias_invalid
    topic_name,  ///< a Topic Name: not empty, no wildcard
};

struct PropertyInfo {
    PropertyId id;
    PropertyType type;
    PropertyScope scopes;
    const char* name;  ///< as the specification prints it
    PropertyRule rule;
    PropertyScope repeats;  ///< where it may stand more than once
    const char* statement;  ///< that governs the value: "MQTT-x.y.z-n", or the section
};

/// Row of the property table; null for an identifier that does not exist.
const PropertyInfo* find_property(uint8_t id);

struct Property {
    PropertyId id{};
    uint32_t number = 0;  ///< byte, two_byte, four_byte, varint
    std::string text;     ///< utf8, binary; the name of a user property
    std::string value;    ///< the value of a user property

    bool operator==(const Property&) const = default;
};

/// Owned property list in wire order. Small: linear search.
class Properties {
public:
    bool empty() const { return items_.empty(); }
    const std::vector<Property>& items() const { return items_; }
    std::vector<Property>& items() { return items_; }

    const Property* find(PropertyId id) const;
    bool has(PropertyId id) const { return find(id) != nullptr; }
    std::optional<uint32_t> number(PropertyId id) const;
    /// Text or binary value.
    std::optional<std::string_view> text(PropertyId id) const;

    /// Replace a property that may stand once; add it when absent.
    void set_number(PropertyId id, uint32_t number);
    void set_text(PropertyId id, std::string_view text);
    void add_number(PropertyId id, uint32_t number);  ///< subscription identifiers
    void add_user(std::string_view name, std::string_view value);
    void remove(PropertyId id);  ///< all of that identifier
    size_t count(PropertyId id) const;

    bool operator==(const Properties&) const = default;

private:
    std::vector<Property> items_;
};

/// Encoded length of the list without its own length prefix.
size_t encoded_size(const Properties& properties);
/// True when every value fits its type on the wire; what is not encodable must not be given to the
/// two functions around this one.
bool encodable(const Properties& properties);
/// Length prefix and list.
void encode_properties(ByteWriter& out, const Properties& properties);

}  // namespace comqtt::mqtt
