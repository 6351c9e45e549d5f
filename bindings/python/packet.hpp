#pragma once
// Packet: Python's handle of an MQTT Control Packet. Fields are copied out when they are read.
//
// One that a callback got for editing belongs to the server again when the callback has returned. If Python still
// holds it then, it goes on with a copy that shows what the packet was at that moment and refuses changes.

#include <comqtt.h>

#include <memory>
#include <string>

#include "gil.hpp"

namespace comqtt_python {

class Packet {
public:
    /// A packet that nobody else has.
    static Packet adopt(comqtt_packet* own) { return Packet(own, true); }
    /// A frozen packet of the server.
    static Packet share(const comqtt_packet* frozen) { return Packet(comqtt_packet_retain(frozen), false); }
    /// A packet that may be edited until leave().
    static Packet borrow(comqtt_packet* editable) { return Packet(comqtt_packet_retain(editable), true); }

    const comqtt_packet* get() const { return handle_.get(); }
    /// For setters; throws when the packet is not to be changed any more.
    comqtt_packet* edit();
    /// The server goes on with the packet. `copy`: somebody still holds this object.
    void leave(bool copy);

private:
    struct Release {
        void operator()(comqtt_packet* packet) const { comqtt_packet_release(packet); }
    };
    Packet(comqtt_packet* handle, bool editable) : handle_(handle), editable_(editable) {}

    std::unique_ptr<comqtt_packet, Release> handle_;
    bool editable_;
};

/// One entry of SUBSCRIBE and UNSUBSCRIBE, or a subscription of a session.
struct TopicFilter {
    std::string filter;
    uint8_t qos = 0;
    bool no_local = false;
    bool retain_as_published = false;
    uint8_t retain_handling = 0;
    uint32_t identifier = 0;

    static TopicFilter copy_of(const comqtt_subscription& entry);
    /// Views into this object.
    comqtt_subscription view() const;
};

using PacketClass = py::class_<Packet>;

void bind_packets(py::module_& module);
void bind_packet_properties(PacketClass& packet);
void bind_packet_filters(py::module_& module, PacketClass& packet);
void bind_packet_connect(PacketClass& packet);

}  // namespace comqtt_python
