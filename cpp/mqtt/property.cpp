#include "mqtt/property.hpp"

#include <algorithm>

#include "mqtt/property_table.hpp"
#include "mqtt/property_write.hpp"

namespace comqtt::mqtt {

const PropertyInfo* find_property(uint8_t id) { return lookup_property(id); }

const Property* Properties::find(PropertyId id) const {
    const auto it = std::find_if(items_.begin(), items_.end(),
                                 [id](const Property& property) { return property.id == id; });
    return it == items_.end() ? nullptr : &*it;
}

std::optional<uint32_t> Properties::number(PropertyId id) const {
    const Property* property = find(id);
    return property ? std::optional<uint32_t>(property->number) : std::nullopt;
}

std::optional<std::string_view> Properties::text(PropertyId id) const {
    const Property* property = find(id);
    return property ? std::optional<std::string_view>(property->text) : std::nullopt;
}

namespace {

/// The property of that identifier, added when it is absent.
Property& single(std::vector<Property>& items, PropertyId id) {
    for (Property& property : items)
        if (property.id == id) return property;
    items.emplace_back();
    items.back().id = id;
    return items.back();
}

}  // namespace

void Properties::set_number(PropertyId id, uint32_t number) { single(items_, id).number = number; }

void Properties::set_text(PropertyId id, std::string_view text) { single(items_, id).text = text; }

void Properties::add_number(PropertyId id, uint32_t number) {
    items_.emplace_back();
    items_.back().id = id;
    items_.back().number = number;
}

void Properties::add_user(std::string_view name, std::string_view value) {
    items_.emplace_back();
    items_.back().id = PropertyId::user_property;
    items_.back().text = name;
    items_.back().value = value;
}

void Properties::remove(PropertyId id) {
    std::erase_if(items_, [id](const Property& property) { return property.id == id; });
}

size_t Properties::count(PropertyId id) const {
    return static_cast<size_t>(std::count_if(items_.begin(), items_.end(),
                                             [id](const Property& property) { return property.id == id; }));
}

size_t encoded_size(const Properties& properties) {
    SizeCounter counter;
    write_property_list(counter, properties);
    return counter.size();
}

bool encodable(const Properties& properties) {
    SizeCounter counter;
    write_property_list(counter, properties);
    return counter.fits() && counter.size() <= kMaxRemainingLength;
}

void encode_properties(ByteWriter& out, const Properties& properties) {
    out.varint(static_cast<uint32_t>(encoded_size(properties)));
    write_property_list(out, properties);
}

}  // namespace comqtt::mqtt
