// What a client makes of the broker's packets: every rule that can be checked on the spot.

#include <algorithm>

#include "sim/client.hpp"

namespace comqtt::sim {

using mqtt::Packet;
using mqtt::PacketType;
using mqtt::PropertyId;
using mqtt::Reason;

void Client::read(size_t limit) {
    if (!wire_) return;
    const auto bytes = wire_->read(limit);
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    if (!bytes.empty()) sim_.tick();
    size_t at = 0;
    while (at < buffer_.size() && wire_) {
        const ByteView rest = ByteView(buffer_).from(at);
        mqtt::FixedHeader header;
        const auto frame = mqtt::read_fixed_header(rest, header);
        demand(frame != mqtt::FrameState::malformed, "{}: a malformed header", settings_.id);
        if (frame == mqtt::FrameState::need_more || rest.size < header.packet_size()) break;
        Packet packet;
        const auto error =
            mqtt::decode_packet(rest.subview(0, header.packet_size()), settings_.version, false, {}, packet);
        demand(!error, "{}: the broker sent a bad packet: {} [{}]", settings_.id, error.what,
               error.statement);
        const uint32_t maximum = settings_.maximum_packet_size;
        demand(!maximum || header.packet_size() <= maximum, "{}: a packet of {} bytes", settings_.id,
               header.packet_size());
        at += header.packet_size();
        handle(packet);
    }
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(std::min(at, buffer_.size())));
    if (wire_ && wire_->ended()) {
        saw_end = true;
        sim_.note("{} sees the end of wire {}", settings_.id, wire_->number);
        demand(expects_end, "{}: the broker closed the connection", settings_.id);
        if (!wire_->closed_by_client()) wire_->close();
        leave(false);
    }
}

void Client::handle(const Packet& packet) {
    if (packet.type == PacketType::connack) {
        demand(state_ == State::connecting, "{}: a second CONNACK", settings_.id);
        handle_connack(packet);
        return;
    }
    if (packet.type == PacketType::disconnect) {
        demand(expects_end, "{}: DISCONNECT 0x{:02X} {}", settings_.id, static_cast<unsigned>(packet.reason),
               packet.properties.text(PropertyId::reason_string).value_or(""));
        ended_with = packet.reason;
        return;
    }
    demand(up(), "{}: packet type {} before CONNACK", settings_.id, static_cast<unsigned>(packet.type));
    switch (packet.type) {
        case PacketType::publish: handle_publish(packet); break;
        case PacketType::puback:
        case PacketType::pubrec:
        case PacketType::pubrel:
        case PacketType::pubcomp: handle_ack(packet); break;
        case PacketType::suback:
        case PacketType::unsuback: handle_suback(packet); break;
        case PacketType::pingresp:
            demand(pings_ > 0, "{}: PINGRESP without PINGREQ", settings_.id);
            --pings_;
            break;
        default: fail("{}: the broker sent packet type {}", settings_.id, static_cast<unsigned>(packet.type));
    }
}

