// PUBACK, PUBREC, PUBREL, PUBCOMP, both ways.

#include "broker/shard.hpp"

namespace comqtt::broker {

namespace {
/// Bytes of a PUBREL that a client can ask for as often as it likes; the first for each message its window bounds.
constexpr uint64_t kRepeatedAnswer = 5;
}  // namespace

mqtt::Packet Shard::ack_packet(const Connection& c, mqtt::PacketType type, mqtt::PacketId id, Reason reason,
                               std::string_view text, const mqtt::Properties* inherited) const {
    Packet packet;
    packet.type = type;
    packet.packet_id = id;
    packet.reason = reason;
    if (c.version == mqtt::Version::v5 && c.problem_information) {
        if (!text.empty()) packet.properties.set_text(mqtt::PropertyId::reason_string, text);
        if (inherited)
            for (const auto& property : inherited->items()) packet.properties.items().push_back(property);
    }
    return packet;
}

void Shard::send_ack(Connection& c, mqtt::PacketType type, mqtt::PacketId id, Reason reason,
                     std::string_view text, const mqtt::Properties* inherited) {
    if (c.finishing) return;
    const bool v5 = c.version == mqtt::Version::v5;
    const bool hooked = wants(EventId::on_packet_encode) || wants(EventId::on_packet_sent);
    const bool plain = !hooked && text.empty() && (!inherited || inherited->empty());
    if (!plain) {
        send_packet(c, ack_packet(c, type, id, reason, text, inherited));
        return;
    }
    const bool with_reason = v5 && reason != Reason::success;
    uint8_t* p = c.out.extend(chunks_, with_reason ? 5 : 4);
    p[0] =
        static_cast<uint8_t>((static_cast<uint8_t>(type) << 4) | (type == mqtt::PacketType::pubrel ? 2 : 0));
    p[1] = with_reason ? 3 : 2;
    store_u16(p + 2, id);
    if (with_reason) p[4] = static_cast<uint8_t>(reason);
    if (type != mqtt::PacketType::pubrel) c.answers += with_reason ? 5 : 4;
    here_.metrics().packets_sent.add();
    touch_output(c);
}

/// Sends an acknowledgement, when what it vouches for since `before` is stored, and after those that wait already.
void Shard::answer(Connection& c, uint64_t before, mqtt::PacketType type, mqtt::PacketId id, Reason reason,
                   std::string_view text, const mqtt::Properties* inherited) {
    if (ledger_.vouched() == before && !c.held) {
        send_ack(c, type, id, reason, text, inherited);
        return;
    }
    Held held;
    held.kind = Held::Kind::ack;
    held.type = type;
    held.id = id;
    held.reason = reason;
    if (!text.empty() || (inherited && !inherited->empty())) {
        held.kind = Held::Kind::packet;
        held.packet = std::make_unique<Packet>(ack_packet(c, type, id, reason, text, inherited));
    }
    hold(c, std::move(held));
}

namespace {

/// It cannot be the answer to what was sent last under this identifier (figures 4.2 and 4.3). A PUBREC may come again
/// after PUBREL was sent; a PUBCOMP whose PUBREL waits to be stored answers nothing.
bool contradicts(const session::Inflight::Entry& entry, mqtt::PacketType type) {
    using State = session::Inflight::State;
    const bool twice = entry.delivery.qos == 2 || entry.state == State::released;
    switch (type) {
        case mqtt::PacketType::puback: return twice;
        case mqtt::PacketType::pubrec: return !twice;
        case mqtt::PacketType::pubcomp: return !twice || entry.state != State::released || entry.held;
        default: return false;
    }
}

}  // namespace

bool Shard::handle_ack(Connection& c, mqtt::PacketType type, const mqtt::AckView& ack) {
    using State = session::Inflight::State;
    Session& s = *c.session;
    const auto tell = [&](EventId event_id, mqtt::PacketType packet_type) {
        if (!wants(event_id)) [[likely]]
            return;
        Packet packet;
        packet.type = packet_type;
        packet.version = c.version;
        packet.packet_id = ack.packet_id;
        packet.reason = ack.reason;
        const auto box = box_packet(std::move(packet), c.client->id);
        box->frozen = true;
        here_.notify(event_id, c.client.get(), box.get(), [&](hooks::Hook& hook, hooks::Event& event) {
            event_id == EventId::on_qos_complete ? hook.on_qos_complete(event, *c.client, *box)
                                                 : hook.on_qos_dropped(event, *c.client, *box);
        });
    };
    if (type == mqtt::PacketType::pubrel) {
        const bool known = s.flow && s.flow->received.remove(ack.packet_id);
        // As the client counts (4.9): also for a message of the connection before, and never below nothing.
        if (known && s.flow->unreleased) --s.flow->unreleased;
        const uint64_t before = ledger_.vouched();
        if (known && s.stored) ledger_.record(Ledger::Kind::received_removed, &s).packet_id = ack.packet_id;
        answer(c, before, mqtt::PacketType::pubcomp, ack.packet_id,
               known ? Reason::success : Reason::packet_identifier_not_found);
        if (known) tell(EventId::on_qos_complete, mqtt::PacketType::pubcomp);
        return true;
    }
    session::Inflight::Entry* entry = s.flow ? s.flow->inflight.find(ack.packet_id) : nullptr;
    // A PUBLISH that waits to be stored has not been sent: to the client its identifier is unused.
    if (entry && entry->held && entry->state == State::published) entry = nullptr;
    if (entry && contradicts(*entry, type)) {
        protocol_error(c, Reason::protocol_error, "MQTT-4.13.1-1",
                       "an acknowledgement that does not fit the state of its packet identifier");
        return false;
    }
    const bool failed = static_cast<uint8_t>(ack.reason) >= 0x80;
    bool done = false;
    switch (type) {
        case mqtt::PacketType::puback: done = entry && entry->delivery.qos == 1; break;
        case mqtt::PacketType::pubrec:
            if (entry && entry->delivery.qos == 2) {
                if (failed) {
                    done = true;
                    break;
                }
                const bool again = entry->state != State::published;
                if (!again) {
                    note_acknowledged(c);
                    release_message(s, *entry);
                    if (s.stored && entry->delivery.position) {
                        ledger_.record(Ledger::Kind::message_released, &s).position =
                            entry->delivery.position;
                        entry->held = true;
                        hold_flow(c, s, Held::Kind::pubrel, ack.packet_id);
                    }
                }
                if (!entry->held) send_ack(c, mqtt::PacketType::pubrel, ack.packet_id, Reason::success);
                if (again) c.answers += kRepeatedAnswer;
                if (!s.flow->queue.empty()) pump(c, s);  // its bytes made room
            } else if (!failed) {
                send_ack(c, mqtt::PacketType::pubrel, ack.packet_id, Reason::packet_identifier_not_found);
                c.answers += kRepeatedAnswer;
            }
            break;
        case mqtt::PacketType::pubcomp: done = entry && entry->state == State::released; break;
        default: break;
    }
    if (!done) return true;
    note_acknowledged(c);
    ledger_.forget_message(s, entry->delivery.position);
    end_flow(s, ack.packet_id, *entry);
    touch_output(c);  // the client's figures are brought up to date with its output
    tell(failed && type == mqtt::PacketType::pubrec ? EventId::on_qos_dropped : EventId::on_qos_complete,
         type);
    if (!s.flow->queue.empty() || !s.flow->resend.empty() || s.tail) pump(c, s);
    return true;
}

}  // namespace comqtt::broker
