#pragma once
// walk_properties: reads a property list once and checks every rule that the table knows, giving each
// value to a sink. Shared by the decoder of packets and by the views. Internal to the codec.

#include "mqtt/property_table.hpp"
#include "mqtt/reader.hpp"

namespace comqtt::mqtt {

/// Where a list stands and who sent it.
struct PropertyContext {
    PropertyScope scope = 0;
    bool from_client = true;
    uint32_t user_limit = 64;  ///< user properties that may still come; counts down
};

/// One checked value, borrowed from the frame.
struct PropertyValue {
    const PropertyInfo* info = nullptr;
    uint32_t number = 0;
    ByteView text;
    ByteView value;
};

/// Reads and judges the value that follows an identifier.
bool read_property_value(Reader& reader, PropertyValue& out);
/// Unknown, misplaced, repeated, of the wrong side, or one user property too many.
bool check_property_place(Reader& reader, size_t where, const PropertyInfo* info, uint64_t seen,
                          PropertyContext& context);

constexpr uint64_t property_bit(PropertyId id) { return uint64_t{1} << static_cast<unsigned>(id); }
/// Properties whose place depends on more than the table.
inline constexpr uint64_t kDelicateProperties = property_bit(PropertyId::user_property) |
                                                property_bit(PropertyId::subscription_identifier) |
                                                property_bit(PropertyId::session_expiry_interval);

/// Reads length prefix and list; calls `sink(const PropertyValue&)` for each, in wire order.
/// `list` becomes the list without its prefix.
template <typename Sink>
bool walk_properties(Reader& reader, PropertyContext& context, ByteView& list, Sink&& sink) {
    uint32_t length = 0;
    const uint8_t* outer_end = nullptr;
    if (!reader.varint(length)) return false;
    const size_t list_start = reader.offset();
    if (!reader.narrow(length, outer_end)) return false;
    list = reader.ahead();
    uint64_t seen = 0;
    while (!reader.empty()) {
        const size_t where = reader.offset();
        uint8_t id = 0;
        PropertyValue value;
        reader.u8(id);
        value.info = lookup_property(id);
        const uint64_t bit = value.info ? property_bit(value.info->id) : 0;
        const bool plain =
            value.info && (value.info->scopes & context.scope) && !(bit & (seen | kDelicateProperties));
        if (!plain && !check_property_place(reader, where, value.info, seen, context)) return false;
        seen |= bit;
        if (!read_property_value(reader, value)) return false;
        sink(static_cast<const PropertyValue&>(value));
    }
    reader.widen(outer_end);
    if ((seen & property_bit(PropertyId::authentication_data)) &&
        !(seen & property_bit(PropertyId::authentication_method)))
        return reader.fail_at(list_start, Reason::protocol_error, "3.1.2.11.10",
                              "Authentication Data without Authentication Method");
    return true;
}

/// Appends a whole section to `out`.
bool read_properties(Reader& reader, PropertyContext& context, Properties& out);

}  // namespace comqtt::mqtt
