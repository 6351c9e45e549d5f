#pragma once
// Rogue: a connection of a client that keeps to no rules. What it sends is up to the test; what came is counted by type.

#include <map>
#include <string>
#include <vector>

#include "mqtt/codec.hpp"
#include "sim/sim.hpp"

namespace comqtt::sim {

class Rogue {
public:
    explicit Rogue(Sim& sim, size_t capacity = 1 << 20) : wire_(&sim.dial(capacity)) {}

    void send(mqtt::Packet packet) {
        packet.version = mqtt::Version::v5;
        std::vector<uint8_t> bytes;
        demand(mqtt::encode_packet(packet, bytes), "a packet that cannot be encoded");
        wire_->send(bytes);
    }
    void connect(const std::string& id, bool clean, uint32_t expiry_s) {
        mqtt::Packet packet;
        packet.type = mqtt::PacketType::connect;
        packet.connect.client_id = id;
        packet.connect.clean_start = clean;
        if (expiry_s) packet.properties.set_number(mqtt::PropertyId::session_expiry_interval, expiry_s);
        send(std::move(packet));
    }
    void publish(const std::string& topic, uint8_t qos, mqtt::PacketId id, bool dup = false) {
        mqtt::Packet packet;
        packet.type = mqtt::PacketType::publish;
        packet.qos = qos;
        packet.dup = dup;
        packet.packet_id = id;
        packet.topic_name = topic;
        packet.payload = "payload";
        send(std::move(packet));
    }
    void filter(mqtt::PacketType type, const std::string& name, mqtt::PacketId id) {
        mqtt::Packet packet;
        packet.type = type;
        packet.packet_id = id;
        packet.filters.push_back({name});
        send(std::move(packet));
    }
    void ack(mqtt::PacketType type, mqtt::PacketId id) {
        mqtt::Packet packet;
        packet.type = type;
        packet.packet_id = id;
        send(std::move(packet));
    }
    /// Takes what has come.
    void read() {
        const auto bytes = wire_->read(SIZE_MAX);
        buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
        size_t at = 0;
        mqtt::FixedHeader header;
        while (at < buffer_.size()) {
            const ByteView rest(buffer_.data() + at, buffer_.size() - at);
            if (mqtt::read_fixed_header(rest, header) != mqtt::FrameState::complete_header ||
                header.packet_size() > rest.size)
                break;
            mqtt::Packet packet;
            demand(!mqtt::decode_packet(rest.subview(0, header.packet_size()), mqtt::Version::v5, false, {},
                                        packet),
                   "a packet that cannot be decoded");
            ++count[packet.type];
            last_reason = packet.reason;
            at += header.packet_size();
        }
        buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(at));
    }
    Wire& wire() { return *wire_; }

    std::map<mqtt::PacketType, size_t> count;
    mqtt::Reason last_reason = mqtt::Reason::success;

private:
    Wire* wire_;
    std::vector<uint8_t> buffer_;
};

}  // namespace comqtt::sim
