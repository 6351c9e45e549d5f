// Inbound PUBLISH: limits, alias, write verdict, on_publish, retain, acknowledgement, fan-out.

#include <algorithm>

#include "base/hash.hpp"
#include "broker/packet_parts.hpp"
#include "broker/shard.hpp"
#include "topics/filter.hpp"

namespace comqtt::broker {

/// Points the view at the box's own fields; `properties` holds the raw list.
void Shard::view_box(Inbound& in, std::vector<uint8_t>& properties) {
    view_packet(in.box->packet, in.view, properties);
    in.received_qos = in.box->received_qos;
    in.received_id = in.box->received_id;
}

void Shard::materialize(Connection& c, Inbound& in) {
    if (in.box) return;
    Packet packet;
    packet.type = mqtt::PacketType::publish;
    packet.version = c.version;
    packet.qos = in.view.qos;
    packet.dup = in.view.dup;
    packet.retain = in.view.retain;
    packet.packet_id = in.view.packet_id;
    packet.topic_name = in.view.topic_name.text();
    packet.payload = in.view.payload.text();
    packet.properties = properties_of(in.view.properties);
    if (in.view.has_expiry)
        packet.properties.set_number(mqtt::PropertyId::message_expiry_interval,
                                     in.view.message_expiry_interval);
    in.box = box_packet(std::move(packet), c.client->id);
    view_box(in, forward_buffer_);
}

bool Shard::handle_publish(Connection& c, Inbound& in) {
    const Capabilities& caps = here_.core().config.capabilities;
    mqtt::PublishView& view = in.view;
    const bool v5 = c.version == mqtt::Version::v5;
    if (view.qos > caps.maximum_qos) {
        if (v5) {
            protocol_error(c, Reason::qos_not_supported, "MQTT-3.2.2-11", "QoS above the server's maximum");
            return false;
        }
        if (view.qos == 2 || caps.maximum_qos == 0) {
            close(c, {.reason = Reason::qos_not_supported, .text = "QoS above the server's maximum"});
            return false;
        }
    }
    if (view.retain && !caps.retain_available) {
        if (v5) {
            protocol_error(c, Reason::retain_not_supported, "MQTT-3.2.2-14", "retain is not available");
            return false;
        }
        view.retain = false;
    }
    if (view.topic_alias) {
        using Result = topics::InboundAliases::Result;
        if (!c.inbound_aliases) c.inbound_aliases = std::make_unique<topics::InboundAliases>();
        const auto maximum = static_cast<uint16_t>(caps.topic_alias_maximum);
        Result result;
        if (view.topic_name.empty()) {
            std::string_view topic;
            result = c.inbound_aliases->find(view.topic_alias, maximum, topic);
            view.topic_name = ByteView(topic);
            if (in.box) in.box->packet.topic_name = topic;
            if (in.box) view.topic_name = ByteView(in.box->packet.topic_name);
        } else {
            result = c.inbound_aliases->set(view.topic_alias, view.topic_name.text(), maximum,
                                            here_.core().config.limits.topic_alias_bytes);
        }
        if (result == Result::too_many_bytes) {
            here_.metrics().quota_exceeded.add();
            protocol_error(c, Reason::quota_exceeded, "3.3.2.3.4",
                           "topic aliases hold more bytes than the server allows");
            return false;
        }
        if (result != Result::ok) {
            protocol_error(c,
                           result == Result::unknown ? Reason::protocol_error : Reason::topic_alias_invalid,
                           "MQTT-3.3.2-9",
                           result == Result::unknown ? "topic alias without a topic"
                                                     : "topic alias above the server's maximum");
            return false;
        }
    }
    if (in.received_qos && !in.injected) {
        session::Flow* flow = c.session->flow.get();
        const bool again = in.received_qos == 2 && flow && flow->received.contains(in.received_id);
        if (again) {
            // Sent again before PUBREL: acknowledged again, not published again [MQTT-4.3.3-10].
            // Perhaps over another connection, and not stored yet.
            const uint64_t before = ledger_.vouched();
            if (!ledger_.empty()) ledger_.vouch();
            answer(c, before, mqtt::PacketType::pubrec, in.received_id, Reason::success);
            packet_processed(c, in.box.get(), Reason::success);
            return true;
        }
        // The quota begins anew with each connection (4.9). The session's identifiers are 65,535 at most.
        if (v5 && (flow ? flow->unreleased : 0) + c.held_pubacks >= caps.receive_maximum) {
            protocol_error(c, Reason::receive_maximum_exceeded, "MQTT-3.3.4-9",
                           "more QoS 1 and 2 messages than the receive maximum");
            return false;
        }
        if (!v5 && (flow ? flow->received.count() : 0) + c.held_pubacks >= 65'535) {
            protocol_error(c, Reason::quota_exceeded, "MQTT-2.2.1-3", "no packet identifier is free");
            return false;
        }
    }
    if (here_.core().store_health.failing()) [[unlikely]] {
        if (in.received_qos && !in.injected) return refuse_while_failing(c, in);
        view.retain = false;  // goes to those who listen now
        in.route = nullptr;
        if (in.box) in.box->packet.retain = false;
    }
    if (in.route) return begin_publish(c, in, 0);
    if (view.forward_needs_copy) {
        forward_buffer_.clear();
        mqtt::copy_forward_properties(view.properties, forward_buffer_);
        view.properties = ByteView(forward_buffer_);
        view.forward_needs_copy = false;
    }
    const std::string_view topic = view.topic_name.text();
    const Limits& limits = here_.core().config.limits;
    if (topic.size() > limits.topic_length || topics::level_count(topic) > limits.topic_levels) {
        here_.metrics().quota_exceeded.add();
        refuse_publish(c, in, Reason::topic_name_invalid, "topic longer or deeper than the server allows");
        return true;
    }
    if (topic.starts_with("$SYS") && (topic.size() == 4 || topic[4] == '/') && !in.injected) {
        refuse_publish(c, in, Reason::not_authorized, "$SYS topics are the server's");
        return true;
    }
    if (c.client->is_inline) return begin_publish(c, in, 0);
    return begin_publish_acl(c, in, 0);
}

bool Shard::begin_publish_acl(Connection& c, Inbound& in, size_t position) {
    Session& s = *c.session;
    const std::string_view topic = in.view.topic_name.text();
    if (position == 0) {
        const auto known = cached_verdict(s, topic, hooks::Access::write);
        if (known != hooks::Verdict::next)
            return finish_publish_acl(c, in, known == hooks::Verdict::allow, Reason::not_authorized, {});
    }
    hooks::Event event(EventId::on_acl_check, here_.wall_ms(), c.client.get(), in.box.get(), &verdicts_);
    const hooks::Verdict verdict = here_.ask(event, position, [&](hooks::Hook& hook) {
        return hook.on_acl_check(event, *c.client, topic, hooks::Access::write);
    });
    if (verdict == hooks::Verdict::pending && event.deferred()) {
        materialize(c, in);
        Suspension state;
        state.step = Step::publish_acl;
        state.box = in.box;
        state.position = position;
        state.injected = in.injected;
        suspend(c, std::move(state), event.take_deferral());
        return true;
    }
    const bool allowed = verdict == hooks::Verdict::allow;
    if (!event.failed()) store_verdict(s, topic, hooks::Access::write, allowed, event.for_all_topics());
    return finish_publish_acl(c, in, allowed, event.has_reason() ? event.reason() : Reason::not_authorized,
                              event.reason_text());
}

bool Shard::finish_publish_acl(Connection& c, Inbound& in, bool allowed, Reason reason,
                               std::string_view text) {
    if (!allowed) {
        here_.metrics().acl_denied.add();
        refuse_publish(c, in, reason == Reason::success ? Reason::not_authorized : reason, text);
        return c.state != Connection::State::closing;
    }
    return begin_publish(c, in, 0);
}

bool Shard::begin_publish(Connection& c, Inbound& in, size_t position) {
    if (!wants(EventId::on_publish)) {
        accept_publish(c, in, true);
        return c.state != Connection::State::closing;
    }
    in.route = nullptr;  // the topic may change
    materialize(c, in);
    hooks::Event event(EventId::on_publish, here_.wall_ms(), c.client.get(), in.box.get(), &verdicts_);
    const hooks::Action action = here_.act(
        event, position, [&](hooks::Hook& hook) { return hook.on_publish(event, *c.client, *in.box); });
    if (action == hooks::Action::pending && event.deferred()) {
        Suspension state;
        state.step = Step::publish;
        state.box = in.box;
        state.position = position;
        state.injected = in.injected;
        suspend(c, std::move(state), event.take_deferral());
        return true;
    }
    if (!here_.sound(*in.box, event.id())) {
        refuse_publish(c, in, Reason::implementation_specific_error, {});
        return c.state != Connection::State::closing;
    }
    view_box(in, forward_buffer_);
    return finish_publish(c, in, action, event.has_reason() ? event.reason() : Reason::unspecified_error,
                          event.reason_text());
}

bool Shard::finish_publish(Connection& c, Inbound& in, hooks::Action action, Reason reason,
                           std::string_view text) {
    switch (action) {
        case hooks::Action::proceed: accept_publish(c, in, true); break;
        case hooks::Action::ignore: accept_publish(c, in, false); break;
        case hooks::Action::fail:
        case hooks::Action::pending: refuse_publish(c, in, reason, text); break;
        case hooks::Action::reject:
            // Dropped; the publisher still gets its acknowledgement, or it would stall.
            acknowledge_publish(c, in, Reason::success, {});
            packet_processed(c, in.box.get(), Reason::success);
            break;
    }
    return c.state != Connection::State::closing;
}

void Shard::accept_publish(Connection& c, Inbound& in, bool forward) {
    const mqtt::PublishView& view = in.view;
    Publication p = Publication::of(view, here_, c.session->id.value, ByteView(c.client->id));
    in.vouched = ledger_.vouched();
    p.exactly_once = in.received_qos == 2 && c.session->stored;
    if (forward && in.received_qos && here_.core().config.queue_policy == QueuePolicy::refuse &&
        some_queue_full(p, in)) {
        here_.metrics().publishes_refused.add();
        refuse_unheard(c, in, Reason::quota_exceeded,
                       "a session that receives it holds as many messages as it may");
        return;
    }
    // A topic kept by an alias table may move; the client's own bytes and the box do not.
    if (forward && p.retain) {
        const unsigned owner = here_.core().shard_of_topic(p.topic_name);
        if (!in.may_retain && !p.payload.empty() && retained_full(here_.core())) {
            const bool known = may_be_retained(p.topic_name.text(), owner);
            if (known && owner != here_.number()) {
                ask_retained(c, in, owner);
                return;
            }
            if (!known) {
                refuse_retained(c.client->id, p.topic_name.text());
                refuse_publish(c, in, Reason::quota_exceeded, kRetainedFull);
                return;
            }
        }
        retain_message(p, c.client.get(), in.box.get());
    }
    // With stores the acknowledgement comes last: it waits for what the fan-out left to be stored.
    const bool stores = ledger_.storing();
    if (!stores) acknowledge_publish(c, in, Reason::success, {});
    if (forward) publish(p, {c.handle, here_.number()}, c.client.get(), in.box.get(), in.route);
    if (stores) {
        acknowledge_publish(c, in, Reason::success, {});
        // A hook's verdict may have come between packets. Who leaves nothing to be stored waits for no store.
        if (ledger_.vouched() != in.vouched) check_store_backlog(c);
    }
    if (wants(EventId::on_published)) {
        materialize(c, in);
        here_.notify(
            EventId::on_published, c.client.get(), in.box.get(),
            [&](hooks::Hook& hook, hooks::Event& event) { hook.on_published(event, *c.client, *in.box); });
    }
    packet_processed(c, in.box.get(), Reason::success);
}

void Shard::acknowledge_publish(Connection& c, const Inbound& in, Reason reason, std::string_view text) {
    const mqtt::PublishView& view = in.view;
    const uint8_t qos = in.received_qos;
    const mqtt::PacketId id = in.received_id;
    if (!qos || !id || c.client->is_inline) return;
    const auto type = qos == 1 ? mqtt::PacketType::puback : mqtt::PacketType::pubrec;
    const bool failed = static_cast<uint8_t>(reason) >= 0x80;
    if (qos == 2 && !failed) {
        session::Flow& flow = c.session->make_flow();
        if (flow.received.add(id)) ++flow.unreleased;
        if (c.session->stored) ledger_.record(Ledger::Kind::received_added, c.session).packet_id = id;
    }
    const uint64_t before = failed ? ledger_.vouched() : in.vouched;
    const bool tell = wants(EventId::on_qos_publish) || wants(EventId::on_qos_complete);
    const bool echo = c.version == mqtt::Version::v5 && !view.properties.empty() &&
                      !here_.core().config.compatibilities.no_inherited_properties_on_ack;
    if (!tell && !echo) [[likely]] {
        answer(c, before, type, id, reason, text);
        return;
    }
    Ref<PacketBox> ack;
    if (tell) {
        Packet packet;
        packet.type = type;
        packet.version = c.version;
        packet.packet_id = id;
        packet.reason = reason;
        ack = box_packet(std::move(packet), c.client->id);
        ack->frozen = true;
        here_.notify(EventId::on_qos_publish, c.client.get(), ack.get(),
                     [&](hooks::Hook& hook, hooks::Event& event) {
                         hook.on_qos_publish(event, *c.client, *ack, here_.wall_ms(), 0);
                     });
    }
    mqtt::Properties echoed;
    if (echo) {
        const mqtt::Properties all = in.box ? in.box->packet.properties : properties_of(view.properties);
        for (const auto& property : all.items())
            if (property.id == mqtt::PropertyId::user_property) echoed.items().push_back(property);
    }
    answer(c, before, type, id, reason, text, &echoed);
    if (tell && qos == 1)
        here_.notify(
            EventId::on_qos_complete, c.client.get(), ack.get(),
            [&](hooks::Hook& hook, hooks::Event& event) { hook.on_qos_complete(event, *c.client, *ack); });
}

/// The stores cannot commit: what would have to be stored is not taken.
bool Shard::refuse_while_failing(Connection& c, Inbound& in) {
    here_.metrics().store_refusals.add();
    const auto why = here_.core().store_health.check();
    return refuse_unheard(c, in, here_.core().store_health.reason(), why ? "" : why.error().message);
}

/// Refuses a message that is not to be taken for delivered: where the version has no words for that, by closing.
bool Shard::refuse_unheard(Connection& c, const Inbound& in, Reason reason, std::string_view text) {
    if (c.version == mqtt::Version::v5) {
        refuse_publish(c, in, reason, text);
    } else {
        const std::string copy(text);
        close(c, {.reason = reason, .text = copy.c_str()});
    }
    return c.state != Connection::State::closing;
}

/// A session that would receive the message has no room for it.
bool Shard::some_queue_full(Publication& p, const Inbound& in) {
    Route& route = in.route ? *in.route : p.retain ? passing_route(p.topic_name) : route_for(p.topic_name);
    const size_t bytes =
        sizeof(mqtt::Message) + 2 + p.topic_name.size + p.payload.size + p.properties.size + p.origin_id.size;
    for (Target& target : route.targets) {
        Session& s = *target.session;
        const bool queues = !s.connection || !goes_at_once(*s.connection, s, bytes);
        if (!queues || s.sink || s.ended || !std::min(p.qos, target.qos)) continue;
        expire_queue(s);
        if (queue_full(s, bytes)) return true;
    }
    if (!route.remote_shards || !here_.core().full_sessions.any()) return false;
    topics::Matches found;
    here_.core().index.match(p.topic_name.text(), found);
    return std::any_of(found.plain.begin(), found.plain.end(), [&](const topics::Match& match) {
        return match.options.qos && here_.core().full_sessions.full(match.subscriber.value, bytes);
    });
}

void Shard::refuse_publish(Connection& c, const Inbound& in, Reason reason, std::string_view text) {
    // 3.x cannot carry the refusal: the message is acknowledged and goes no further [MQTT-3.3.5-2 of 3.1.1].
    acknowledge_publish(c, in, c.version == mqtt::Version::v5 ? reason : Reason::success, text);
    packet_processed(c, in.box.get(), reason);
}

}  // namespace comqtt::broker
