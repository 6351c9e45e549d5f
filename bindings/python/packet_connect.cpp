// The fields of CONNECT.
#include <optional>

#include <pybind11/stl.h>

#include "error.hpp"
#include "packet.hpp"
#include "text.hpp"

namespace comqtt_python {
namespace {

comqtt_connect fields_of(const Packet& packet) {
    comqtt_connect fields = comqtt_connect_init();
    comqtt_packet_connect(packet.get(), &fields);  // of another packet type: the zero record
    return fields;
}

/// Changes one field. The views of the others point into the packet itself, so they are set from a copy of it.
template <class Fn>
void change(Packet& packet, Fn&& fn) {
    comqtt_packet* target = packet.edit();
    comqtt_packet* before = nullptr;
    check(comqtt_packet_clone(target, &before));
    const Packet owner = Packet::adopt(before);
    comqtt_connect fields = comqtt_connect_init();
    check(comqtt_packet_connect(before, &fields));
    fn(fields);
    check(comqtt_packet_set_connect(target, &fields));
}

/// (topic, payload, qos, retain) or None.
py::object will(const Packet& packet) {
    const comqtt_connect fields = fields_of(packet);
    if (!fields.has_will) return py::none();
    return py::make_tuple(to_str(fields.will_topic), to_bytes(fields.will_payload), fields.will_qos,
                          fields.will_retain);
}

void set_will(Packet& packet, const py::object& value) {
    if (value.is_none()) {
        change(packet, [](comqtt_connect& fields) { fields.has_will = false; });
        return;
    }
    const auto parts = value.cast<py::tuple>();
    if (parts.size() != 4) throw py::value_error("a will is (topic, payload, qos, retain)");
    const auto topic = parts[0].cast<std::string>();
    const BytesArgument payload(parts[1]);
    change(packet, [&](comqtt_connect& fields) {
        fields.has_will = true;
        fields.will_topic = view_of(topic);
        fields.will_payload = payload.view();
        fields.will_qos = parts[2].cast<uint8_t>();
        fields.will_retain = parts[3].cast<bool>();
    });
}

void set_username(Packet& packet, const std::optional<std::string>& name) {
    change(packet, [&](comqtt_connect& fields) { fields.username = name ? view_of(*name) : comqtt_str{}; });
}

void set_password(Packet& packet, const py::object& password) {
    const BytesArgument bytes(password);
    change(packet, [&](comqtt_connect& fields) {
        fields.password = password.is_none() ? comqtt_bytes{} : bytes.view();
    });
}

}  // namespace

void bind_packet_connect(PacketClass& packet) {
    packet
        .def_property(
            "client_id", [](const Packet& self) { return to_str(fields_of(self).client_id); },
            [](Packet& self, const std::string& id) {
                change(self, [&](comqtt_connect& fields) { fields.client_id = view_of(id); });
            })
        .def_property(
            "username", [](const Packet& self) { return to_optional_str(fields_of(self).username); },
            &set_username)
        .def_property(
            "password", [](const Packet& self) { return to_optional_bytes(fields_of(self).password); },
            &set_password)
        .def_property(
            "keep_alive", [](const Packet& self) { return fields_of(self).keep_alive; },
            [](Packet& self, uint16_t seconds) {
                change(self, [&](comqtt_connect& fields) { fields.keep_alive = seconds; });
            })
        .def_property(
            "clean_start", [](const Packet& self) { return fields_of(self).clean_start; },
            [](Packet& self, bool clean) {
                change(self, [&](comqtt_connect& fields) { fields.clean_start = clean; });
            })
        .def_property("will", &will, &set_will);
}

}  // namespace comqtt_python
