// What a client does. What it makes of the broker's packets is in client_receive.cpp.

#include "sim/client.hpp"

#include <algorithm>

#include "topics/filter.hpp"

namespace comqtt::sim {

using mqtt::Packet;
using mqtt::PacketType;
using mqtt::PropertyId;
using mqtt::Reason;

bool Client::may_connect() const {
    return state_ == State::offline && (!ended_before_ || ending_.wire->gone() || ending_.handled_connect);
}

void Client::connect(ConnectSettings settings) {
    demand(may_connect(), "{}: connects in a wrong state", settings_.id);
    sim_.tick();
    connect_ = settings;
    if (!v5()) {
        connect_.expiry_s =
            connect_.clean ? 0 : sim_.core->config.capabilities.maximum_session_expiry_interval;
        connect_.will_delay_s = 0;
    }
    connect_ms_ = sim_.now_ms();
    settle_will(connect_.clean);
    expect_presence();
    if (connect_.clean) drop_session();
    wire_ = &sim_.dial(settings_.wire_capacity);
    state_ = State::connecting;
    buffer_.clear();
    aliases_out_.clear();
    aliases_in_.clear();
    in_flight_.clear();
    held_.clear();
    saw_end = false;
    ended_with.reset();
    Packet packet;
    packet.type = PacketType::connect;
    packet.connect.client_id = settings_.id;
    packet.connect.clean_start = connect_.clean;
    packet.connect.keep_alive = connect_.keep_alive_s;
    if (v5()) {
        auto& properties = packet.properties;
        if (connect_.expiry_s) properties.set_number(PropertyId::session_expiry_interval, connect_.expiry_s);
        if (settings_.receive_maximum != 65'535)
            properties.set_number(PropertyId::receive_maximum, settings_.receive_maximum);
        if (settings_.alias_maximum)
            properties.set_number(PropertyId::topic_alias_maximum, settings_.alias_maximum);
        if (settings_.maximum_packet_size)
            properties.set_number(PropertyId::maximum_packet_size, settings_.maximum_packet_size);
    }
    will_.reset();
    if (connect_.will) {
        Message& message =
            model_.make(settings_.index, "w/" + settings_.id, connect_.will_qos, connect_.will_size);
        message.will = true;
        model_.transmitted(message, wire_->number);
        model_.decide_will(message.number, Fate::must_not);
        model_.will_not_before(message.number, INT64_MAX);
        will_ = PendingWill{message.number, connect_.will_delay_s};
        mqtt::Will& will = packet.connect.will.emplace();
        will.topic_name = message.topic;
        will.payload = Model::payload_of(message);
        will.qos = message.qos;
        if (v5() && connect_.will_delay_s)
            will.properties.set_number(PropertyId::will_delay_interval, connect_.will_delay_s);
    }
    sim_.note("{} CONNECT on wire {}{}, expiry {} s{}", settings_.id, wire_->number,
              connect_.clean ? ", clean" : "", connect_.expiry_s,
              will_ ? fmt::format(", will {} after {} s", will_->number, will_->delay_s) : "");
    send(packet);
}

void Client::settle_will(bool clean_start) {
    undecided_will_.reset();
    if (!ended_before_ || !ending_.will) return;
    const uint32_t number = ending_.will->number;
    const uint32_t delay = std::min(ending_.will->delay_s, ending_.expiry_s);
    const int64_t delay_ms = int64_t{delay} * 1000;
    const int64_t told_ms = ending_.wire->ended_ms();
    ending_.will.reset();
    if (ending_.clean) {
        // What it sent before it closed is handled before the next CONNECT is, unless that takes too long.
        if (ending_.wire->lost_input() || (told_ms < 0 && sim_.verdicts_are_slow) ||
            (sim_.little_at_a_time && ending_.wire->unread_by_broker())) {
            model_.decide_will(number, Fate::may);
            model_.will_not_before(number, 0);
        }
        return;
    }
    if (clean_start || ending_.expiry_s != ending_.expiry_before_s) model_.will_not_before(number, 0);
    const int64_t due_ms = (told_ms < 0 ? ending_.at_ms : told_ms) + delay_ms;
    const unsigned owner = sim_.core->shard_of(settings_.id);
    const bool sent = told_ms >= 0 && sim_.last_round_ms(owner) >= due_ms;
    // A DISCONNECT that changed the expiry may never have been read.
    const bool unsure = (told_ms < 0 || ending_.wire->lost_input()) &&
                        ending_.expiry_s != ending_.expiry_before_s && !clean_start;
    if (unsure) {
        model_.decide_will(number, Fate::may);
        return;
    }
    if (delay == 0 || clean_start || sent) {
        model_.decide_will(number, Fate::must);
        return;
    }
    model_.decide_will(number, Fate::may);
    undecided_will_ = number;
    will_due_ms_ =
        ending_.at_ms + delay_ms;  // a connection ends before its wire does when acknowledgements wait
}

void Client::expect_presence() {
    presence_ = Presence::no;
    present_below_ms_ = 0;
    if (connect_.clean || !has_session_) return;
    if (!ended_before_) fail("{}: a session without an ended connection", settings_.id);
    const int64_t told_ms = ending_.wire->ended_ms();
    const bool certain =
        (told_ms >= 0 && !ending_.wire->lost_input()) || ending_.expiry_s == ending_.expiry_before_s;
    const uint32_t least = certain ? ending_.expiry_s : std::min(ending_.expiry_s, ending_.expiry_before_s);
    if (certain && ending_.expiry_s == 0) return;
    if (least == mqtt::kNoExpiry) {
        presence_ = Presence::yes;
        return;
    }
    presence_ = Presence::may;
    present_below_ms_ = ending_.at_ms + int64_t{least} * 1000;
    if (least == 0) present_below_ms_ = 0;
    if (certain && told_ms >= 0 && !sim_.little_at_a_time &&
        connect_ms_ >= told_ms + int64_t{ending_.expiry_s} * 1000)
        presence_ = Presence::no;
}

void Client::send(Packet& packet) {
    packet.version = settings_.version;
    std::vector<uint8_t> bytes;
    demand(mqtt::encode_packet(packet, bytes), "{}: cannot encode a packet", settings_.id);
    wire_->send(bytes);
    sim_.note_activity();
}

void Client::send_ack(const Ack& ack) {
    Packet packet;
    packet.type = ack.type;
    packet.packet_id = ack.id;
    packet.reason = ack.reason;
    send(packet);
}

mqtt::PacketId Client::next_id() {
    mqtt::PacketId& id = session_.last_id;
    do {
        id = id == 65'535 ? 1 : static_cast<mqtt::PacketId>(id + 1);
    } while (id_in_use(id));
    return id;
}

bool Client::id_in_use(mqtt::PacketId id) const {
    return subscribing_.count(id) || unsubscribing_.count(id) ||
           std::any_of(session_.out.begin(), session_.out.end(), [&](const auto& o) { return o.id == id; });
}

bool Client::publish(const std::string& topic, PublishSettings settings) {
    demand(up(), "{}: publishes in a wrong state", settings_.id);
    if (settings.qos && session_.out.size() >= std::min<size_t>(server_receive_maximum_, 200)) return false;
    sim_.tick();
    Message& message = model_.make(settings_.index, topic, settings.qos, settings.size);
    message.retain = settings.retain;
    message.expiry_s = v5() ? settings.expiry_s : 0;
    mqtt::PacketId id = 0;
    if (settings.qos) {
        id = next_id();
        session_.out.push_back({id, message.number, settings.qos, false});
    }
    use_alias_ = settings.alias;
    send_publish(message, id, false);
    use_alias_ = false;
    return true;
}

void Client::send_publish(const Message& message, mqtt::PacketId id, bool dup) {
    Packet packet;
    packet.type = PacketType::publish;
    packet.qos = message.qos;
    packet.dup = dup;
    packet.retain = message.retain;
    packet.packet_id = id;
    packet.topic_name = message.topic;
    packet.payload = Model::payload_of(message);
    if (message.expiry_s) packet.properties.set_number(PropertyId::message_expiry_interval, message.expiry_s);
    if (use_alias_ && v5() && server_alias_maximum_) {
        const auto at = aliases_out_.find(message.topic);
        if (at != aliases_out_.end()) {
            packet.topic_name.clear();
            packet.properties.set_number(PropertyId::topic_alias, at->second);
        } else {
            // The seventh and later topics take over the alias of another.
            const auto alias =
                static_cast<uint16_t>(sim_.random.between(1, std::min<size_t>(server_alias_maximum_, 6)));
            std::erase_if(aliases_out_, [&](const auto& entry) { return entry.second == alias; });
            aliases_out_[message.topic] = alias;
            packet.properties.set_number(PropertyId::topic_alias, alias);
        }
    }
    if (message.number % 7 == 0 && v5()) packet.properties.add_user("n", std::to_string(message.number));
    sim_.note("{} PUBLISH {} on '{}' QoS {}{}{}{}{}, {} bytes", settings_.id, message.number, message.topic,
              message.qos, id ? fmt::format(" id {}", id) : "", dup ? " dup" : "",
              message.retain ? " retain" : "",
              message.expiry_s ? fmt::format(" expiry {} s", message.expiry_s) : "", message.size);
    model_.transmitted(model_.message(message.number), wire_->number);
    send(packet);
}

void Client::subscribe(const std::string& filter, SubscribeSettings settings) {
    demand(up(), "{}: subscribes in a wrong state", settings_.id);
    sim_.tick();
    Packet packet;
    packet.type = PacketType::subscribe;
    packet.packet_id = next_id();
    mqtt::TopicFilterEntry entry;
    entry.filter = filter;
    entry.qos = settings.qos;
    Span span;
    span.filter = filter;
    topics::ParsedFilter parsed;
    demand(topics::parse_filter(filter, parsed) == topics::FilterError::none, "a bad filter");
    span.plain = parsed.topic_filter;
    span.shared = parsed.shared;
    span.qos = settings.qos;
    span.asked = sim_.step();
    if (v5()) {
        entry.no_local = span.no_local = settings.no_local && !parsed.shared;
        entry.retain_as_published = span.retain_as_published = settings.retain_as_published;
        entry.retain_handling = span.retain_handling = settings.retain_handling;
        span.identifier = settings.identifier;
        if (settings.identifier)
            packet.properties.add_number(PropertyId::subscription_identifier, settings.identifier);
    }
    for (Span& old : session_.spans)
        if (old.filter == filter) old.leaving = std::min(old.leaving, sim_.step());
    if (!span.shared && span.retain_handling != 2) ++session_.subscribes_of_retained;
    if (span.shared) model_.group_subscription(filter, span.qos);
    packet.filters.push_back(entry);
    subscribing_[packet.packet_id].push_back(session_.spans.size());
    session_.spans.push_back(std::move(span));
    sim_.note("{} SUBSCRIBE '{}' QoS {} id {}", settings_.id, filter, settings.qos, packet.packet_id);
    send(packet);
}

void Client::unsubscribe(const std::string& filter) {
    demand(up(), "{}: unsubscribes in a wrong state", settings_.id);
    sim_.tick();
    Packet packet;
    packet.type = PacketType::unsubscribe;
    packet.packet_id = next_id();
    packet.filters.push_back({filter});
    auto& waiting = unsubscribing_[packet.packet_id];
    for (size_t i = 0; i < session_.spans.size(); ++i) {
        Span& span = session_.spans[i];
        if (span.filter != filter) continue;
        span.leaving = std::min(span.leaving, sim_.step());
        waiting.push_back(i);
        if (span.shared) model_.group_departure(span.filter, false);
    }
    sim_.note("{} UNSUBSCRIBE '{}' id {}", settings_.id, filter, packet.packet_id);
    send(packet);
}

void Client::ping() {
    Packet packet;
    packet.type = PacketType::pingreq;
    ++pings_;
    send(packet);
}

bool Client::subscribed(const std::string& filter) const {
    return std::any_of(session_.spans.begin(), session_.spans.end(), [&](const Span& span) {
        return span.filter == filter && span.stands != kNever && span.leaving == kNever;
    });
}

void Client::disconnect(Reason reason, std::optional<uint32_t> expiry_s) {
    demand(up(), "{}: disconnects in a wrong state", settings_.id);
    sim_.tick();
    const uint32_t before = connect_.expiry_s;
    Packet packet;
    packet.type = PacketType::disconnect;
    if (v5()) {
        packet.reason = reason;
        if (expiry_s && (before || *expiry_s == 0)) {
            packet.properties.set_number(PropertyId::session_expiry_interval, *expiry_s);
            connect_.expiry_s = *expiry_s;
        }
    }
    sim_.note("{} DISCONNECT 0x{:02X}, expiry {} s", settings_.id, static_cast<unsigned>(packet.reason),
              connect_.expiry_s);
    const bool clean = packet.reason == Reason::success;
    send(packet);
    wire_->close();
    leave(clean, before);
}

void Client::hang_up() {
    sim_.tick();
    sim_.note("{} hangs up", settings_.id);
    wire_->close();
    leave(false);
}

void Client::cut() {
    sim_.tick();
    sim_.note("{} is cut off", settings_.id);
    wire_->reset();
    leave(false);
}

void Client::walk_away() {
    sim_.tick();
    sim_.note("{} walks away from wire {}", settings_.id, wire_->number);
    leave(false);
}

void Client::leave(bool clean, std::optional<uint32_t> expiry_before_s) {
    ending_ = {};
    ending_.wire = wire_;
    ending_.at_ms = sim_.now_ms();
    ending_.expiry_s = connect_.expiry_s;
    ending_.expiry_before_s = expiry_before_s.value_or(connect_.expiry_s);
    ending_.clean = clean;
    ending_.handled_connect = state_ == State::up;
    ending_.will = will_;
    ended_before_ = true;
    if (will_) {
        const int64_t delay_ms = int64_t{std::min(will_->delay_s, connect_.expiry_s)} * 1000;
        if (!clean) model_.decide_will(will_->number, Fate::may);
        if (!clean) model_.will_not_before(will_->number, sim_.now_ms() + delay_ms);
    }
    will_.reset();
    state_ = State::offline;
    wire_ = nullptr;
    subscribing_.clear();
    unsubscribing_.clear();
    pings_ = 0;
    report_departure(connect_.expiry_s == 0);
    if (ending_.expiry_before_s == 0) drop_session();
}

void Client::report_departure(bool session_ended) {
    for (const Span& span : session_.spans)
        if (span.shared) model_.group_departure(span.filter, session_ended);
}

void Client::drop_session() {
    if (has_session_) report_departure(true);
    has_session_ = false;
    session_ = {};
}

void Client::forget_past() {
    inbox.clear();
    session_.copies.clear();
    session_.firsts.clear();
    session_.latest.clear();
    std::erase_if(session_.spans, [](const Span& span) { return span.left != kNever; });
}

bool Client::at_rest() const {
    if (state_ == State::offline) return true;
    return state_ == State::up && session_.out.empty() && held_.empty() && subscribing_.empty() &&
           unsubscribing_.empty() && pings_ == 0 && session_.receiving.empty();
}

std::string Client::unrest() const {
    return fmt::format(
        "[{}: {}, {} unacknowledged, {} held, {} SUBACKs, {} UNSUBACKs, {} PINGRESPs, {} PUBRELs missing]",
        settings_.id, state_ == State::connecting ? "connecting" : "up", session_.out.size(), held_.size(),
        subscribing_.size(), unsubscribing_.size(), pings_, session_.receiving.size());
}

}  // namespace comqtt::sim
