#pragma once
// One rich and one poor packet of every type, version and direction.

#include <string>
#include <vector>

#include "mqtt/packet.hpp"

namespace comqtt::mqtt::test {

struct Sample {
    const char* name;
    Packet packet;
    bool from_client;
};

namespace sample {

using Id = PropertyId;

inline Packet packet_of(PacketType type, Version version) {
    Packet packet;
    packet.type = type;
    packet.version = version;
    return packet;
}

inline Properties answer_properties() {
    Properties properties;
    properties.set_text(Id::reason_string, "because");
    properties.add_user("name", "value");
    properties.add_user("name", "again");
    return properties;
}

inline Properties message_properties() {
    Properties properties;
    properties.set_number(Id::payload_format_indicator, 1);
    properties.set_number(Id::message_expiry_interval, 3600);
    properties.set_text(Id::content_type, "text/plain");
    properties.set_text(Id::response_topic, "answers/\xC3\xA9");
    properties.set_text(Id::correlation_data, std::string("\0\xFF", 2));
    properties.add_user("k", "");
    return properties;
}

inline Packet connect(Version version, bool rich) {
    Packet packet = packet_of(PacketType::connect, version);
    packet.connect.protocol_name = version == Version::v31 ? "MQIsdp" : "MQTT";
    packet.connect.client_id = rich ? "client-1" : "";
    packet.connect.keep_alive = rich ? 60 : 0;
    if (!rich) return packet;
    packet.connect.clean_start = false;
    packet.connect.username = "user";
    packet.connect.password = std::string("\0\xFE", 2);
    packet.connect.will = Will{"will/topic", "gone", 2, true, {}};
    if (version != Version::v5) return packet;
    packet.connect.will->properties = message_properties();
    packet.connect.will->properties.set_number(Id::will_delay_interval, 5);
    packet.properties.set_number(Id::session_expiry_interval, kNoExpiry);
    packet.properties.set_number(Id::receive_maximum, 10);
    packet.properties.set_number(Id::maximum_packet_size, 1 << 20);
    packet.properties.set_number(Id::topic_alias_maximum, 16);
    packet.properties.set_number(Id::request_response_information, 1);
    packet.properties.set_number(Id::request_problem_information, 0);
    packet.properties.set_text(Id::authentication_method, "SCRAM");
    packet.properties.set_text(Id::authentication_data, "first");
    packet.properties.add_user("a", "b");
    return packet;
}

inline Packet connack(Version version, bool rich) {
    Packet packet = packet_of(PacketType::connack, version);
    packet.session_present = rich && version != Version::v31;
    if (!rich) packet.reason = Reason::not_authorized;
    if (!rich || version != Version::v5) return packet;
    packet.properties = answer_properties();
    for (const Id id :
         {Id::session_expiry_interval, Id::receive_maximum, Id::maximum_qos, Id::retain_available,
          Id::maximum_packet_size, Id::topic_alias_maximum, Id::wildcard_subscription_available,
          Id::subscription_identifier_available, Id::shared_subscription_available, Id::server_keep_alive})
        packet.properties.set_number(id, 1);
    for (const Id id : {Id::assigned_client_identifier, Id::response_information, Id::server_reference,
                        Id::authentication_method, Id::authentication_data})
        packet.properties.set_text(id, "text");
    return packet;
}

inline Packet publish(Version version, QoS qos, bool from_client) {
    Packet packet = packet_of(PacketType::publish, version);
    packet.topic_name = "a/topic/\xE2\x82\xAC";
    packet.payload = "payload";
    packet.qos = qos;
    packet.dup = qos == 2;
    packet.retain = qos == 1;
    packet.packet_id = qos ? 0xFFFF : 0;
    if (version != Version::v5 || qos == 0) return packet;
    packet.properties = message_properties();
    packet.properties.set_number(Id::topic_alias, 3);
    if (!from_client) packet.properties.add_number(Id::subscription_identifier, 268'435'455);
    if (!from_client) packet.properties.add_number(Id::subscription_identifier, 1);
    return packet;
}

inline Packet ack(PacketType type, Version version, bool rich) {
    Packet packet = packet_of(type, version);
    packet.packet_id = 258;
    if (!rich || version != Version::v5) return packet;
    const bool second = type == PacketType::pubrel || type == PacketType::pubcomp;
    packet.reason = second ? Reason::packet_identifier_not_found : Reason::quota_exceeded;
    packet.properties = answer_properties();
    return packet;
}

inline Packet subscribe(Version version) {
    Packet packet = packet_of(PacketType::subscribe, version);
    packet.packet_id = 7;
    packet.filters = {{"a/+/b", 1, false, false, 0}, {"#", 2, false, false, 0}};
    if (version != Version::v5) return packet;
    packet.filters.push_back({"$share/g/x/#", 0, false, true, 1});
    packet.filters.push_back({"mine", 1, true, true, 2});
    packet.properties.set_number(Id::subscription_identifier, 129);
    packet.properties.add_user("k", "v");
    return packet;
}

inline Packet unsubscribe(Version version) {
    Packet packet = packet_of(PacketType::unsubscribe, version);
    packet.packet_id = 8;
    packet.filters = {{"a/+/b", 0, false, false, 0}, {"$share/g/x/#", 0, false, false, 0}};
    if (version == Version::v5) packet.properties.add_user("k", "v");
    return packet;
}

inline Packet suback(Version version) {
    Packet packet = packet_of(PacketType::suback, version);
    packet.packet_id = 7;
    packet.reason_codes = {0, 1, 2, 0x80};
    if (version != Version::v5) return packet;
    packet.reason_codes.push_back(0x8F);
    packet.properties = answer_properties();
    return packet;
}

inline Packet unsuback(Version version) {
    Packet packet = packet_of(PacketType::unsuback, version);
    packet.packet_id = 8;
    if (version != Version::v5) return packet;
    packet.reason_codes = {0x00, 0x11};
    packet.properties = answer_properties();
    return packet;
}

inline Packet disconnect(bool from_client) {
    Packet packet = packet_of(PacketType::disconnect, Version::v5);
    packet.reason = from_client ? Reason::disconnect_with_will : Reason::server_moved;
    packet.properties = answer_properties();
    if (from_client) packet.properties.set_number(Id::session_expiry_interval, 0);
    if (!from_client) packet.properties.set_text(Id::server_reference, "other:1883");
    return packet;
}

inline Packet auth(Reason reason) {
    Packet packet = packet_of(PacketType::auth, Version::v5);
    packet.reason = reason;
    packet.properties.set_text(Id::authentication_method, "SCRAM");
    packet.properties.set_text(Id::authentication_data, "next");
    return packet;
}

inline void add_version(std::vector<Sample>& all, Version version) {
    all.push_back({"CONNECT with everything", connect(version, true), true});
    all.push_back({"CONNECT with nothing", connect(version, false), true});
    all.push_back({"CONNACK with everything", connack(version, true), false});
    all.push_back({"CONNACK that refuses", connack(version, false), false});
    for (const bool from_client : {true, false}) {
        for (const QoS qos : {QoS{0}, QoS{1}, QoS{2}})
            all.push_back({"PUBLISH", publish(version, qos, from_client), from_client});
        for (const PacketType type :
             {PacketType::puback, PacketType::pubrec, PacketType::pubrel, PacketType::pubcomp}) {
            all.push_back({"acknowledgement with everything", ack(type, version, true), from_client});
            all.push_back({"acknowledgement in short", ack(type, version, false), from_client});
        }
    }
    all.push_back({"SUBSCRIBE", subscribe(version), true});
    all.push_back({"SUBACK", suback(version), false});
    all.push_back({"UNSUBSCRIBE", unsubscribe(version), true});
    all.push_back({"UNSUBACK", unsuback(version), false});
    all.push_back({"PINGREQ", packet_of(PacketType::pingreq, version), true});
    all.push_back({"PINGRESP", packet_of(PacketType::pingresp, version), false});
    all.push_back({"DISCONNECT in short", packet_of(PacketType::disconnect, version), true});
}

}  // namespace sample

inline std::vector<Sample> samples() {
    using namespace sample;
    std::vector<Sample> all;
    for (const Version version : {Version::v31, Version::v311, Version::v5}) add_version(all, version);
    all.push_back({"DISCONNECT of a client", disconnect(true), true});
    all.push_back({"DISCONNECT of a server", disconnect(false), false});
    all.push_back({"AUTH of a client", auth(Reason::continue_authentication), true});
    all.push_back({"AUTH of a client anew", auth(Reason::reauthenticate), true});
    all.push_back({"AUTH of a server", auth(Reason::success), false});
    all.push_back({"AUTH in short", packet_of(PacketType::auth, Version::v5), false});
    return all;
}

}  // namespace comqtt::mqtt::test
