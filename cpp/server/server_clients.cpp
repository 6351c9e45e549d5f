// Clients, inline clients, injection, retained messages: what the API asks of the shards.

#include <fmt/format.h>

#include "mqtt/codec.hpp"
#include "mqtt/publish_view.hpp"
#include "server/server_impl.hpp"
#include "topics/filter.hpp"

namespace comqtt::server {

using broker::Shard;

Ref<hooks::Client> ServerImpl::client(std::string_view id) const { return core_->registry.find(id); }

std::vector<Ref<hooks::Client>> ServerImpl::clients() const { return core_->registry.all(); }

Status ServerImpl::post_to_session(const hooks::Client& client, std::function<void(Shard&, uint64_t)> task) {
    if (state() != State::running) return state() == State::created ? Status::state : Status::closed;
    const uint64_t session = client.session;
    if (!session) return Status::not_found;
    const unsigned shard = topics::SubscriberId{session}.shard();
    return core_->mailboxes[shard]->post([task = std::move(task), session](Shard& s) { task(s, session); })
               ? Status::ok
               : Status::closed;
}

Status ServerImpl::disconnect(const hooks::Client& client, mqtt::Reason reason) {
    if (!client.connected.load(std::memory_order_acquire)) return Status::not_found;
    return post_to_session(
        client, [reason](Shard& shard, uint64_t session) { shard.disconnect_client(session, reason); });
}

Status ServerImpl::expire(const hooks::Client& client) {
    return post_to_session(client, [](Shard& shard, uint64_t session) { shard.expire_client(session); });
}

Status ServerImpl::send(const hooks::Client& client, const mqtt::Packet& packet) {
    if (!client.connected.load(std::memory_order_acquire)) return Status::closed;
    return post_to_session(
        client, [packet](Shard& shard, uint64_t session) { shard.send_to_client(session, packet); });
}

std::vector<hooks::StoredSubscription> ServerImpl::subscriptions(const hooks::Client& client) const {
    std::vector<hooks::StoredSubscription> entries;
    const uint64_t session = client.session;
    if (session)
        look_at(topics::SubscriberId{session}.shard(),
                [&](Shard& shard) { entries = shard.subscriptions_of(session); });
    return entries;
}

Status ServerImpl::block_client(std::string_view id) {
    if (id.empty()) return Status::invalid_argument;
    const Status added = core_->blocked.add(id, core_->config.limits.blocked_clients);
    if (added != Status::ok) return added;
    core_->mailboxes[0]->post(
        [own = std::string(id)](broker::Shard& shard) { shard.record_blocked(own, true); });
    if (const auto known = core_->registry.find(id)) disconnect(*known, mqtt::Reason::administrative_action);
    return Status::ok;
}

Status ServerImpl::unblock_client(std::string_view id) {
    if (!core_->blocked.remove(id)) return Status::not_found;
    core_->mailboxes[0]->post(
        [own = std::string(id)](broker::Shard& shard) { shard.record_blocked(own, false); });
    return Status::ok;
}

std::vector<std::string> ServerImpl::blocked_clients() const { return core_->blocked.all(); }

Result<void> ServerImpl::post_packet(const Ref<hooks::Client>& client, mqtt::Packet packet) {
    if (state() != State::running)
        return Error{state() == State::created ? Status::state : Status::closed, "the server is not running"};
    if (packet.type == mqtt::PacketType::publish) {
        const auto encoded_limit = mqtt::kMaxRemainingLength - 70'000;
        if (!mqtt::topic_name_valid(ByteView(packet.topic_name)))
            return Error{Status::protocol, fmt::format("'{}' is not a topic name", packet.topic_name),
                         static_cast<uint8_t>(mqtt::Reason::topic_name_invalid)};
        if (packet.qos > 2 || packet.payload.size() > encoded_limit || !mqtt::encodable(packet.properties))
            return Error{Status::protocol, "the message cannot be encoded: QoS, payload size or a property",
                         static_cast<uint8_t>(mqtt::Reason::malformed_packet)};
    }
    const unsigned shard = core_->shard_of(client->id);
    broker::Mailbox& mailbox = *core_->mailboxes[shard];
    if (packet.type == mqtt::PacketType::publish && packet.retain && !packet.payload.empty() &&
        !core_->hooks.wants(hooks::EventId::on_publish) &&
        broker::Shard::certainly_not_retained(*core_, packet.topic_name)) {
        mailbox.post([client, topic = packet.topic_name](Shard& s) { s.refuse_retained(client->id, topic); });
        return Error{Status::queue_full, broker::Shard::kRetainedFull,
                     static_cast<uint8_t>(mqtt::Reason::quota_exceeded)};
    }
    if (mailbox.pending_bytes() > 4 * core_->config.limits.handover_bytes)
        return Error{Status::queue_full, "more messages wait than the server takes in; try again later"};
    if (core_->inline_waiting.load(std::memory_order_relaxed) >= core_->config.limits.deferrals)
        return Error{Status::queue_full,
                     "as many messages wait behind a PENDING one as may; try again later"};
    broker::MailBatch batch;
    batch.footprint = packet.payload.size() + 256;
    batch.mails.emplace_back();
    batch.mails.back().task = [client, packet = std::move(packet)](Shard& s) {
        s.publish_inline(*client, packet);
    };
    if (!mailbox.post(std::move(batch))) return Error{Status::closed, "the server has stopped"};
    return {};
}

Result<void> ServerImpl::publish(std::string_view topic, ByteView payload, uint8_t qos, bool retain) {
    mqtt::Packet packet;
    packet.type = mqtt::PacketType::publish;
    packet.topic_name = topic;
    packet.payload = payload.text();
    packet.qos = qos;
    packet.retain = retain;
    return publish(packet);
}

Result<void> ServerImpl::publish(const mqtt::Packet& packet) {
    if (!options_.broker.inline_client)
        return Error{Status::inline_disabled, "option 'inline-client' is false"};
    if (packet.type != mqtt::PacketType::publish)
        return Error{Status::invalid_argument, "only a PUBLISH can be published"};
    return post_packet(inline_client_, packet);
}

Result<uint64_t> ServerImpl::subscribe(std::string_view filter, uint8_t qos, uint32_t identifier,
                                       InlineHandler handler) {
    if (!options_.broker.inline_client)
        return Error{Status::inline_disabled, "option 'inline-client' is false"};
    topics::ParsedFilter parsed;
    if (!handler || qos > 2 || filter.size() > 65'535 || !mqtt::utf8_valid(ByteView(filter)) ||
        topics::parse_filter(filter, parsed) != topics::FilterError::none)
        return Error{
            Status::invalid_argument,
            fmt::format("'{}' is not a topic filter, the QoS is above 2 or there is no handler", filter)};
    if (state() == State::stopping || state() == State::stopped)
        return Error{Status::closed, "the server has stopped"};
    uint64_t token;
    InlineSubscription entry;
    entry.session = std::make_shared<uint64_t>(0);
    entry.live = std::make_shared<std::atomic<bool>>(true);
    {
        const Lock lock(inline_mutex_);
        token = next_token_++;
        entry.shard = static_cast<unsigned>(token % core_->shards.size());
        inline_subscriptions_.emplace(token, entry);
    }
    topics::SubscriptionOptions options;
    options.qos = qos & 3;
    options.identifier = identifier;
    auto task = [client = inline_client_, session = entry.session, live = entry.live, token, identifier,
                 options, filter = std::string(filter), handler = std::move(handler)](Shard& shard) {
        broker::Session& s = shard.make_inline_session(client, false);
        *session = s.id.value;
        shard.subscribe_inline(s, filter, options,
                               [live, token, identifier, handler](hooks::Client& c, hooks::PacketBox& box) {
                                   if (live->load(std::memory_order_acquire))
                                       handler({c, token, identifier, box});
                               });
    };
    // What this thread published before has reached every shard when the inline client's has finished two rounds.
    if (core_->shards.size() > 1)
        for (int i = 0; i < 2; ++i) run_on(core_->shard_of(inline_client_->id), [](Shard&) {});
    // Waits where it can, so that a message published after the return is received.
    if (!run_on(entry.shard, task) && !core_->mailboxes[entry.shard]->post(task))
        return Error{Status::closed, "the server has stopped"};
    return token;
}

Status ServerImpl::unsubscribe(uint64_t token) {
    InlineSubscription entry;
    {
        const Lock lock(inline_mutex_);
        const auto at = inline_subscriptions_.find(token);
        if (at == inline_subscriptions_.end()) return Status::not_found;
        entry = at->second;
        inline_subscriptions_.erase(at);
    }
    entry.live->store(false, std::memory_order_release);
    const auto task = [session = entry.session](Shard& shard) { shard.remove_inline_session(*session); };
    if (!run_on(entry.shard, task)) core_->mailboxes[entry.shard]->post(task);
    return Status::ok;
}

Result<Ref<hooks::Client>> ServerImpl::new_inline_client(std::string_view id) {
    if (id.empty() || id.size() > 65'535 || !mqtt::utf8_valid(ByteView(id)))
        return Error{Status::invalid_argument, "a client id has 1 to 65535 bytes of UTF-8"};
    if (state() == State::stopping || state() == State::stopped)
        return Error{Status::closed, "the server has stopped"};
    if (core_->registry.find(id))
        return Error{Status::exists, fmt::format("there is a client '{}' already", id)};
    auto made = Ref<hooks::Client>::adopt(new hooks::Client);
    made->id = id;
    made->listener = "local";
    made->remote = "local";
    made->is_inline = true;
    made->connected = true;
    made->connected_at_ms = clock_->wall_ms();
    core_->registry.put(made);
    const auto task = [made](Shard& shard) { shard.make_inline_session(made, true); };
    const unsigned shard = core_->shard_of(id);
    if (!look_at(shard, task)) core_->mailboxes[shard]->post(task);
    return made;
}

Result<void> ServerImpl::inject(const hooks::Client& client, const mqtt::Packet& packet) {
    if (state() != State::running)
        return Error{state() == State::created ? Status::state : Status::closed, "the server is not running"};
    mqtt::Packet checked = packet;
    checked.version = client.version;
    if (checked.type == mqtt::PacketType::publish && checked.qos && checked.packet_id == 0)
        checked.packet_id = 1;
    if (const auto error = mqtt::validate_packet(checked, true))
        return Error{Status::protocol, fmt::format("{} [{}]", error.what, error.statement),
                     static_cast<uint8_t>(error.reason)};
    if (client.is_inline)
        return post_packet(Ref<hooks::Client>::share(const_cast<hooks::Client*>(&client)), packet);
    if (packet.type == mqtt::PacketType::connect)
        return Error{Status::invalid_argument, "CONNECT cannot be injected: the client is connected"};
    const Status status =
        post_to_session(client, [packet](Shard& shard, uint64_t session) { shard.inject(session, packet); });
    if (status != Status::ok) return Error{status, fmt::format("client '{}' is not connected", client.id)};
    return {};
}

std::vector<mqtt::MessageRef> ServerImpl::retained(std::string_view filter) const {
    std::vector<mqtt::MessageRef> all;
    topics::ParsedFilter parsed;
    if (topics::parse_filter(filter, parsed) != topics::FilterError::none || parsed.shared) return all;
    for (unsigned i = 0; i < core_->shards.size(); ++i)
        look_at(i, [&](Shard& shard) { shard.collect_retained(filter, all); });
    return all;
}

Status ServerImpl::clear_retained(std::string_view topic) {
    if (!mqtt::topic_name_valid(ByteView(topic))) return Status::invalid_argument;
    if (state() == State::stopping || state() == State::stopped) return Status::closed;
    if (topic.starts_with("$SYS/")) core_->sys_values_cleared.store(true, std::memory_order_relaxed);
    const unsigned owner = core_->shard_of_topic(ByteView(topic));
    const auto found = std::make_shared<bool>(true);
    const auto task = [name = std::string(topic), found](Shard& shard) {
        *found = shard.remove_retained(name);
    };
    if (run_on(owner, task)) return *found ? Status::ok : Status::not_found;
    // Inside a callback of another shard nobody waits for the answer.
    return core_->mailboxes[owner]->post(task) ? Status::ok : Status::closed;
}

}  // namespace comqtt::server
