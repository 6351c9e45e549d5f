// Properties of packets and wills.

#include <utility>

#include "capi/packet_edit.hpp"

using namespace comqtt;
using namespace comqtt::capi;
using mqtt::PropertyId;
using mqtt::PropertyType;

namespace {

mqtt::Properties* section_of(mqtt::Packet& packet, comqtt_section section) {
    if (section == COMQTT_SECTION_PACKET) return &packet.properties;
    if (section == COMQTT_SECTION_WILL && packet.connect.will) return &packet.connect.will->properties;
    return nullptr;
}

const mqtt::Properties* section_of(const comqtt_packet* handle, comqtt_section section) {
    hooks::PacketBox* box = unwrap(handle);
    return box ? section_of(box->packet, section) : nullptr;
}

template <typename Change>
comqtt_status edit_section(comqtt_packet* packet, comqtt_section section, Change&& change) noexcept {
    return edit(packet, [&](mqtt::Packet& it) -> Result<void> {
        if (section != COMQTT_SECTION_PACKET && section != COMQTT_SECTION_WILL)
            return invalid("no such section");
        mqtt::Properties* properties = section_of(it, section);
        if (!properties) return Error{Status::state, "the packet has no will"};
        return change(*properties);
    });
}

bool is_text(comqtt_prop_type type) {
    return type == COMQTT_PROP_TYPE_UTF8 || type == COMQTT_PROP_TYPE_BINARY;
}
bool is_number(comqtt_prop_type type) {
    return type >= COMQTT_PROP_TYPE_BYTE && type <= COMQTT_PROP_TYPE_VARINT;
}

uint32_t largest(comqtt_prop_type type) {
    switch (type) {
        case COMQTT_PROP_TYPE_BYTE: return 0xFF;
        case COMQTT_PROP_TYPE_TWO_BYTE: return 0xFFFF;
        case COMQTT_PROP_TYPE_VARINT: return mqtt::kMaxRemainingLength;
        default: return 0xFFFFFFFF;
    }
}

/// The nth property of an identifier.
const mqtt::Property* nth(const mqtt::Properties* properties, PropertyId id, size_t index) {
    if (!properties) return nullptr;
    for (const auto& property : properties->items())
        if (property.id == id && index-- == 0) return &property;
    return nullptr;
}

}  // namespace

const char* comqtt_prop_name(comqtt_prop id) {
    const mqtt::PropertyInfo* info = mqtt::find_property(id);
    return info ? info->name : nullptr;
}

comqtt_prop_type comqtt_prop_type_of(comqtt_prop id) {
    const mqtt::PropertyInfo* info = mqtt::find_property(id);
    if (!info) return COMQTT_PROP_TYPE_NONE;
    switch (info->type) {
        case PropertyType::byte: return COMQTT_PROP_TYPE_BYTE;
        case PropertyType::two_byte: return COMQTT_PROP_TYPE_TWO_BYTE;
        case PropertyType::four_byte: return COMQTT_PROP_TYPE_FOUR_BYTE;
        case PropertyType::varint: return COMQTT_PROP_TYPE_VARINT;
        case PropertyType::utf8: return COMQTT_PROP_TYPE_UTF8;
        case PropertyType::binary: return COMQTT_PROP_TYPE_BINARY;
        case PropertyType::utf8_pair: return COMQTT_PROP_TYPE_PAIR;
    }
    return COMQTT_PROP_TYPE_NONE;
}

size_t comqtt_packet_prop_count(const comqtt_packet* packet, comqtt_section section) {
    const mqtt::Properties* properties = section_of(packet, section);
    return properties ? properties->items().size() : 0;
}

comqtt_prop comqtt_packet_prop_id(const comqtt_packet* packet, comqtt_section section, size_t index) {
    const mqtt::Properties* properties = section_of(packet, section);
    if (!properties || index >= properties->items().size()) return 0;
    return static_cast<comqtt_prop>(properties->items()[index].id);
}

bool comqtt_packet_has_prop(const comqtt_packet* packet, comqtt_section section, comqtt_prop id) {
    return nth(section_of(packet, section), static_cast<PropertyId>(id), 0) != nullptr;
}

bool comqtt_packet_prop_int(const comqtt_packet* packet, comqtt_section section, comqtt_prop id,
                            uint32_t* out_value) {
    if (!is_number(comqtt_prop_type_of(id))) return false;
    const mqtt::Property* property = nth(section_of(packet, section), static_cast<PropertyId>(id), 0);
    if (!property || !out_value) return false;
    *out_value = property->number;
    return true;
}

