// Properties as a dict keyed by the specification's names in snake case ("message_expiry_interval"); user
// properties as a list of pairs, in wire order.
#include <cctype>
#include <map>
#include <utility>

#include <pybind11/stl.h>

#include "error.hpp"
#include "packet.hpp"
#include "text.hpp"

namespace comqtt_python {
namespace {

std::string snake_name(comqtt_prop id) {
    std::string name;
    for (const char* letter = comqtt_prop_name(id); letter && *letter; ++letter)
        name += *letter == ' ' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(*letter)));
    return name;
}

/// Every property that goes into the dict, by name.
const std::map<std::string, comqtt_prop>& ids_by_name() {
    static const std::map<std::string, comqtt_prop> ids = [] {
        std::map<std::string, comqtt_prop> made;
        for (int id = 1; id < 0x80; ++id) {
            const auto prop = static_cast<comqtt_prop>(id);
            const comqtt_prop_type type = comqtt_prop_type_of(prop);
            if (type != COMQTT_PROP_TYPE_NONE && type != COMQTT_PROP_TYPE_PAIR) made[snake_name(prop)] = prop;
        }
        return made;
    }();
    return ids;
}

comqtt_prop id_of(std::string name) {
    for (char& letter : name)
        if (letter == '-') letter = '_';
    const auto found = ids_by_name().find(name);
    if (found == ids_by_name().end()) throw py::key_error("there is no property " + name);
    return found->second;
}

py::object value_of(const comqtt_packet* packet, comqtt_section section, comqtt_prop id) {
    if (id == COMQTT_PROP_SUBSCRIPTION_IDENTIFIER) {
        py::list all;
        for (size_t index = 0; index < comqtt_packet_subscription_id_count(packet); ++index)
            all.append(comqtt_packet_subscription_id(packet, index));
        return all;
    }
    comqtt_str text{};
    comqtt_bytes bytes{};
    uint32_t number = 0;
    switch (comqtt_prop_type_of(id)) {
        case COMQTT_PROP_TYPE_UTF8: comqtt_packet_prop_str(packet, section, id, &text); return to_str(text);
        case COMQTT_PROP_TYPE_BINARY:
            comqtt_packet_prop_bytes(packet, section, id, &bytes);
            return to_bytes(bytes);
        default: comqtt_packet_prop_int(packet, section, id, &number); return py::int_(number);
    }
}

py::dict properties(const Packet& packet, comqtt_section section) {
    py::dict made;
    const size_t count = comqtt_packet_prop_count(packet.get(), section);
    for (size_t index = 0; index < count; ++index) {
        const comqtt_prop id = comqtt_packet_prop_id(packet.get(), section, index);
        if (id != COMQTT_PROP_USER_PROPERTY)
            made[py::str(snake_name(id))] = value_of(packet.get(), section, id);
    }
    return made;
}

void set_subscription_ids(comqtt_packet* packet, const py::handle& value) {
    check(comqtt_packet_remove_prop(packet, COMQTT_SECTION_PACKET, COMQTT_PROP_SUBSCRIPTION_IDENTIFIER));
    if (py::isinstance<py::int_>(value)) {
        check(comqtt_packet_add_subscription_id(packet, value.cast<uint32_t>()));
        return;
    }
    for (const py::handle each : py::iter(value))
        check(comqtt_packet_add_subscription_id(packet, each.cast<uint32_t>()));
}

/// None takes the property out.
void set_property(Packet& packet, comqtt_section section, const std::string& name, const py::handle& value) {
    const comqtt_prop id = id_of(name);
    comqtt_packet* target = packet.edit();
    if (value.is_none()) {
        check(comqtt_packet_remove_prop(target, section, id));
    } else if (id == COMQTT_PROP_SUBSCRIPTION_IDENTIFIER) {
        set_subscription_ids(target, value);
    } else if (comqtt_prop_type_of(id) == COMQTT_PROP_TYPE_UTF8) {
        check(comqtt_packet_set_prop_str(target, section, id, view_of(value.cast<std::string>())));
    } else if (comqtt_prop_type_of(id) == COMQTT_PROP_TYPE_BINARY) {
        const BytesArgument bytes(py::reinterpret_borrow<py::object>(value));
        check(comqtt_packet_set_prop_bytes(target, section, id, bytes.view()));
    } else {
        check(comqtt_packet_set_prop_int(target, section, id, value.cast<uint32_t>()));
    }
}

void replace_properties(Packet& packet, comqtt_section section, const py::dict& values) {
    for (const auto& [name, id] : ids_by_name()) check(comqtt_packet_remove_prop(packet.edit(), section, id));
    for (const auto& [name, value] : values) set_property(packet, section, name.cast<std::string>(), value);
}

py::list user_properties(const Packet& packet, comqtt_section section) {
    py::list made;
    comqtt_pair pair{};
    for (size_t index = 0; comqtt_packet_user_prop(packet.get(), section, index, &pair); ++index)
        made.append(py::make_tuple(to_str(pair.key), to_str(pair.value)));
    return made;
}

void replace_user_properties(Packet& packet, comqtt_section section, const py::iterable& pairs) {
    check(comqtt_packet_remove_prop(packet.edit(), section, COMQTT_PROP_USER_PROPERTY));
    for (const py::handle each : pairs) {
        const auto [key, value] = each.cast<std::pair<std::string, std::string>>();
        check(comqtt_packet_add_user_prop(packet.edit(), section, view_of(key), view_of(value)));
    }
}

template <comqtt_section Section>
void bind_section(PacketClass& packet, const char* name, const char* user_name) {
    packet
        .def_property(
            name, [](const Packet& self) { return properties(self, Section); },
            [](Packet& self, const py::dict& values) { replace_properties(self, Section, values); })
        .def_property(
            user_name, [](const Packet& self) { return user_properties(self, Section); },
            [](Packet& self, const py::iterable& pairs) { replace_user_properties(self, Section, pairs); });
}

}  // namespace

void bind_packet_properties(PacketClass& packet) {
    bind_section<COMQTT_SECTION_PACKET>(packet, "properties", "user_properties");
    bind_section<COMQTT_SECTION_WILL>(packet, "will_properties", "will_user_properties");
    packet.def(
        "set_property",
        [](Packet& self, const std::string& name, const py::object& value) {
            set_property(self, COMQTT_SECTION_PACKET, name, value);
        },
        py::arg("name"), py::arg("value"));
}

}  // namespace comqtt_python
