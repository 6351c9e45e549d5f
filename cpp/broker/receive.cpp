// From received bytes to packets.

#include <fmt/format.h>

#include <algorithm>

#include "base/spoil.hpp"
#include "broker/shard.hpp"
#include "mqtt/fast.hpp"
#include "mqtt/publish_view.hpp"

namespace comqtt::broker {

namespace {

/// Hooks want every packet, or every PUBLISH, as an object.
constexpr hooks::EventMask kPacketsWanted = hooks::mask_of(EventId::on_packet_read) |
                                            hooks::mask_of(EventId::on_packet_processed) |
                                            hooks::mask_of(EventId::on_select_subscribers) |
                                            hooks::mask_of(EventId::on_published_with_shared_filters);
constexpr uint64_t kFewReceivers = 128;  ///< of all that one client has sent at a time
constexpr hooks::EventMask kRunBlockers =
    kPacketsWanted | hooks::mask_of(EventId::on_publish) | hooks::mask_of(EventId::on_published);

}  // namespace

void Shard::take_received(Connection& c, ByteView bytes) {
    here_.metrics().bytes_received.add(bytes.size);
    if (c.state == Connection::State::closing) return;
    c.last_received_ms = here_.now_ms();
    if (c.waiting && c.waiting->in_pulse()) note_pulse(c, bytes.size);
    if (c.client)
        c.client->bytes_in.store(c.client->bytes_in.load(std::memory_order_relaxed) + bytes.size,
                                 std::memory_order_relaxed);
    if (c.suspension || c.input_waits) {
        keep_partial(c, bytes);
        return;
    }
    if (c.state == Connection::State::awaiting_connect && !c.partial.empty()) {
        // In one piece, for the connection may move to another shard with all that came behind CONNECT.
        keep_partial(c, bytes);
        if (c.state == Connection::State::closing || !connect_arrived(c)) return;
        uncount_connecting(c);
        std::vector<uint8_t> whole = std::move(c.partial);
        c.partial.clear();
        const size_t used = process(c, ByteView(whole));
        if (c.state != Connection::State::closing && used < whole.size())
            keep_partial(c, ByteView(whole).from(used));
        spoil(whole);
        return;
    }
    while (!c.partial.empty() && !bytes.empty()) {
        mqtt::FixedHeader header;
        size_t missing = 1;
        if (mqtt::read_fixed_header(ByteView(c.partial), header) == mqtt::FrameState::complete_header)
            missing = header.packet_size() - c.partial.size();
        const size_t take = std::min(missing, bytes.size);
        keep_partial(c, {bytes.data, take});
        bytes = bytes.from(take);
        const auto frame = mqtt::read_fixed_header(ByteView(c.partial), header);
        if (frame == mqtt::FrameState::need_more) continue;
        if (frame == mqtt::FrameState::complete_header && c.partial.size() < header.packet_size() &&
            header.packet_size() <= packet_limit(c))
            continue;
        std::vector<uint8_t> whole = std::move(c.partial);
        c.partial.clear();
        const size_t used = process(c, ByteView(whole));
        if (c.state != Connection::State::closing && used < whole.size())
            keep_partial(c, ByteView(whole).from(used));
        spoil(whole);
        if (c.state == Connection::State::closing) return;
        if (c.suspension || c.input_waits) {
            keep_partial(c, bytes);
            return;
        }
    }
    if (!bytes.empty()) {
        const size_t used = process(c, bytes);
        if (c.state == Connection::State::closing) return;
        if (used < bytes.size) keep_partial(c, bytes.from(used));
    }
    check_own_output(c);
}

uint64_t Shard::packet_limit(const Connection& c) const {
    if (c.state != Connection::State::established) return here_.core().config.limits.connect_packet_size;
    const uint32_t maximum = here_.core().config.capabilities.maximum_packet_size;
    return maximum ? maximum : mqtt::kMaxPacketSize;
}

/// May refuse the connection when too much waits in those that have not connected yet.
void Shard::keep_partial(Connection& c, ByteView rest) {
    if (c.state != Connection::State::established) {
        // Little more than has arrived: many such connections may stand there, and nobody knows whose they are.
        const size_t size = c.partial.size() + rest.size;
        if (size > c.partial.capacity()) c.partial.reserve(size + std::max<size_t>(size / 8, 256));
    }
    c.partial.insert(c.partial.end(), rest.begin(), rest.end());
    if (c.state != Connection::State::awaiting_connect) return;
    c.opening->bytes += rest.size;
    const uint64_t all =
        here_.core().connecting_bytes.fetch_add(rest.size, std::memory_order_relaxed) + rest.size;
    if (all <= here_.core().config.limits.connecting_bytes) return;
    here_.metrics().quota_exceeded.add();
    refuse_unread_connect(c, Reason::server_busy, "too many CONNECTs have arrived in part");
}

void Shard::uncount_connecting(Connection& c) {
    if (c.opening)
        here_.core().connecting_bytes.fetch_sub(std::exchange(c.opening->bytes, 0),
                                                std::memory_order_relaxed);
}

/// There is something to do with the bytes of a CONNECT: they are all there, or wrong already.
bool Shard::connect_arrived(const Connection& c) const {
    mqtt::FixedHeader header;
    const ByteView bytes(c.partial);
    switch (mqtt::read_fixed_header(bytes, header)) {
        case mqtt::FrameState::need_more: return false;
        case mqtt::FrameState::malformed: return true;
        default: return bytes.size >= std::min<uint64_t>(header.packet_size(), connect_decided(header));
    }
}

/// After how many of its bytes it is known what becomes of a CONNECT: all, or, of one that is too large, as many as tell
/// the version of the answer.
uint64_t Shard::connect_decided(const mqtt::FixedHeader& header) const {
    constexpr uint64_t kVersionAndId = 14;  // name and level, flags, keep alive, length of the client id
    return header.packet_size() > here_.core().config.limits.connect_packet_size
               ? header.header_size + kVersionAndId
               : header.packet_size();
}

/// CONNECT is larger than the server allows. What is there of it says what the client understands.
void Shard::refuse_large_connect(Connection& c, ByteView packet, const mqtt::FixedHeader& header) {
    const ByteView body = packet.from(header.header_size);
    const size_t name = body.size >= 2 ? load_u16(body.data) : 0;
    const size_t level = 2 + name;
    c.version = level < body.size && (body[level] & 0x7F) >= 5 ? mqtt::Version::v5 : mqtt::Version::v311;
    const size_t id = level + 4;  // 3.x: behind the level, flags and keep alive
    if (c.version != mqtt::Version::v5 && id + 2 <= body.size &&
        id + 2 + load_u16(body.data + id) > here_.core().config.limits.connect_packet_size) {
        refuse_connect(c, Reason::client_identifier_not_valid,
                       "the client id is longer than the server allows", "MQTT-3.1.3-8");
        return;
    }
    refuse_connect(c, Reason::packet_too_large,
                   fmt::format("CONNECT of {} bytes is larger than limits.connect-packet-size, {}",
                               header.packet_size(), here_.core().config.limits.connect_packet_size));
}

size_t Shard::process(Connection& c, ByteView bytes) {
    const uint8_t* p = bytes.begin();
    const uint8_t* const end = bytes.end();
    const uint64_t used = share_.total();
    while (p < end && !c.suspension && c.state != Connection::State::closing && !c.waits_for_store) {
        // A client whose messages have few receivers does not wait for what others use.
        if (share_.used_up() && share_.total() > used + kFewReceivers) {
            wait_for_share(c);
            break;
        }
        if (*p == 0x30 && c.state == Connection::State::established &&
            !(here_.core().hooks.mask() & kRunBlockers)) {
            const uint8_t* next = publish_runs(c, p, end);
            if (next != p) {
                p = next;
                continue;
            }
        }
        const ByteView rest(p, static_cast<size_t>(end - p));
        if (c.state == Connection::State::awaiting_connect && (*p >> 4) != 1) {
            close(c, {.reason = Reason::protocol_error,
                      .text = "the first packet is not CONNECT",
                      .statement = "MQTT-3.1.0-1",
                      .tell_client = false});
            here_.metrics().protocol_errors.add();
            return bytes.size;
        }
        mqtt::FixedHeader header;
        const auto frame = mqtt::read_fixed_header_inline(rest, header);
        if (frame == mqtt::FrameState::malformed) {
            protocol_error(c, Reason::malformed_packet, "MQTT-1.5.5-1", "bad remaining length");
            return bytes.size;
        }
        if (frame == mqtt::FrameState::need_more) break;
        if (header.packet_size() > packet_limit(c)) {
            if (c.state == Connection::State::awaiting_connect && rest.size < connect_decided(header)) break;
            here_.metrics().quota_exceeded.add();
            if (c.state == Connection::State::awaiting_connect) {
                refuse_large_connect(c, rest, header);
            } else {
                protocol_error(c, Reason::packet_too_large, "MQTT-3.2.2-15",
                               "packet larger than the server's maximum packet size");
            }
            return bytes.size;
        }
        if (header.packet_size() > rest.size) break;
        const ByteView packet = rest.subview(0, header.packet_size());
        here_.metrics().packets_received.add();
        if (c.state == Connection::State::awaiting_connect) {
            const unsigned owner = connect_owner(packet);
            if (owner != here_.number()) {
                c.opening->peer.moved = true;
                c.link->move_to(owner, std::move(c.opening->peer), {p, end});
                forget(c);
                return bytes.size;
            }
            handle_connect(c, packet);
        } else {
            const uint64_t vouched = ledger_.vouched();
            if (!process_frame(c, packet, header)) return bytes.size;
            if (ledger_.vouched() != vouched) check_store_backlog(c);
        }
        p += packet.size;
    }
    c.input_waits = (c.waits_for_store || c.waits_turn) && p < end && !c.suspension &&
                    c.state != Connection::State::closing;
    return static_cast<size_t>(p - bytes.begin());
}

/// Messages have gone to as many receivers as they may in one go. What the client has sent besides waits for its turn.
void Shard::wait_for_share(Connection& c) {
    if (c.waits_turn) return;
    c.waits_turn = true;
    inputs_.push_back(c.handle);
    pause(c);
}

void Shard::run_inputs() {
    share_.renew();
    for (size_t left = inputs_.size(); left && !share_.used_up(); --left) {
        Connection* c = clients_.connection(inputs_.front());
        inputs_.pop_front();
        if (!c || !std::exchange(c->waits_turn, false)) continue;
        c->input_waits = c->waits_for_store;
        if (!c->suspension && !c->waits_for_store) {
            contain(c, [&] { continue_input(*c, {}); });
            if (c->state == Connection::State::established) check_own_output(*c);
        }
        resume(*c);
    }
}

bool Shard::process_frame(Connection& c, ByteView frame, const mqtt::FixedHeader& header) {
    using mqtt::PacketType;
    const mqtt::DecodeLimits limits{.user_properties = here_.core().config.limits.user_properties};
    const bool established = c.state == Connection::State::established;
    const bool hooked = (here_.core().hooks.mask() & kPacketsWanted) != 0;
    if (!hooked && established) {
        if (header.type == PacketType::publish) {
            Inbound in;
            auto error = mqtt::parse_publish(frame, header, c.version, true, limits, false, in.view);
            if (!error && !in.view.topic_alias && !in.view.forward_needs_copy && !in.view.retain)
                in.route = runnable_route(c, in.view.topic_name);
            if (!error && !in.route && !in.view.topic_name.empty() &&
                !mqtt::topic_name_valid(in.view.topic_name))
                error = mqtt::parse_publish(frame, header, c.version, true, limits, true, in.view);
            if (error) {
                protocol_error(c, error);
                return false;
            }
            here_.metrics().messages_received.add();
            in.received_qos = in.view.qos;
            in.received_id = in.view.packet_id;
            return handle_publish(c, in);
        }
        if (header.type >= PacketType::puback && header.type <= PacketType::pubcomp) {
            mqtt::AckView ack;
            if (const auto error = mqtt::parse_ack(frame, header, c.version, true, limits, ack)) {
                protocol_error(c, error);
                return false;
            }
            return handle_ack(c, header.type, ack);
        }
    }
    Packet packet;
    if (const auto error = mqtt::decode_packet(frame, c.version, true, limits, packet)) {
        if (header.type == PacketType::connect) {
            protocol_error(c, Reason::protocol_error, "MQTT-3.1.0-2", "a second CONNECT");
        } else {
            protocol_error(c, error);
        }
        return false;
    }
    if (packet.type == PacketType::publish) here_.metrics().messages_received.add();
    return handle_packet(c, box_packet(std::move(packet), c.client ? c.client->id : ""), false);
}

Ref<PacketBox> Shard::box_packet(Packet packet, std::string_view origin) const {
    auto box = Ref<PacketBox>::adopt(new PacketBox);
    box->received_qos = packet.qos;
    box->received_id = packet.packet_id;
    box->packet = std::move(packet);
    box->origin = origin;
    box->created_ms = here_.wall_ms();
    return box;
}

/// A hook failed over the packet: refused where there are words for that, else dropped.
bool Shard::refuse_read(Connection& c, const Ref<PacketBox>& box, const hooks::Event& event) {
    const Packet& packet = box->packet;
    if (c.state == Connection::State::closing) return false;
    if (packet.type == mqtt::PacketType::publish) {
        Inbound refused;
        refused.box = box;
        refused.received_qos = box->received_qos;
        refused.received_id = box->received_id;
        refuse_publish(c, refused, event.reason(), event.reason_text());
        return c.state != Connection::State::closing;
    }
    if (packet.type == mqtt::PacketType::subscribe && packet.packet_id) {
        Packet ack;
        ack.type = mqtt::PacketType::suback;
        ack.packet_id = packet.packet_id;
        ack.reason_codes.assign(packet.filters.size(), static_cast<uint8_t>(event.reason()));
        send_packet(c, std::move(ack));
    }
    packet_processed(c, box.get(), event.reason());
    return c.state != Connection::State::closing;
}

bool Shard::handle_packet(Connection& c, Ref<PacketBox> box, bool injected) {
    using mqtt::PacketType;
    if (wants(EventId::on_packet_read) && !injected && c.client) {
        hooks::Event event(EventId::on_packet_read, here_.wall_ms(), c.client.get(), box.get());
        size_t position = 0;
        const auto action = here_.act(
            event, position, [&](hooks::Hook& hook) { return hook.on_packet_read(event, *c.client, *box); });
        if (action == hooks::Action::reject || action == hooks::Action::ignore) return true;
        if (event.failed()) return refuse_read(c, box, event);
        if (c.state == Connection::State::closing) return false;
        if (!here_.sound(*box, event.id())) {
            Inbound refused;
            refused.box = box;
            refused.received_qos = box->received_qos;
            refused.received_id = box->received_id;
            if (box->packet.type == PacketType::publish)
                refuse_publish(c, refused, Reason::implementation_specific_error, {});
            return c.state != Connection::State::closing;
        }
    }
    Packet& packet = box->packet;
    if (c.state == Connection::State::authenticating && packet.type != PacketType::auth &&
        packet.type != PacketType::disconnect) {
        // Only an enhanced authentication leaves a connection here with input running.
        protocol_error(c, Reason::protocol_error, "MQTT-3.1.2-30",
                       "a packet other than AUTH or DISCONNECT before CONNACK");
        return false;
    }
    bool open = true;
    switch (packet.type) {
        case PacketType::publish: {
            Inbound in;
            in.box = box;
            in.injected = injected;
            view_box(in, forward_buffer_);
            return handle_publish(c, in);
        }
        case PacketType::puback:
        case PacketType::pubrec:
        case PacketType::pubrel:
        case PacketType::pubcomp: {
            mqtt::AckView ack;
            ack.packet_id = packet.packet_id;
            ack.reason = packet.reason;
            open = handle_ack(c, packet.type, ack);
            break;
        }
        case PacketType::subscribe: return handle_subscribe(c, box, injected);
        case PacketType::unsubscribe: return handle_unsubscribe(c, box);
        case PacketType::pingreq: handle_ping(c); break;
        case PacketType::disconnect:
            packet_processed(c, box.get(), Reason::success);
            return handle_disconnect(c, packet);
        case PacketType::auth: return handle_auth(c, box);
        default:
            protocol_error(
                c, Reason::protocol_error, "MQTT-3.1.0-2",
                packet.type == PacketType::connect ? "a second CONNECT" : "a packet only a server sends");
            return false;
    }
    packet_processed(c, box.get(), Reason::success);
    return open && c.state != Connection::State::closing;
}

}  // namespace comqtt::broker
