// Queues that only the stores hold: pages of them come back as their clients take what is in memory.

#include <algorithm>

#include "broker/packet_parts.hpp"
#include "broker/read_share.hpp"
#include "broker/shard.hpp"

namespace comqtt::broker {

namespace {

constexpr int64_t kRetryMs = 500;
constexpr size_t kFetchBelow = 64;  ///< messages left in memory when the next page is asked for

}  // namespace

session::Delivery Shard::delivery_of(const hooks::StoredMessage& record) {
    session::Delivery delivery;
    delivery.message = stored_message(record);
    delivery.qos = record.packet.qos;
    delivery.retain = record.packet.retain;
    delivery.sent = record.state != hooks::StoredMessage::State::queued;
    delivery.position = record.position;
    delivery.share = read_share(record.share);
    for (const mqtt::Property& property : record.packet.properties.items())
        if (property.id == mqtt::PropertyId::subscription_identifier)
            session::add_identifier(delivery.identifiers, static_cast<uint32_t>(property.number));
    session::complete_identifiers(delivery.identifiers);
    return delivery;
}

/// True when this message goes to the stores only: there is something before it, or no room in memory.
bool Shard::goes_to_tail(const Session& s, const session::Delivery& delivery) const {
    if (!s.stored || delivery.qos == 0 || !wants(EventId::load_messages)) return false;
    if (s.tail) return true;
    const Limits& limits = here_.core().config.limits;
    const uint64_t bytes = delivery.message->footprint();
    const uint64_t memory = here_.core().queued_bytes.load(std::memory_order_relaxed) -
                            here_.core().stored_bytes.load(std::memory_order_relaxed);
    return s.flow->queue.bytes() + bytes > limits.client_queue_memory || memory + bytes > limits.queue_memory;
}

void Shard::add_to_tail(Session& s, const session::Delivery& delivery) {
    if (!s.tail) {
        s.tail = std::make_unique<session::Tail>();
        s.tail->after = delivery.position - 1;  // positions begin at 2: 0 would ask for what is in flight
    }
    const size_t bytes = delivery.message->footprint();
    if (!s.tail->first_new) s.tail->first_new = delivery.position;
    ++s.tail->messages;
    s.tail->bytes += bytes;
    if (const int64_t due = due_ms(*delivery.message); due != INT64_MAX)
        s.tail->expiries.add({due, delivery.position, bytes});
    here_.core().stored_bytes.fetch_add(bytes, std::memory_order_relaxed);
}

void Shard::drop_tail(Session& s) {
    if (!s.tail) return;
    if (s.tail->sweep) --sweeps_;
    uncount_queued(s.tail->messages, s.tail->bytes);
    here_.core().stored_bytes.fetch_sub(s.tail->bytes, std::memory_order_relaxed);
    s.tail.reset();
}

size_t Shard::queue_length(const Session& s) const {
    return (s.flow ? s.flow->queue.size() : 0) + (s.tail ? s.tail->messages : 0);
}

uint64_t Shard::queue_bytes(const Session& s) const {
    return (s.flow ? s.flow->queue.bytes() : 0) + (s.tail ? s.tail->bytes : 0);
}

/// Asks for the next page when there is one and little is left in memory. What is asked for goes to the stores
/// behind the changes of this round.
void Shard::fetch_page(Session& s) {
    if (!s.tail || s.tail->loading || s.tail->cold || s.tail->messages == 0) return;
    if (s.flow && s.flow->queue.size() > kFetchBelow) return;
    s.tail->loading = begin_load(s, s.tail->after);
}

uint64_t Shard::begin_load(const Session& s, uint64_t after) {
    hooks::Load::Request request;
    request.client_id = s.client->id;
    request.after = after;
    return loads_.begin(std::move(request), s.id.value, 0);
}

void Shard::load_came(uint64_t number) {
    const auto came = loads_.came(number);
    if (!came) return;
    const PendingLoad& pending = *came;
    if (pending.connection) {
        session_came(pending);
        return;
    }
    Session* s = clients_.session(pending.session);
    if (s && s->tail && s->tail->sweep == number) {
        take_sweep(*s, *pending.load);
        return;
    }
    if (!s || !s->tail || s->tail->loading != number) return;
    s->tail->loading = 0;
    if (pending.load->request().after == 0 && !s->tail->cold) return;  // its client came in between
    const Status status = pending.load->status();
    if (status != Status::ok && status != Status::not_found) {
        // Tried again when the client acknowledges something, or when it is looked at again.
        here_.core().log.write(LogLevel::error, "broker",
                               "client '{}': its stored messages could not be read: {}", s->client->id,
                               pending.load->text());
        schedule(*s, here_.now_ms() + kRetryMs);
        return;
    }
    take_page(*s, *pending.load);
    trim_queue(*s);
    if (!s->connection) {
        expire_queue(*s);
        schedule(*s, deadline_of(*s));
    } else if (s->connection->state == Connection::State::established) {
        pump(*s->connection, *s);
    }
}

/// Queued messages go behind what is in memory.
void Shard::take_page(Session& s, const hooks::Load& load) {
    session::Tail& tail = *s.tail;
    session::Flow& flow = s.make_flow();
    uint64_t taken = 0;
    bool came = false;
    for (const hooks::StoredMessage& record : load.messages) {
        if (record.state != hooks::StoredMessage::State::queued) {
            if (auto restored = restore_flow(s, record); !restored)
                here_.core().log.write(LogLevel::warn, "broker", "{}", restored.error().message);
            tail.after = std::max(tail.after, record.position);
            continue;
        }
        if (record.position <= tail.after && !tail.cold) continue;
        came = true;
        tail.after = record.position;
        if (tail.gone.count(record.position)) continue;  // expired while the page was on its way
        session::Delivery delivery = delivery_of(record);
        const uint64_t bytes = std::min<uint64_t>(delivery.message->footprint(), tail.bytes);
        tail.bytes -= bytes;
        here_.core().stored_bytes.fetch_sub(bytes, std::memory_order_relaxed);
        count_queued(0, delivery.message->footprint() - bytes);
        ++taken;
        delivery.check_read = true;
        const int64_t due = due_ms(*delivery.message);
        flow.queue.push(std::move(delivery), due);
    }
    if (taken > tail.messages) count_queued(taken - tail.messages, 0);
    tail.messages -= std::min(tail.messages, taken);
    tail.cold = false;
    tail.gone.clear();
    tail.expiries.tidy(tail.messages, [&](uint64_t position) { return position > tail.after; });
    const uint64_t first_new = std::exchange(tail.first_new, 0);
    if (tail.messages && !came && first_new) {
        // They came after the page was asked for, and are in the next one.
        tail.after = std::max(tail.after, first_new - 1);
    } else if (tail.messages && !came) {
        here_.core().log.write(LogLevel::error, "broker",
                               "client '{}': {} stored messages are not in the store any more", s.client->id,
                               tail.messages);
        drop_tail(s);
    } else if (tail.messages == 0) {
        drop_tail(s);
    }
}

/// A queue that grew over its limit while its oldest messages were on their way from the store.
void Shard::trim_queue(Session& s) {
    if (here_.core().config.queue_policy != QueuePolicy::drop_oldest || !s.flow) return;
    expire_queue(s);
    while (!s.flow->queue.empty() && queue_full(s, 0)) drop_oldest(s);
    if (s.flow->queue.empty()) fetch_page(s);
}

/// True when a connection waits for what the stores know of its session; it goes on in session_came().
bool Shard::wait_for_stored_session(Connection& c, Ref<PacketBox>& box, Session* s) {
    if (s ? !(s->tail && s->tail->cold) : !wants(EventId::load_session)) return false;
    hooks::Load::Request request;
    request.client_id = c.client->id;
    request.session = !s;
    const uint64_t number = loads_.begin(std::move(request), s ? s->id.value : 0, c.handle);
    Suspension state;
    state.step = Step::load;
    state.box = std::move(box);
    state.pending = number;
    c.suspension = std::make_unique<Suspension>(std::move(state));
    pause(c);
    return true;
}

void Shard::session_came(const PendingLoad& pending) {
    const hooks::Load& load = *pending.load;
    Connection* c = clients_.connection(pending.connection);
    if (!c || !c->suspension || c->suspension->step != Step::load) return;
    Suspension state = std::move(*c->suspension);
    c->suspension.reset();
    c->last_received_ms = here_.now_ms();
    const Status status = load.status();
    if (status != Status::ok && status != Status::not_found) {
        here_.core().log.write(LogLevel::error, "broker",
                               "client '{}': its stored session could not be read: {}", c->client->id,
                               load.text());
        refuse_connect(*c, Reason::server_unavailable, "the stored session could not be read");
    } else {
        if (pending.session) {
            Session* s = clients_.session(pending.session);
            if (s && s->tail && s->tail->cold) take_page(*s, load);
        } else if (status == Status::ok && load.client && !here_.core().registry.find(load.client->id)) {
            take_session(load);
        }
        establish(*c, std::move(state.box), Progress::loaded);
    }
    continue_input(*c, {});
    resume(*c);
    if (c->state != Connection::State::closing) schedule(*c, deadline_of(*c));
}

/// A session that another server of the same store had.
void Shard::take_session(const hooks::Load& load) {
    restore_client(*load.client);
    for (const hooks::StoredSubscription& record : load.subscriptions)
        if (auto restored = restore_subscription(record); !restored)
            here_.core().log.write(LogLevel::warn, "broker", "{}", restored.error().message);
    const auto client = here_.core().registry.find(load.client->id);
    Session* s = client ? clients_.session(client->session) : nullptr;
    if (!s) return;
    if (s->tail) {
        take_page(*s, load);
        return;
    }
    for (const hooks::StoredMessage& record : load.messages)
        if (auto restored = restore_message(record); !restored)
            here_.core().log.write(LogLevel::warn, "broker", "{}", restored.error().message);
}

}  // namespace comqtt::broker