void Client::handle_connack(const Packet& packet) {
    if (packet.reason != Reason::success) {
        demand(expects_end, "{}: CONNACK 0x{:02X}", settings_.id, static_cast<unsigned>(packet.reason));
        ended_with = packet.reason;
        return;
    }
    const int64_t now = sim_.now_ms();
    sim_.note("{} CONNACK, session {}", settings_.id, packet.session_present ? "present" : "new");
    if (packet.session_present)
        demand(presence_ != Presence::no, "{}: an old session is still there", settings_.id);
    else
        demand(presence_ != Presence::yes && now >= present_below_ms_, "{}: the session is gone",
               settings_.id);
    if (undecided_will_) {
        if (packet.session_present && now < will_due_ms_) {
            model_.decide_will(*undecided_will_, Fate::must_not);
        } else if (!packet.session_present) {
            model_.decide_will(*undecided_will_, Fate::must);
        }
    }
    undecided_will_.reset();
    if (!packet.session_present && has_session_) drop_session();
    if (!packet.session_present) session_.spans.clear();
    has_session_ = true;
    ++session_.connections;
    server_receive_maximum_ = 65'535;
    server_alias_maximum_ = 0;
    if (v5()) {
        server_receive_maximum_ =
            static_cast<uint16_t>(packet.properties.number(PropertyId::receive_maximum).value_or(65'535));
        server_alias_maximum_ =
            static_cast<uint16_t>(packet.properties.number(PropertyId::topic_alias_maximum).value_or(0));
    }
    state_ = State::up;
    up_since_ = sim_.tick();
    resume();
}

void Client::resume() {
    for (const auto& out : session_.out) {
        if (out.released) {
            send_ack({PacketType::pubrel, out.id});
        } else {
            send_publish(model_.message(out.number), out.id, true);
        }
    }
}

bool Client::possible(const Span& span, const Message& m) const {
    // A shared message may be routed again, to a member that joined later; a will goes out when it is due.
    return span.matches(m.topic) && m.sent < span.left &&
           (m.routed == kNever || span.asked <= m.routed || span.shared || m.will) &&
           !(span.no_local && m.publisher == settings_.index);
}

const std::string& Client::topic_of(const Packet& packet) {
    const auto alias = packet.properties.number(PropertyId::topic_alias);
    if (!alias) return packet.topic_name;
    demand(*alias > 0 && *alias <= settings_.alias_maximum, "{}: topic alias {}", settings_.id, *alias);
    std::string& topic = aliases_in_[static_cast<uint16_t>(*alias)];
    if (!packet.topic_name.empty()) topic = packet.topic_name;
    demand(!topic.empty(), "{}: topic alias {} stands for nothing", settings_.id, *alias);
    return topic;
}

/// Takes a QoS 1 or 2 message on; false when it was received before.
bool Client::note_flow(const Packet& packet, const std::string& topic, uint32_t number) {
    const auto id = packet.packet_id;
    demand(in_flight_.emplace(id, number).second, "{}: identifier {} is still in flight", settings_.id, id);
    demand(in_flight_.size() <= settings_.receive_maximum, "{}: {} messages in flight", settings_.id,
           in_flight_.size());
    held_.push_back({packet.qos == 1 ? PacketType::puback : PacketType::pubrec, id});
    auto& before = packet.qos == 2 ? session_.receiving : session_.unanswered;
    const auto [at, added] = before.try_emplace(id, number);
    if (added) return true;
    // A shared message may have gone to another member meanwhile, which frees its identifier.
    demand((at->second == number && packet.dup) || (packet.qos == 1 && topic.starts_with("s/")),
           "{}: identifier {} of message {} is used for {}", settings_.id, id, at->second, number);
    at->second = number;
    return packet.qos == 1;
}

void Client::handle_publish(const Packet& packet) {
    const std::string& topic = topic_of(packet);
    Message* m = packet.payload.empty() ? nullptr : &model_.identify(packet.payload);
    const uint32_t number = m ? m->number : 0;
    sim_.note("{} receives {} on '{}' QoS {} id {}{}{}", settings_.id, number, topic, packet.qos,
              packet.packet_id, packet.dup ? " dup" : "", packet.retain ? " retain" : "");
    demand(!m || m->topic == topic, "{}: message {} on '{}'", settings_.id, number, topic);
    demand(!packet.dup || session_.connections > 1, "{}: DUP in the first connection of a session",
           settings_.id);
    if (packet.qos && !note_flow(packet, topic, number)) return;
    const auto expiry = packet.properties.number(PropertyId::message_expiry_interval);
    inbox.push_back({number, topic, packet.qos, packet.retain, packet.dup, expiry});
    if (!m) return;
    demand(packet.qos <= m->qos, "{}: message {} of QoS {} came with {}", settings_.id, number, m->qos,
           packet.qos);
    if (m->expiry_s) {
        demand(!v5() || (expiry && *expiry <= m->expiry_s), "{}: message {} came without its expiry",
               settings_.id, number);
        demand(packet.dup || packet.retain || m->transmissions > 1 || m->acked == kNever ||
                   connect_ms_ < m->acked_ms + int64_t{m->expiry_s} * 1000,
               "{}: message {} came after its expiry", settings_.id, number);
    }
    if (settings_.watches_wills && m->will) model_.will_arrived(*m);
    const bool as_published =
        std::any_of(session_.spans.begin(), session_.spans.end(),
                    [&](const Span& span) { return span.retain_as_published && possible(span, *m); });
    if (packet.retain && !(as_published && m->retain)) {
        check_replay(*m, packet);
        return;
    }
    const bool first = ++session_.copies[number] == 1;
    if (packet.retain) return;  // a replay or not: both are possible
    check_live(*m, packet);
    if (first && !topic.starts_with("s/") && !m->will) check_order(*m, packet.qos);
}

void Client::check_live(const Message& m, const Packet& packet) {
    demand(m.number >= model_.finished() || m.will, "{}: message {} came when it was over and done with",
           settings_.id, m.number);
    const Span* match = nullptr;
    uint8_t possibly = 0;
    uint8_t certainly = 0;
    for (const Span& span : session_.spans) {
        if (!possible(span, m)) continue;
        match = &span;
        possibly = std::max(possibly, span.qos);
        if (span.stands <= m.sent && span.leaving == kNever) certainly = std::max(certainly, span.qos);
    }
    demand(match != nullptr, "{}: message {} on '{}' matches no subscription", settings_.id, m.number,
           m.topic);
    demand(packet.qos <= possibly && packet.qos >= std::min(certainly, m.qos),
           "{}: message {} of QoS {} came with {}, subscribed with {} to {}", settings_.id, m.number, m.qos,
           packet.qos, certainly, possibly);
    check_identifiers(m, packet, false);
    if (match->shared) {
        model_.group_delivery(match->filter, m, packet.qos);
        return;
    }
    if (!(packet.qos == 1 && packet.dup)) {
        const uint32_t count = ++session_.firsts[m.number];
        demand(count <= m.transmissions, "{}: message {} came {} times (QoS {} as {})", settings_.id,
               m.number, count, m.qos, packet.qos);
    }
}

void Client::check_order(const Message& m, uint8_t qos) {
    uint32_t& latest = session_.latest[{m.publisher, {m.topic, m.qos * 3u + qos}}];
    // What the publisher sent again may come again in the order sent again.
    demand(latest < m.number || m.transmissions > 1, "{}: message {} came after {} on '{}'", settings_.id,
           m.number, latest, m.topic);
    latest = std::max(latest, m.number);
}

void Client::check_replay(const Message& m, const Packet& packet) {
    uint32_t allowed = 0;
    for (const Span& span : session_.spans)
        if (!span.shared && span.retain_handling != 2 && span.matches(m.topic) && m.sent < span.left)
            ++allowed;
    demand(m.retain && allowed > 0, "{}: message {} on '{}' has RETAIN without a cause", settings_.id,
           m.number, m.topic);
    check_identifiers(m, packet, true);
    if (packet.dup) return;
    // Whoever unsubscribed meanwhile may have had one too: counted by the subscriptions there were.
    const uint32_t count = ++session_.replays[m.topic];
    demand(count <= session_.subscribes_of_retained, "{}: '{}' was replayed {} times", settings_.id, m.topic,
           count);
}

void Client::check_identifiers(const Message& m, const Packet& packet, bool replay) const {
    if (!v5()) return;
    std::vector<uint32_t> ids;
    for (const auto& property : packet.properties.items())
        if (property.id == PropertyId::subscription_identifier) ids.push_back(property.number);
    for (const uint32_t id : ids) {
        const bool known = std::any_of(session_.spans.begin(), session_.spans.end(), [&](const Span& span) {
            return span.identifier == id && (replay ? span.matches(m.topic) : possible(span, m));
        });
        demand(known, "{}: message {} with the subscription identifier {}", settings_.id, m.number, id);
    }
    if (replay) return;
    for (const Span& span : session_.spans) {
        if (!span.identifier || !possible(span, m) || span.stands > m.sent || span.leaving != kNever)
            continue;
        demand(std::find(ids.begin(), ids.end(), span.identifier) != ids.end(),
               "{}: message {} lacks the subscription identifier {}", settings_.id, m.number,
               span.identifier);
    }
}

void Client::handle_ack(const Packet& packet) {
    const auto id = packet.packet_id;
    if (packet.type == PacketType::pubrel) {
        const bool known = session_.receiving.erase(id) != 0;
        demand(known || session_.connections > 1, "{}: PUBREL for the unknown identifier {}", settings_.id,
               id);
        held_.push_back({PacketType::pubcomp, id,
                         known || !v5() ? Reason::success : Reason::packet_identifier_not_found});
        return;
    }
    const uint8_t qos = packet.type == PacketType::puback ? 1 : 2;
    const bool released = packet.type == PacketType::pubcomp;
    const auto at = std::find_if(session_.out.begin(), session_.out.end(), [&](const auto& out) {
        return out.qos == qos && (qos == 1 || out.released == released);
    });
    demand(at != session_.out.end() && at->id == id, "{}: packet type {} for identifier {} out of turn",
           settings_.id, static_cast<unsigned>(packet.type), id);
    // A PUBREL that is sent again may find its flow over.
    const bool over =
        released && packet.reason == Reason::packet_identifier_not_found && session_.connections > 1;
    demand(over || static_cast<uint8_t>(packet.reason) < 0x80, "{}: message {} refused with 0x{:02X}",
           settings_.id, at->number, static_cast<unsigned>(packet.reason));
    sim_.note("{} type {} for message {}", settings_.id, static_cast<unsigned>(packet.type), at->number);
    if (packet.type != PacketType::pubcomp) model_.acknowledged(model_.message(at->number));
    if (packet.type == PacketType::pubrec) {
        at->released = true;
        send_ack({PacketType::pubrel, id});
        return;
    }
    session_.out.erase(at);
}

void Client::handle_suback(const Packet& packet) {
    const bool subscribed = packet.type == PacketType::suback;
    auto& waiting = subscribed ? subscribing_ : unsubscribing_;
    const auto at = waiting.find(packet.packet_id);
    demand(at != waiting.end(), "{}: an acknowledgement of nothing", settings_.id);
    for (const size_t index : at->second) {
        Span& span = session_.spans[index];
        sim_.note("{} {} '{}'", settings_.id, subscribed ? "SUBACK" : "UNSUBACK", span.filter);
        if (!subscribed) {
            span.left = sim_.step();
            continue;
        }
        demand(packet.reason_codes.size() == 1 && packet.reason_codes[0] == span.qos,
               "{}: SUBACK {} for '{}'", settings_.id,
               packet.reason_codes.empty() ? 0xFF : packet.reason_codes[0], span.filter);
        span.stands = sim_.step();
        for (size_t i = 0; i < index; ++i)
            if (session_.spans[i].filter == span.filter)
                session_.spans[i].left = std::min(session_.spans[i].left, sim_.step());
    }
    waiting.erase(at);
}

void Client::acknowledge(size_t count) {
    if (!up()) return;
    for (; count && !held_.empty(); --count) {
        const Ack ack = held_.front();
        held_.pop_front();
        if (ack.type == PacketType::puback) session_.unanswered.erase(ack.id);
        if (ack.type == PacketType::puback || ack.type == PacketType::pubcomp) in_flight_.erase(ack.id);
        send_ack(ack);
    }
}

}  // namespace comqtt::sim
