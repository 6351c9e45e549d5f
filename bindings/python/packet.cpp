// Life, plain fields and wire form of packets.
#include "packet.hpp"

#include <iterator>
#include <vector>

#include "error.hpp"
#include "text.hpp"

namespace comqtt_python {
namespace {

Packet make(comqtt_packet_kind type, comqtt_protocol version) {
    comqtt_packet* made = nullptr;
    check(comqtt_packet_new(type, version, &made));
    return Packet::adopt(made);
}

Packet clone(const Packet& packet) {
    comqtt_packet* made = nullptr;
    check(comqtt_packet_clone(packet.get(), &made));
    return Packet::adopt(made);
}

py::bytes encode(const Packet& packet) {
    size_t size = 0;
    check(comqtt_packet_encode(packet.get(), nullptr, 0, &size));
    std::vector<uint8_t> wire(size);
    check(comqtt_packet_encode(packet.get(), wire.data(), wire.size(), &size));
    return to_bytes({wire.data(), size});
}

/// (packet, bytes used), or None while the packet is not complete.
py::object decode(const py::object& data, comqtt_protocol version, bool from_server) {
    const BytesArgument bytes(data);
    comqtt_packet* made = nullptr;
    comqtt_error* error = nullptr;
    size_t used = 0;
    const comqtt_status status = comqtt_packet_decode(
        bytes.view(), version, from_server ? COMQTT_FROM_SERVER : COMQTT_FROM_CLIENT, &made, &used, &error);
    if (status == COMQTT_ERR_NOT_FOUND) {
        comqtt_error_free(error);
        return py::none();
    }
    check(status, error);
    return py::make_tuple(Packet::adopt(made), used);
}

void validate(const Packet& packet, bool from_server) {
    comqtt_error* error = nullptr;
    const comqtt_status status =
        comqtt_packet_validate(packet.get(), from_server ? COMQTT_FROM_SERVER : COMQTT_FROM_CLIENT, &error);
    check(status, error);
}

/// A property of the Python class over a getter and a setter of comqtt.h.
template <auto Get, auto Set, class Value>
void field(PacketClass& packet, const char* name) {
    packet.def_property(
        name, [](const Packet& self) { return static_cast<Value>(Get(self.get())); },
        [](Packet& self, Value value) { check(Set(self.edit(), value)); });
}

std::string repr(const Packet& packet) {
    static constexpr const char* kNames[] = {
        "?",         "CONNECT", "CONNACK",     "PUBLISH",  "PUBACK",  "PUBREC",   "PUBREL",     "PUBCOMP",
        "SUBSCRIBE", "SUBACK",  "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"};
    const comqtt_packet_kind type = comqtt_packet_type(packet.get());
    std::string text = std::string("<comqtt.Packet ") + kNames[type < std::size(kNames) ? type : 0];
    if (type == COMQTT_PUBLISH)
        text += " " + std::string(py::repr(to_str(comqtt_packet_topic(packet.get()))));
    return text + ">";
}

void bind_texts(PacketClass& packet) {
    packet
        .def_property(
            "topic", [](const Packet& self) { return to_str(comqtt_packet_topic(self.get())); },
            [](Packet& self, const std::string& topic) {
                check(comqtt_packet_set_topic(self.edit(), view_of(topic)));
            })
        .def_property(
            "payload", [](const Packet& self) { return to_bytes(comqtt_packet_payload(self.get())); },
            [](Packet& self, const py::object& payload) {
                check(comqtt_packet_set_payload(self.edit(), BytesArgument(payload).view()));
            })
        .def_property(
            "reason_codes",
            [](const Packet& self) { return to_bytes(comqtt_packet_reason_codes(self.get())); },
            [](Packet& self, const py::object& codes) {
                check(comqtt_packet_set_reason_codes(self.edit(), BytesArgument(codes).view()));
            })
        .def_property_readonly("origin",
                               [](const Packet& self) { return to_str(comqtt_packet_origin(self.get())); });
}

}  // namespace

comqtt_packet* Packet::edit() {
    if (!editable_) throw Failure(COMQTT_ERR_STATE, "this packet cannot be changed any more, or never could");
    return handle_.get();
}

void Packet::leave(bool copy) {
    if (!editable_) return;
    editable_ = false;
    if (!copy) return;
    comqtt_packet* own = nullptr;
    if (comqtt_packet_clone(handle_.get(), &own) == COMQTT_OK) handle_.reset(own);
}

void bind_packets(py::module_& module) {
    PacketClass packet(module, "Packet");
    packet.def(py::init(&make), py::arg("type"), py::arg("version") = int{COMQTT_MQTT_5})
        .def("clone", &clone)
        .def("__repr__", &repr)
        .def("encode", &encode)
        .def("validate", &validate, py::kw_only(), py::arg("from_server") = false)
        .def_static("decode", &decode, py::arg("data"), py::arg("version") = int{COMQTT_MQTT_5},
                    py::kw_only(), py::arg("from_server") = false)
        .def_property_readonly("type", [](const Packet& self) { return comqtt_packet_type(self.get()); })
        .def_property_readonly("created_ms",
                               [](const Packet& self) { return comqtt_packet_created_unix_ms(self.get()); });
    field<comqtt_packet_version, comqtt_packet_set_version, uint8_t>(packet, "version");
    field<comqtt_packet_qos, comqtt_packet_set_qos, uint8_t>(packet, "qos");
    field<comqtt_packet_dup, comqtt_packet_set_dup, bool>(packet, "dup");
    field<comqtt_packet_retain_flag, comqtt_packet_set_retain_flag, bool>(packet, "retain");
    field<comqtt_packet_id, comqtt_packet_set_id, uint16_t>(packet, "packet_id");
    field<comqtt_packet_reason, comqtt_packet_set_reason, uint8_t>(packet, "reason");
    field<comqtt_packet_session_present, comqtt_packet_set_session_present, bool>(packet, "session_present");
    bind_texts(packet);
    bind_packet_properties(packet);
    bind_packet_filters(module, packet);
    bind_packet_connect(packet);
}

}  // namespace comqtt_python
