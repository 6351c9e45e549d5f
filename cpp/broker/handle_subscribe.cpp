// SUBSCRIBE and UNSUBSCRIBE: each filter judged by itself, retained messages after SUBACK.

#include "broker/shard.hpp"
#include "topics/filter.hpp"

namespace comqtt::broker {

namespace {
constexpr uint8_t kUndecided = 0xFF;
uint8_t code(Reason reason) { return static_cast<uint8_t>(reason); }
/// In ordinary filters.
size_t filter_cost(std::string_view filter) { return 1 + filter.size() / 64; }
}  // namespace

bool Shard::handle_subscribe(Connection& c, Ref<PacketBox> box, bool injected) {
    const bool refused = here_.notify(
        EventId::on_subscribe, c.client.get(), box.get(),
        [&](hooks::Hook& hook, hooks::Event& event) { hook.on_subscribe(event, *c.client, *box); });
    const Packet& packet = box->packet;
    const Capabilities& caps = here_.core().config.capabilities;
    if (c.version == mqtt::Version::v5) {
        if (packet.properties.has(mqtt::PropertyId::subscription_identifier) && !caps.sub_id_available) {
            protocol_error(c, Reason::subscription_identifiers_not_supported, "MQTT-3.2.2-3.12",
                           "subscription identifiers are not available");
            return false;
        }
    }
    Suspension state;
    state.step = Step::subscribe_acl;
    state.box = std::move(box);
    state.injected = injected;
    state.codes.assign(packet.filters.size(),
                       refused ? code(Reason::implementation_specific_error) : kUndecided);
    if (turns_.empty()) {
        continue_subscribe(c, std::move(state));
    } else {
        wait_turn(c, std::move(state));
    }
    return c.state != Connection::State::closing;
}

/// False when this round has handled as much as it may. Long filters cost more, in each step.
bool Shard::take_filter(std::string_view filter) {
    if (!filters_left_) return false;
    filters_left_ -= std::min(filters_left_, filter_cost(filter));
    return true;
}

/// Others come first: a round handles so many filters, whosever they are.
void Shard::wait_turn(Connection& c, Suspension state) {
    state.pending = 0;
    turns_.push_back(c.handle);
    c.suspension = std::make_unique<Suspension>(std::move(state));
    pause(c);
}

void Shard::run_turns() {
    for (size_t left = turns_.size(); left && filters_left_; --left) {
        Connection* c = clients_.connection(turns_.front());
        turns_.pop_front();
        if (!c || !c->suspension || c->suspension->pending) continue;
        Suspension state = std::move(*c->suspension);
        c->suspension.reset();
        c->last_received_ms = here_.now_ms();
        auto waiting = std::move(state.waiting);
        switch (state.step) {
            case Step::subscribe_acl: continue_subscribe(*c, std::move(state)); break;
            case Step::subscribe: add_subscriptions(*c, std::move(state)); break;
            case Step::replay: start_replays(*c, std::move(state)); break;
            default: continue_unsubscribe(*c, std::move(state)); break;
        }
        continue_input(*c, std::move(waiting));
        resume(*c);
        if (c->state != Connection::State::closing) schedule(*c, deadline_of(*c));
    }
}

uint8_t Shard::check_filter(Connection& c, const Suspension& state) const {
    const Capabilities& caps = here_.core().config.capabilities;
    const Limits& limits = here_.core().config.limits;
    const mqtt::TopicFilterEntry& entry = state.box->packet.filters[state.index];
    topics::ParsedFilter parsed;
    if (topics::parse_filter(entry.filter, parsed) != topics::FilterError::none)
        return code(Reason::topic_filter_invalid);
    if (entry.filter.size() > limits.topic_length || parsed.levels > limits.topic_levels)
        return code(Reason::topic_filter_invalid);
    if (parsed.shared && !caps.shared_sub_available) return code(Reason::shared_subscriptions_not_supported);
    if (parsed.has_wildcard && !caps.wildcard_sub_available)
        return code(Reason::wildcard_subscriptions_not_supported);
    if (parsed.shared && entry.no_local) return code(Reason::protocol_error);
    const Session& s = *c.session;
    if (s.stored && here_.core().store_health.failing()) return code(here_.core().store_health.reason());
    if ((s.subscriptions.size() + state.added >= limits.subscriptions_per_client ||
         s.subscriptions.bytes() + state.added_bytes + entry.filter.size() >
             limits.client_subscription_bytes) &&
        !s.subscriptions.contains(entry.filter))
        return code(Reason::quota_exceeded);
    return kUndecided;
}

/// The filter was granted: those behind it in the packet find less room.
void Shard::count_added(const Session& s, Suspension& state, const std::string& filter) {
    if (s.subscriptions.contains(filter)) return;
    ++state.added;
    state.added_bytes += filter.size();
}

void Shard::continue_subscribe(Connection& c, Suspension state) {
    const Packet& packet = state.box->packet;
    state.codes.resize(packet.filters.size(), kUndecided);
    for (; state.index < packet.filters.size(); ++state.index, state.position = 0) {
        if (!take_filter(packet.filters[state.index].filter)) {
            wait_turn(c, std::move(state));
            return;
        }
        uint8_t& decided = state.codes[state.index];
        if (decided == kUndecided) decided = check_filter(c, state);
        if (decided != kUndecided) {
            if (decided == code(Reason::quota_exceeded)) here_.metrics().quota_exceeded.add();
            if (here_.core().store_health.failing()) here_.metrics().store_refusals.add();
            continue;
        }
        const mqtt::TopicFilterEntry& entry = packet.filters[state.index];
        const auto granted =
            static_cast<uint8_t>(std::min<uint32_t>(entry.qos, here_.core().config.capabilities.maximum_qos));
        if (c.client->is_inline) {
            decided = granted;
            continue;
        }
        hooks::Event event(EventId::on_acl_check, here_.wall_ms(), c.client.get(), state.box.get(),
                           &verdicts_);
        const hooks::Verdict verdict = here_.ask(event, state.position, [&](hooks::Hook& hook) {
            return hook.on_acl_check(event, *c.client, entry.filter, hooks::Access::read);
        });
        if (verdict == hooks::Verdict::pending && event.deferred()) {
            suspend(c, std::move(state), event.take_deferral());
            return;
        }
        if (verdict == hooks::Verdict::allow) {
            count_added(*c.session, state, entry.filter);
            decided = granted;
        } else {
            here_.metrics().acl_denied.add();
            const Reason reason = event.has_reason() ? event.reason() : Reason::not_authorized;
            decided = here_.core().config.compatibilities.obscure_not_authorized
                          ? code(Reason::unspecified_error)
                          : code(reason);
        }
    }
    state.box->frozen = true;
    state.existed.resize(packet.filters.size());
    state.counts.resize(packet.filters.size());
    state.vouched = ledger_.vouched();
    state.step = Step::subscribe;
    state.index = 0;
    add_subscriptions(c, std::move(state));
}

void Shard::add_subscription(Session& s, const mqtt::TopicFilterEntry& entry, uint32_t identifier,
                             bool& existed, int32_t& count) {
    topics::ParsedFilter parsed;
    topics::parse_filter(entry.filter, parsed);
    topics::SubscriptionOptions options;
    options.identifier = identifier;
    options.qos = entry.qos & 3;
    options.retain_handling = entry.retain_handling & 3;
    options.no_local = entry.no_local;
    options.retain_as_published = entry.retain_as_published;
    const auto outcome = here_.core().index.subscribe(parsed.topic_filter, parsed.share_name, s.id, options);
    existed = !s.subscriptions.put(entry.filter, options);
    if (s.stored) ledger_.save_subscription(s, entry.filter, options);
    count = static_cast<int32_t>(outcome.subscribers);
    if (!existed) here_.metrics().subscriptions.add();
    if (parsed.shared) {
        s.shared_member = true;
        here_.core().index.set_online(parsed.topic_filter, parsed.share_name, s.id,
                                      s.connection != nullptr || s.sink != nullptr);
    }
}

bool Shard::remove_subscription(Session& s, const std::string& filter, int32_t& count) {
    topics::ParsedFilter parsed;
    if (topics::parse_filter(filter, parsed) != topics::FilterError::none) return false;
    if (!s.subscriptions.erase(filter)) return false;
    // After UNSUBACK nothing is added [MQTT-3.10.4-2].
    if (!parsed.shared && replays_.stop(s.replays, parsed.topic_filter)) replays_changed(s);
    here_.metrics().subscriptions.sub();
    if (s.stored) ledger_.record_text(Ledger::Kind::subscription_removed, &s, filter);
    count = static_cast<int32_t>(
        here_.core().index.unsubscribe(parsed.topic_filter, parsed.share_name, s.id).subscribers);
    return true;
}

/// What is not removed at once is given back: it goes in pieces, while others go on. Who hears of it hears of all.
Subscriptions::Map Shard::remove_all_subscriptions(Session& s) {
    constexpr size_t kAtOnce = 16;
    auto subscriptions = s.subscriptions.take();
    const bool tell = wants(EventId::on_unsubscribed);
    const bool at_once = tell || s.sink || subscriptions.size() <= kAtOnce;
    const bool shared = std::exchange(s.shared_member, false);
    if (!at_once && !shared) return subscriptions;
    Packet packet;
    packet.type = mqtt::PacketType::unsubscribe;
    packet.version = s.client->version;
    std::vector<uint8_t> codes;
    std::vector<int32_t> counts;
    for (auto at = subscriptions.begin(); at != subscriptions.end();) {
        topics::ParsedFilter parsed;
        topics::parse_filter(at->first, parsed);
        if (!at_once && !parsed.shared) {  // a member that has gone is not to be anybody's turn
            ++at;
            continue;
        }
        const auto outcome = here_.core().index.unsubscribe(parsed.topic_filter, parsed.share_name, s.id);
        here_.metrics().subscriptions.sub();
        if (tell) {
            packet.filters.push_back({at->first, static_cast<uint8_t>(at->second.qos)});
            codes.push_back(code(Reason::success));
            counts.push_back(static_cast<int32_t>(outcome.subscribers));
        }
        at = subscriptions.erase(at);
    }
    if (!tell) return subscriptions;
    const auto box = box_packet(std::move(packet), s.client->id);
    box->frozen = true;
    here_.notify(EventId::on_unsubscribed, s.client.get(), box.get(),
                 [&](hooks::Hook& hook, hooks::Event& event) {
                     hook.on_unsubscribed(event, *s.client, *box, codes, counts);
                 });
    return subscriptions;
}

/// Sessions that have ended: some of their subscriptions go. Cached routes know the session until the last is gone.
void Shard::run_departures() {
    constexpr size_t kPerRound = 512;
    for (size_t left = kPerRound; left && !departures_.empty();) {
        Departure& departure = departures_.front();
        const auto at = departure.left.begin();
        left -= std::min(left, filter_cost(at->first));
        topics::ParsedFilter parsed;
        topics::parse_filter(at->first, parsed);
        here_.core().index.unsubscribe(parsed.topic_filter, parsed.share_name, departure.session->id);
        here_.metrics().subscriptions.sub();
        departure.left.erase(at);
        if (!departure.left.empty()) continue;
        clients_.bury(std::move(departure.session));
        departures_.pop_front();
    }
}

void Shard::add_subscriptions(Connection& c, Suspension state) {
    Session& s = *c.session;
    PacketBox& box = *state.box;
    const Packet& packet = box.packet;
    const uint32_t identifier =
        c.version == mqtt::Version::v5
            ? packet.properties.number(mqtt::PropertyId::subscription_identifier).value_or(0)
            : 0;
    for (; state.index < packet.filters.size(); ++state.index) {
        if (!take_filter(packet.filters[state.index].filter)) {
            wait_turn(c, std::move(state));
            return;
        }
        if (state.codes[state.index] > 2) continue;
        mqtt::TopicFilterEntry entry = packet.filters[state.index];
        entry.qos = state.codes[state.index];
        bool was_there = false;
        add_subscription(s, entry, identifier, was_there, state.counts[state.index]);
        state.existed[state.index] = was_there;
    }
    here_.notify(EventId::on_subscribed, c.client.get(), &box, [&](hooks::Hook& hook, hooks::Event& event) {
        hook.on_subscribed(event, *c.client, box, state.codes, state.counts);
    });
    if (!c.client->is_inline && packet.packet_id) {
        Packet ack;
        ack.type = mqtt::PacketType::suback;
        ack.packet_id = packet.packet_id;
        ack.reason_codes = state.codes;
        if (c.version == mqtt::Version::v5 && c.problem_information &&
            !here_.core().config.compatibilities.no_inherited_properties_on_ack)
            for (const auto& property : packet.properties.items())
                if (property.id == mqtt::PropertyId::user_property)
                    ack.properties.items().push_back(property);
        if (ledger_.vouched() != state.vouched || c.held) cork(c);  // retained messages come behind it
        if (!send_packet(c, std::move(ack))) {
            end_for_large_answer(c);
            return;
        }
    }
    state.step = Step::replay;
    state.index = 0;
    start_replays(c, std::move(state));
}

void Shard::start_replays(Connection& c, Suspension state) {
    Session& s = *c.session;
    const Packet& packet = state.box->packet;
    for (; state.index < packet.filters.size(); ++state.index) {
        if (!take_filter(packet.filters[state.index].filter)) {
            wait_turn(c, std::move(state));
            return;
        }
        if (state.codes[state.index] > 2) continue;
        const auto& entry = packet.filters[state.index];
        topics::ParsedFilter parsed;
        topics::parse_filter(entry.filter, parsed);
        if (parsed.shared || entry.retain_handling == 2 ||
            (entry.retain_handling == 1 && state.existed[state.index]))
            continue;
        if (const auto* options = s.subscriptions.find(entry.filter))
            start_replay(s, parsed.topic_filter, *options);
    }
    packet_processed(c, state.box.get(), Reason::success);
}

/// SUBACK and UNSUBACK are owed [MQTT-3.8.4-1] [MQTT-3.10.4-4], and may not be sent [MQTT-3.1.2-24].
void Shard::end_for_large_answer(Connection& c) {
    close(c, {.reason = Reason::packet_too_large,
              .text = "the answer to so many filters is larger than the client's Maximum Packet Size",
              .statement = "MQTT-3.1.2-24"});
}

bool Shard::handle_unsubscribe(Connection& c, Ref<PacketBox> box) {
    here_.notify(
        EventId::on_unsubscribe, c.client.get(), box.get(),
        [&](hooks::Hook& hook, hooks::Event& event) { hook.on_unsubscribe(event, *c.client, *box); });
    box->frozen = true;
    Suspension state;
    state.step = Step::unsubscribe;
    state.codes.resize(box->packet.filters.size());
    state.counts.resize(box->packet.filters.size());
    state.vouched = ledger_.vouched();
    state.box = std::move(box);
    if (turns_.empty()) {
        continue_unsubscribe(c, std::move(state));
    } else {
        wait_turn(c, std::move(state));
    }
    return c.state != Connection::State::closing;
}

void Shard::continue_unsubscribe(Connection& c, Suspension state) {
    PacketBox& box = *state.box;
    const Packet& packet = box.packet;
    for (; state.index < packet.filters.size(); ++state.index) {
        if (!take_filter(packet.filters[state.index].filter)) {
            wait_turn(c, std::move(state));
            return;
        }
        const std::string& filter = packet.filters[state.index].filter;
        topics::ParsedFilter parsed;
        Reason reason = Reason::topic_filter_invalid;
        if (topics::parse_filter(filter, parsed) == topics::FilterError::none)
            reason = remove_subscription(*c.session, filter, state.counts[state.index])
                         ? Reason::success
                         : Reason::no_subscription_existed;
        state.codes[state.index] = code(reason);
    }
    here_.notify(EventId::on_unsubscribed, c.client.get(), &box, [&](hooks::Hook& hook, hooks::Event& event) {
        hook.on_unsubscribed(event, *c.client, box, state.codes, state.counts);
    });
    if (!c.client->is_inline && packet.packet_id) {
        Packet ack;
        ack.type = mqtt::PacketType::unsuback;
        ack.packet_id = packet.packet_id;
        ack.reason_codes = std::move(state.codes);
        if (c.version == mqtt::Version::v5 && c.problem_information &&
            !here_.core().config.compatibilities.no_inherited_properties_on_ack)
            for (const auto& property : packet.properties.items())
                if (property.id == mqtt::PropertyId::user_property)
                    ack.properties.items().push_back(property);
        if (ledger_.vouched() == state.vouched && !c.held) {
            if (!send_packet(c, std::move(ack))) end_for_large_answer(c);
        } else {
            Held held;
            held.kind = Held::Kind::packet;
            held.packet = std::make_unique<Packet>(std::move(ack));
            hold(c, std::move(held));
        }
    }
    packet_processed(c, &box, Reason::success);
}

}  // namespace comqtt::broker
