#include "broker/here.hpp"

#include "mqtt/codec.hpp"

namespace comqtt::broker {

namespace {
thread_local const Here* callback_here = nullptr;
}

CallbackScope::CallbackScope(const Here& here) : outer_(std::exchange(callback_here, &here)) {}

CallbackScope::~CallbackScope() { callback_here = outer_; }

bool CallbackScope::inside(const Core& core) { return callback_here && &callback_here->core() == &core; }

void Here::read_clock() {
    now_ms_ = core_.clock->monotonic_ms();
    wall_ms_ = core_.clock->wall_ms();
    wall_history_.note(now_ms_, wall_ms_);
}

bool Here::sound(const PacketBox& box, EventId event) {
    if (!box.edited) return true;
    mqtt::Packet packet = box.packet;
    if (packet.type == mqtt::PacketType::publish) packet.packet_id = packet.qos ? 1 : 0;
    const auto error = mqtt::validate_packet(packet, true);
    if (!error) return true;
    uint64_t held_back = 0;
    if (core_.log.enabled(LogLevel::error) && unsound_log_.allow(now_ms_, held_back))
        core_.log.write(LogLevel::error, "hooks",
                        "{}: a packet was edited into one that cannot be, refused: {} [{}]{}",
                        hooks::event_name(event), error.what, error.statement, lines_held_back(held_back));
    return false;
}

}  // namespace comqtt::broker
