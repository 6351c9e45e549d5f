#include "support/slow_store.hpp"

#include <fmt/format.h>

#include "broker/packet_parts.hpp"

namespace support {

using namespace comqtt;

using hooks::Change;
using hooks::EventId;

hooks::EventMask SlowStore::events() const {
    return mask_of(EventId::store_changes) | mask_of(EventId::load_messages) |
           mask_of(EventId::stored_clients) | mask_of(EventId::stored_subscriptions) |
           mask_of(EventId::stored_retained_messages);
}

Status SlowStore::store_changes(hooks::Event&, hooks::Changes& changes) {
    if (at_once && waiting_.empty() && !failing_) {
        for (const Change& change : changes.all()) apply(change);
        return Status::ok;
    }
    waiting_.push_back({Ref<hooks::Changes>::share(&changes), {}});
    if (failing_) changes.report(Status::queue_full, "the disk is full");
    return Status::pending;
}

Status SlowStore::load_messages(hooks::Event&, hooks::Load& load) {
    if (waiting_.empty()) {
        answer(load);
        return Status::ok;
    }
    waiting_.push_back({{}, Ref<hooks::Load>::share(&load)});
    return Status::pending;
}

void SlowStore::set_failing(bool failing) {
    failing_ = failing;
    if (failing && !waiting_.empty() && waiting_.front().changes)
        waiting_.front().changes->report(Status::queue_full, "the disk is full");
}

bool SlowStore::work() {
    if (waiting_.empty() || (failing_ && waiting_.front().changes)) return false;
    const Work work = std::move(waiting_.front());
    waiting_.pop_front();
    if (work.load) {
        answer(*work.load);
        work.load->complete(Status::ok);
        return true;
    }
    for (const Change& change : work.changes->all()) apply(change);
    work.changes->complete(Status::ok);
    return true;
}

void SlowStore::refuse_one(Status status) {
    if (waiting_.empty()) return;
    const Work work = std::move(waiting_.front());
    waiting_.pop_front();
    work.changes ? work.changes->complete(status, "refused by the test")
                 : work.load->complete(status, "refused by the test");
}

void SlowStore::apply(const Change& change) {
    using Kind = Change::Kind;
    const std::string text = change.details ? change.details->text : "";
    switch (change.kind) {
        case Kind::retained_saved:
            retained[std::string(change.message->topic_name().text())] = change.message;
            return;
        case Kind::retained_removed:
            if (!retained.erase(text)) blame("a retained message was removed that was not there: " + text);
            return;
        case Kind::client_blocked: blocked.insert(text); return;
        case Kind::client_unblocked: blocked.erase(text); return;
        default: break;
    }
    const std::string& id = change.client->id;
    if (change.kind == Kind::session_saved) {
        sessions[id].client = change.details->client;
        return;
    }
    if (change.kind == Kind::session_removed) {
        if (!sessions.erase(id)) blame("a session was removed that was not there: " + id);
        return;
    }
    const auto at = sessions.find(id);
    if (at == sessions.end()) {
        blame(fmt::format("a change of kind {} for no session: {}", static_cast<int>(change.kind), id));
        return;
    }
    Session& session = at->second;
    switch (change.kind) {
        case Kind::subscription_saved:
            session.subscriptions[change.details->subscription.entry.filter] = change.details->subscription;
            return;
        case Kind::subscription_removed:
            if (!session.subscriptions.erase(text))
                blame("a subscription was removed that was not there: " + text);
            return;
        case Kind::received_added:
            if (!session.received.insert(change.packet_id).second) blame("an identifier was received twice");
            return;
        case Kind::received_removed:
            if (!session.received.erase(change.packet_id)) blame("an identifier was released twice");
            return;
        default: apply_message(session, change);
    }
}

void SlowStore::apply_message(Session& session, const Change& change) {
    using Kind = Change::Kind;
    if (change.kind == Kind::message_queued) {
        if (!session.queue.empty() && session.queue.rbegin()->first >= change.position)
            blame(fmt::format("position {} of {} is not after {}", change.position, change.client->id,
                              session.queue.rbegin()->first));
        Queued queued{change.message, change.packet_id, change.qos, change.retain, false, {}, {}};
        if (change.details) {
            queued.identifiers = change.details->identifiers;
            queued.share = change.details->text;
        }
        session.queue[change.position] = std::move(queued);
        return;
    }
    const auto at = session.queue.find(change.position);
    if (at == session.queue.end()) {
        blame(fmt::format("change of kind {} of a message that is not there: {} of {}",
                          static_cast<int>(change.kind), change.position, change.client->id));
        return;
    }
    switch (change.kind) {
        case Kind::message_sent: at->second.packet_id = change.packet_id; return;
        case Kind::message_released: at->second.released = true; return;
        case Kind::message_removed: session.queue.erase(at); return;
        default: blame("an unknown kind of change");
    }
}

hooks::StoredMessage SlowStore::record(const std::string& client, uint64_t position, const Queued& queued) {
    using State = hooks::StoredMessage::State;
    hooks::StoredMessage record;
    record.client_id = client;
    record.position = position;
    record.state = queued.released ? State::released : queued.packet_id ? State::sent : State::queued;
    const mqtt::Message& message = *queued.message;
    record.origin = message.origin_id().text();
    record.created_ms = message.created_ms();
    record.share = queued.share;
    record.packet.type = mqtt::PacketType::publish;
    record.packet.version = mqtt::Version::v5;
    record.packet.qos = queued.qos;
    record.published_qos = message.qos();
    record.packet.retain = queued.retain;
    record.packet.packet_id = queued.packet_id;
    record.packet.topic_name = message.topic_name().text();
    record.packet.payload = message.payload().text();
    record.packet.properties = broker::properties_of(message.properties());
    if (message.has_expiry())
        record.packet.properties.set_number(mqtt::PropertyId::message_expiry_interval,
                                            message.expiry_interval());
    for (const uint32_t identifier : queued.identifiers)
        record.packet.properties.add_number(mqtt::PropertyId::subscription_identifier, identifier);
    return record;
}

void SlowStore::answer(hooks::Load& load) {
    const hooks::Load::Request& request = load.request();
    const auto at = sessions.find(request.client_id);
    if (at == sessions.end()) return;
    const Session& session = at->second;
    const auto add = [&](hooks::StoredMessage message) {
        if (!load.add(std::move(message))) blame("a record was refused");
    };
    if (request.after == 0) {
        for (const auto& [position, queued] : session.queue)
            if (queued.packet_id) add(record(request.client_id, position, queued));
        for (const mqtt::PacketId id : session.received) {
            hooks::StoredMessage message;
            message.client_id = request.client_id;
            message.state = hooks::StoredMessage::State::received;
            message.packet.type = mqtt::PacketType::publish;
            message.packet.packet_id = id;
            add(std::move(message));
        }
    }
    uint32_t count = 0;
    uint64_t bytes = 0;
    for (auto next = session.queue.upper_bound(request.after); next != session.queue.end(); ++next) {
        if (next->second.packet_id) continue;
        bytes += next->second.message->footprint();
        if (++count > request.max_messages || (count > 1 && bytes > request.max_bytes)) break;
        add(record(request.client_id, next->first, next->second));
    }
}

Status SlowStore::stored_clients(hooks::Event&, hooks::StoredSink& sink) {
    for (const auto& [id, session] : sessions) {
        hooks::StoredClient client = session.client;
        for (const auto& [position, queued] : session.queue) {
            client.last_position = position;
            if (queued.packet_id) {
                ++client.inflight_messages;
                continue;
            }
            ++client.queued_messages;
            client.queued_bytes += queued.message->footprint();
            const int64_t expires = queued.message->expires_unix_ms();
            if (expires != INT64_MAX && (!client.next_expiry_ms || expires < client.next_expiry_ms))
                client.next_expiry_ms = expires;
        }
        client.inflight_messages += session.received.size();
        if (!sink.add(std::move(client))) return Status::internal;
    }
    for (const std::string& id : blocked)
        if (!sink.add_blocked(id)) return Status::internal;
    return Status::ok;
}

Status SlowStore::stored_subscriptions(hooks::Event&, hooks::StoredSink& sink) {
    for (const auto& [id, session] : sessions)
        for (const auto& [filter, subscription] : session.subscriptions)
            if (!sink.add(subscription)) return Status::internal;
    return Status::ok;
}

Status SlowStore::stored_retained_messages(hooks::Event&, hooks::StoredSink& sink) {
    for (const auto& [topic, message] : retained) {
        Queued queued{message, 0, message->qos(), true, false, {}, {}};
        if (!sink.add(record({}, 0, queued))) return Status::internal;
    }
    return Status::ok;
}

}  // namespace support