bool comqtt_packet_prop_bytes(const comqtt_packet* packet, comqtt_section section, comqtt_prop id,
                              comqtt_bytes* out_value) {
    if (!is_text(comqtt_prop_type_of(id))) return false;
    const mqtt::Property* property = nth(section_of(packet, section), static_cast<PropertyId>(id), 0);
    if (!property || !out_value) return false;
    *out_value = to_bytes(std::string_view(property->text));
    return true;
}

bool comqtt_packet_prop_str(const comqtt_packet* packet, comqtt_section section, comqtt_prop id,
                            comqtt_str* out_value) {
    comqtt_bytes value;
    if (!out_value || !comqtt_packet_prop_bytes(packet, section, id, &value)) return false;
    *out_value = to_str(text(value));
    return true;
}

comqtt_status comqtt_packet_set_prop_int(comqtt_packet* packet, comqtt_section section, comqtt_prop id,
                                         uint32_t value) {
    return edit_section(packet, section, [&](mqtt::Properties& properties) -> Result<void> {
        const comqtt_prop_type type = comqtt_prop_type_of(id);
        if (!is_number(type)) return invalid("not a number property");
        if (value > largest(type)) return invalid("the value is above the range of the property");
        properties.set_number(static_cast<PropertyId>(id), value);
        return {};
    });
}

comqtt_status comqtt_packet_set_prop_bytes(comqtt_packet* packet, comqtt_section section, comqtt_prop id,
                                           comqtt_bytes value) {
    return edit_section(packet, section, [&](mqtt::Properties& properties) -> Result<void> {
        if (!is_text(comqtt_prop_type_of(id))) return invalid("not a text or binary property");
        if (text(value).size() > kMaxText) return Error{Status::too_large, {}};
        properties.set_text(static_cast<PropertyId>(id), text(value));
        return {};
    });
}

comqtt_status comqtt_packet_set_prop_str(comqtt_packet* packet, comqtt_section section, comqtt_prop id,
                                         comqtt_str value) {
    return comqtt_packet_set_prop_bytes(packet, section, id, to_bytes(text(value)));
}

comqtt_status comqtt_packet_remove_prop(comqtt_packet* packet, comqtt_section section, comqtt_prop id) {
    return edit_section(packet, section, [&](mqtt::Properties& properties) -> Result<void> {
        properties.remove(static_cast<PropertyId>(id));
        return {};
    });
}

size_t comqtt_packet_user_prop_count(const comqtt_packet* packet, comqtt_section section) {
    const mqtt::Properties* properties = section_of(packet, section);
    return properties ? properties->count(PropertyId::user_property) : 0;
}

bool comqtt_packet_user_prop(const comqtt_packet* packet, comqtt_section section, size_t index,
                             comqtt_pair* out_pair) {
    const mqtt::Property* property = nth(section_of(packet, section), PropertyId::user_property, index);
    if (!property || !out_pair) return false;
    *out_pair = {to_str(property->text), to_str(property->value)};
    return true;
}

comqtt_status comqtt_packet_add_user_prop(comqtt_packet* packet, comqtt_section section, comqtt_str key,
                                          comqtt_str value) {
    return edit_section(packet, section, [&](mqtt::Properties& properties) -> Result<void> {
        if (text(key).size() > kMaxText || text(value).size() > kMaxText) return Error{Status::too_large, {}};
        properties.add_user(text(key), text(value));
        return {};
    });
}

size_t comqtt_packet_subscription_id_count(const comqtt_packet* packet) {
    const mqtt::Properties* properties = section_of(packet, COMQTT_SECTION_PACKET);
    return properties ? properties->count(PropertyId::subscription_identifier) : 0;
}

uint32_t comqtt_packet_subscription_id(const comqtt_packet* packet, size_t index) {
    const mqtt::Property* property =
        nth(section_of(packet, COMQTT_SECTION_PACKET), PropertyId::subscription_identifier, index);
    return property ? property->number : 0;
}

comqtt_status comqtt_packet_add_subscription_id(comqtt_packet* packet, uint32_t id) {
    return edit_section(packet, COMQTT_SECTION_PACKET, [&](mqtt::Properties& properties) -> Result<void> {
        if (id == 0 || id > mqtt::kMaxRemainingLength) return invalid("no such subscription identifier");
        properties.add_number(PropertyId::subscription_identifier, id);
        return {};
    });
}
