// From a delivery to bytes in a connection's output.

#include <algorithm>

#include "broker/packet_parts.hpp"
#include "broker/shard.hpp"

namespace comqtt::broker {

void Shard::count_sent(Connection& c, size_t bytes) {
    if (!bytes) return;
    here_.metrics().bytes_sent.add(bytes);
    if (c.client)
        c.client->bytes_out.store(c.client->bytes_out.load(std::memory_order_relaxed) + bytes,
                                  std::memory_order_relaxed);
    if (c.congested()) note_taken(c, bytes);
}

void Shard::touch_output(Connection& c) {
    if (!c.dirty && !wide_) {
        c.dirty = true;
        dirty_.push_back(&c);
    } else if (!c.dirty && !c.late) {
        c.late = true;
        late_.push_back(c.handle);
    }
    if (c.out.bytes() >= 4 * size_t{chunks_.chunk_size()} && !c.blocked) flush(c);
}

void Shard::flush(Connection& c) {
    if (c.blocked || c.finishing || c.corked || !c.link || c.out.empty()) return;
    count_sent(c, c.out.flush(chunks_, *c.link));
    c.answers = std::min<uint64_t>(c.answers, c.out.bytes());
    if (!c.out.empty()) {
        c.blocked = true;
        c.out.shrink(chunks_);
    }
    if (c.session && c.session->replays) wake_replays(*c.session);
}

bool Shard::send_packet(Connection& c, Packet packet) {
    if (c.finishing) return true;
    packet.version = c.version;
    const auto box = box_packet(std::move(packet));
    return write_hooked(c, *box);
}

bool Shard::write_hooked(Connection& c, PacketBox& box) {
    hooks::Client* client = c.client.get();
    if (client)
        here_.notify(EventId::on_packet_encode, client, &box, [&](hooks::Hook& hook, hooks::Event& event) {
            hook.on_packet_encode(event, *client, box);
        });
    box.packet.version = c.version;
    using mqtt::PacketType;
    const PacketType type = box.packet.type;
    if (!c.problem_information && type != PacketType::publish && type != PacketType::connack &&
        type != PacketType::disconnect) {
        // [MQTT-3.1.2-29]
        box.packet.properties.remove(mqtt::PropertyId::reason_string);
        box.packet.properties.remove(mqtt::PropertyId::user_property);
    }
    box.frozen = true;
    encode_buffer_.clear();
    if (!mqtt::encode_packet(box.packet, encode_buffer_)) {
        uint64_t held_back = 0;
        if (here_.core().log.enabled(LogLevel::error) && limited_.encoding.allow(here_.now_ms(), held_back))
            here_.core().log.write(LogLevel::error, "broker", "client '{}': a packet could not be encoded{}",
                                   client ? client->id : "", lines_held_back(held_back));
        return false;
    }
    if (c.max_packet_size && encode_buffer_.size() > c.max_packet_size) {
        // Reason String and User Property give way first [MQTT-3.2.2-19].
        box.packet.properties.remove(mqtt::PropertyId::reason_string);
        box.packet.properties.remove(mqtt::PropertyId::user_property);
        encode_buffer_.clear();
        if (box.packet.type == mqtt::PacketType::publish ||
            !mqtt::encode_packet(box.packet, encode_buffer_) || encode_buffer_.size() > c.max_packet_size)
            return false;
    }
    c.out.append(chunks_, ByteView(encode_buffer_));
    here_.metrics().packets_sent.add();
    if (type == PacketType::publish) {
        here_.metrics().messages_sent.add();
    } else if (type != PacketType::pubrel) {
        c.answers += encode_buffer_.size();
    }
    touch_output(c);
    if (client && wants(EventId::on_packet_sent)) {
        flush(c);
        const std::vector<uint8_t> wire = encode_buffer_;
        here_.notify(EventId::on_packet_sent, client, &box, [&](hooks::Hook& hook, hooks::Event& event) {
            hook.on_packet_sent(event, *client, box, ByteView(wire));
        });
    }
    return true;
}

mqtt::Packet Shard::packet_of(const Publication& p, const session::Delivery& form, mqtt::PacketId id) const {
    Packet packet;
    packet.type = mqtt::PacketType::publish;
    packet.version = mqtt::Version::v5;
    packet.qos = form.qos;
    packet.retain = form.retain;
    packet.topic_name = p.topic_name.text();
    packet.payload = p.payload.text();
    packet.packet_id = id;
    packet.properties = properties_of(p.properties);
    if (p.has_expiry) {
        const int64_t waited = std::max<int64_t>(0, (here_.now_ms() - p.born_ms) / 1000);
        packet.properties.set_number(
            mqtt::PropertyId::message_expiry_interval,
            static_cast<uint32_t>(std::max<int64_t>(0, int64_t{p.expiry_interval} - waited)));
    }
    if (form.identifiers)
        for (const uint32_t identifier : form.identifiers->identifiers)
            packet.properties.add_number(mqtt::PropertyId::subscription_identifier, identifier);
    return packet;
}

bool Shard::send_delivery(Connection& c, Session& s, session::Delivery&& delivery, mqtt::PacketId resend_id,
                          Publication& p) {
    const bool waits = delivery.qos == 2 || (delivery.qos == 1 && s.flow->held_publishes);
    if (waits && s.stored && !resend_id) {
        // Exactly once also when the server ends: a QoS 2 message is not on the wire before it is stored. Those of QoS 1
        // do not overtake it.
        const mqtt::PacketId id = begin_flow(s, std::move(delivery));
        ledger_.note_sent(s, id);
        s.flow->inflight.find(id)->held = true;
        ++s.flow->held_publishes;
        hold_flow(c, s, Held::Kind::publish, id);
        return true;
    }
    PublishForm form;
    form.version = c.version;
    form.qos = delivery.qos;
    form.retain = delivery.retain;
    form.dup = resend_id != 0 && delivery.sent;
    constexpr auto kWatched = hooks::mask_of(EventId::on_packet_encode) |
                              hooks::mask_of(EventId::on_packet_sent) |
                              hooks::mask_of(EventId::on_qos_publish);
    if (!(here_.core().hooks.mask() & kWatched) && !c.max_packet_size && !delivery.identifiers &&
        (c.version != mqtt::Version::v5 || !(c.alias_maximum || p.has_expiry))) {
        if (form.qos) {
            form.packet_id = resend_id;
            delivery.sent = true;
            if (!resend_id) {
                form.packet_id = begin_flow(s, std::move(delivery));
                if (s.stored) ledger_.note_sent(s, form.packet_id);
            }
        }
        write_publish(chunks_, c.out, p, form);
        here_.metrics().packets_sent.add();
        here_.metrics().messages_sent.add();
        touch_output(c);
        return true;
    }
    if (c.version == mqtt::Version::v5) {
        if (delivery.identifiers) form.identifiers = delivery.identifiers->identifiers;
        if (p.has_expiry) {
            const int64_t waited = std::max<int64_t>(0, (here_.now_ms() - p.born_ms) / 1000);
            form.has_expiry = true;
            form.expiry = static_cast<uint32_t>(std::max<int64_t>(0, int64_t{p.expiry_interval} - waited));
        }
    }
    const bool hooked = wants(EventId::on_packet_encode) || wants(EventId::on_packet_sent);
    const size_t size = c.max_packet_size ? publish_size(p, form) : 0;
    // An alias costs three bytes, and perhaps a longer length.
    const bool aliases = c.alias_maximum && c.version == mqtt::Version::v5 && !hooked &&
                         (!c.max_packet_size || size + 4 <= c.max_packet_size);
    if (c.max_packet_size && size > c.max_packet_size) {
        // Never sent; treated as delivered [MQTT-3.1.2-25].
        drop(s, p, delivery, DropCause::too_large);
        if (!resend_id) ledger_.forget_message(s, delivery.position);
        return false;
    }
    mqtt::PacketId id = resend_id;
    if (delivery.qos) {
        const bool tell = wants(EventId::on_qos_publish);
        Ref<PacketBox> box;
        const bool was_sent = delivery.sent;
        delivery.sent = true;
        const Ref<session::IdentifierList> identifiers = delivery.identifiers;
        session::Delivery copy;
        if (tell || hooked) copy = delivery;
        if (!id) {
            id = begin_flow(s, std::move(delivery));
            if (s.stored) ledger_.note_sent(s, id);
        }
        form.packet_id = id;
        if (identifiers) form.identifiers = identifiers->identifiers;
        if (c.version != mqtt::Version::v5) form.identifiers = {};
        if (tell || hooked) {
            box = box_packet(packet_of(p, copy, id), p.origin_id.text());
            box->packet.version = c.version;
            box->packet.dup = form.dup;
            box->created_ms = p.created_ms;
        }
        if (tell)
            here_.notify(EventId::on_qos_publish, s.client.get(), box.get(),
                         [&](hooks::Hook& hook, hooks::Event& event) {
                             hook.on_qos_publish(event, *s.client, *box, p.created_ms,
                                                 resend_id && was_sent ? 1 : 0);
                         });
        if (hooked) {
            write_hooked(c, *box);
            return true;
        }
    } else if (hooked) {
        const auto box = box_packet(packet_of(p, delivery, 0), p.origin_id.text());
        box->packet.version = c.version;
        box->created_ms = p.created_ms;
        write_hooked(c, *box);
        return true;
    }
    if (aliases) {
        if (!c.outbound_aliases)
            c.outbound_aliases = std::make_unique<topics::OutboundAliases>(static_cast<uint16_t>(
                std::min<uint32_t>(c.alias_maximum, here_.core().config.limits.outbound_aliases)));
        const auto choice = c.outbound_aliases->use(p.topic_name.text());
        form.alias = choice.alias;
        form.send_topic = choice.send_topic;
    }
    write_publish(chunks_, c.out, p, form);
    here_.metrics().packets_sent.add();
    here_.metrics().messages_sent.add();
    touch_output(c);
    return true;
}

/// Monotonic clock at which a queued message expires: by its own interval, or when it has waited as long as the server
/// lets it.
int64_t Shard::due_ms(const mqtt::Message& message) const {
    const uint32_t maximum = here_.core().config.capabilities.maximum_message_expiry_interval;
    return maximum ? std::min(message.due_ms(), message.born_ms() + int64_t{maximum} * 1000)
                   : message.due_ms();
}

void Shard::pump(Connection& c, Session& s) {
    if (!s.flow || s.read_hold || c.state != Connection::State::established) return;
    session::Flow& flow = *s.flow;
    expire_queue(s);
    const uint64_t high_mark = here_.core().config.limits.high_mark_bytes;
    while (!flow.resend.empty() && flow.outstanding() < c.window && c.out.bytes() <= high_mark) {
        const mqtt::PacketId id = flow.resend.front();
        session::Inflight::Entry* entry = flow.inflight.find(id);
        if (entry && entry->held) break;  // goes on when it is stored
        flow.resend.pop_front();
        if (!entry) continue;
        if (entry->state == session::Inflight::State::released) {
            send_ack(c, mqtt::PacketType::pubrel, id, Reason::success);
            continue;
        }
        session::Delivery delivery = entry->delivery;
        if (!delivery.sent && delivery.message->due_ms() <= here_.now_ms()) {
            // It had waited for the stores when its client went away.
            drop_inflight(s, delivery, id);
            finish_flow(s, id);
            continue;
        }
        entry->delivery.sent = true;
        Publication again = Publication::of(delivery.message);
        if (!send_delivery(c, s, std::move(delivery), id, again)) finish_flow(s, id);
    }
    while (!flow.queue.empty() && flow.resend.empty() && c.out.bytes() <= high_mark) {
        session::Delivery& next = flow.queue.front();
        const bool expired = due_ms(*next.message) <= here_.now_ms();
        if (!expired && next.check_read) {
            const auto verdict = read_verdict(s, next.message->topic_name().text());
            if (verdict == hooks::Verdict::pending) break;
            if (verdict == hooks::Verdict::allow) {
                next.check_read = false;
            } else {
                here_.metrics().acl_denied.add();
            }
        }
        if (!expired && !next.check_read && next.qos &&
            (flow.outstanding() >= c.window || flow.inflight.exhausted() ||
             !has_flight_room(flow, next.message->footprint()))) {
            if (flow.inflight.exhausted() && wants(EventId::on_packet_id_exhausted)) {
                const auto box = box_packet(packet_of(Publication::of(next.message), next, 0));
                here_.notify(EventId::on_packet_id_exhausted, s.client.get(), box.get(),
                             [&](hooks::Hook& hook, hooks::Event& event) {
                                 hook.on_packet_id_exhausted(event, *s.client, *box);
                             });
            }
            break;
        }
        session::Delivery delivery = flow.queue.pop_front();
        uncount_queued(1, delivery.message->footprint());
        if (expired || delivery.check_read) ledger_.forget_message(s, delivery.position);
        if (expired) {
            drop_inflight(s, delivery, 0);
        } else if (!delivery.check_read) {
            Publication waited = Publication::of(delivery.message);
            send_delivery(c, s, std::move(delivery), 0, waited);
        }
    }
    if (s.tail) fetch_page(s);
    note_fullness(s);
    relieve(c);
    if (s.replays) wake_replays(s);
}

void Shard::count_queued(uint64_t messages, uint64_t bytes) {
    here_.metrics().queued_messages.add(messages);
    here_.core().queued_messages.fetch_add(messages, std::memory_order_relaxed);
    here_.core().queued_bytes.fetch_add(bytes, std::memory_order_relaxed);
}

void Shard::uncount_queued(uint64_t messages, uint64_t bytes) {
    here_.metrics().queued_messages.sub(messages);
    here_.core().queued_messages.fetch_sub(messages, std::memory_order_relaxed);
    here_.core().queued_bytes.fetch_sub(bytes, std::memory_order_relaxed);
}

/// No room for a message of this many bytes. A connected client's queue is bounded by bytes, for its publishers wait;
/// an offline one's by number too. One message may always wait, whatever its size.
bool Shard::queue_full(const Session& s, size_t bytes) const {
    const Limits& limits = here_.core().config.limits;
    const bool connected = s.connection && s.connection->state == Connection::State::established;
    const size_t more = bytes ? 1 : 0;
    const size_t messages = queue_length(s) - (s.tail ? s.tail->unsure() : 0) + more;
    return (messages > 1 && bytes_waiting(s) + bytes > limits.client_queued_bytes) ||
           here_.core().bytes_waiting() + bytes > limits.queued_bytes ||
           here_.core().queued_messages.load(std::memory_order_relaxed) + more > limits.queued_messages ||
           (!(connected && here_.core().config.backpressure == BackpressurePolicy::wait) &&
            messages > here_.core().config.capabilities.maximum_client_writes_pending);
}

/// Bytes of its queue and of what is in flight, which leaves half of the limit to the queue.
uint64_t Shard::bytes_waiting(const Session& s) const {
    const uint64_t inflight = s.flow ? s.flow->inflight.bytes() : 0;
    return queue_bytes(s) - (s.tail ? s.tail->unsure_bytes() : 0) +
           std::min(inflight, here_.core().config.limits.client_queued_bytes / 2);
}

void Shard::drop_oldest(Session& s) {
    const session::Delivery oldest = s.flow->queue.pop_front();
    uncount_queued(1, oldest.message->footprint());
    ledger_.forget_message(s, oldest.position);
    drop(s, oldest, DropCause::queue_full);
}

/// Tells publishers of other shards when the session has little room.
void Shard::note_fullness(Session& s) {
    if (here_.core().config.queue_policy != QueuePolicy::refuse) return;
    const uint64_t limit = here_.core().config.limits.client_queued_bytes;
    const uint64_t used = bytes_waiting(s);
    uint64_t room = UINT64_MAX;
    if (!s.connection || queue_length(s)) {
        if (queue_full(s, 1)) {
            room = 0;
        } else if (used > limit / 2) {
            room = queue_length(s) ? limit - std::min(limit, used) : UINT64_MAX;  // one always has room
        }
    }
    if (room == std::exchange(s.known_room, room)) return;
    room == UINT64_MAX ? here_.core().full_sessions.remove(s.id.value)
                       : here_.core().full_sessions.set(s.id.value, room);
    if (s.connection) schedule(s, deadline_of(s));  // what expires makes room
}

bool Shard::enqueue(Session& s, session::Delivery delivery) {
    session::Flow& flow = s.make_flow();
    const size_t bytes = delivery.message->footprint();
    expire_queue(s);  // what has expired takes no room [MQTT-3.3.2-5]
    while (queue_full(s, bytes)) {
        if (here_.core().config.queue_policy == QueuePolicy::drop_oldest && !flow.queue.empty()) {
            drop_oldest(s);
        } else if (here_.core().config.queue_policy == QueuePolicy::drop_oldest && s.tail) {
            // The oldest have to be here to be dropped, also when their client has not come since the start: trim_queue()
            // follows.
            if (!s.tail->cold) {
                fetch_page(s);
            } else if (!s.tail->loading) {
                s.tail->loading = begin_load(s, 0);
            }
            break;
        } else {
            drop(s, delivery, DropCause::queue_full);
            return false;
        }
    }
    count_queued(1, bytes);
    const bool to_tail = goes_to_tail(s, delivery);
    if (s.stored && delivery.qos && !delivery.position) ledger_.save_message(s, delivery, 0);
    if (to_tail) {
        add_to_tail(s, delivery);
        if (flow.queue.empty() && s.connection) fetch_page(s);
    } else {
        const int64_t due = due_ms(*delivery.message);
        flow.queue.push(std::move(delivery), due);
    }
    s.client->queued.store(static_cast<uint32_t>(queue_length(s)), std::memory_order_relaxed);
    note_fullness(s);
    if (!s.connection) schedule(s, deadline_of(s));
    return true;
}

void Shard::clear_flow(Session& s) {
    if (!s.flow) {
        drop_tail(s);
        return;
    }
    s.flow->inflight.each([&](mqtt::PacketId id, session::Inflight::Entry& entry) {
        here_.metrics().inflight.sub();
        leave_flight(entry.delivery);
        if (entry.state == session::Inflight::State::published) drop_inflight(s, entry.delivery, id);
    });
    while (!s.flow->queue.empty()) {
        const session::Delivery delivery = s.flow->queue.pop_front();
        uncount_queued(1, delivery.message->footprint());
        drop_inflight(s, delivery, 0);
    }
    s.flow.reset();
    drop_tail(s);
}

}  // namespace comqtt::broker
