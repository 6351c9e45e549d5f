// From one message to its receivers: routes, merged subscriptions, shared groups.

#include <algorithm>

#include "base/hash.hpp"
#include "broker/shard.hpp"
#include "mqtt/utf8.hpp"
#include "topics/filter.hpp"

namespace comqtt::broker {

namespace {

/// Adds an identifier to a list made when first needed.
void add_identifier(Ref<session::IdentifierList>& list, uint32_t identifier) {
    if (!identifier) return;
    if (!list) list = Ref<session::IdentifierList>::adopt(new session::IdentifierList);
    auto& all = list->identifiers;
    const auto at = std::lower_bound(all.begin(), all.end(), identifier);
    if (at == all.end() || *at != identifier) all.insert(at, identifier);
}

}  // namespace

Route& Shard::route_for(ByteView topic, uint64_t hash) {
    const uint64_t acl_epoch = core_.acl_epoch.load(std::memory_order_relaxed);
    Route* route = routes_.find(topic, hash);
    if (route && core_.index.is_current(route->epoch) && route->acl_epoch == acl_epoch &&
        route->read_until_ms > now_ms_)
        return *route;
    if (!route) {
        route = &routes_.make(topic, hash);
        metrics_.routes.set(routes_.count());
    }
    fill_route(*route);
    return *route;
}

/// Retained topics are many and each is published rarely: they do not push others out of the cache.
Route& Shard::passing_route(ByteView topic) {
    const uint64_t hash = routes_.hash_of(topic);
    if (routes_.find(topic, hash)) return route_for(topic, hash);
    passing_route_.hash = hash;
    passing_route_.assign(topic);
    fill_route(passing_route_);
    return passing_route_;
}

void Shard::fill_route(Route& route) {
    metrics_.route_misses.add();
    const std::string_view topic = route.topic();
    route.targets.clear();
    route.groups.clear();
    route.remote_shards = 0;
    route.acl_epoch = core_.acl_epoch.load(std::memory_order_relaxed);
    route.read_until_ms = now_ms_ + core_.config.limits.acl_cache_lifetime_ms;
    route.valid_name = mqtt::topic_name_valid(ByteView(topic)) && !topic.starts_with("$SYS") &&
                       topic.size() <= core_.config.limits.topic_length &&
                       topics::level_count(topic) <= core_.config.limits.topic_levels;
    route.epoch = core_.index.epoch(topic);
    matches_.clear();
    core_.index.match(topic, matches_);
    for (const topics::Match& match : matches_.plain) {
        if (match.subscriber.shard() != number_) {
            route.remote_shards |= uint64_t{1} << match.subscriber.shard();
            continue;
        }
        Session* s = find_session(match.subscriber.value);
        if (!s) continue;
        if (route.targets.empty() || route.targets.back().session != s) {
            route.targets.emplace_back();
            route.targets.back().session = s;
            route.targets.back().own = false;
        }
        Target& target = route.targets.back();
        const topics::SubscriptionOptions& options = match.options;
        target.qos = std::max<uint8_t>(target.qos, options.qos);
        target.retain_as_published |= options.retain_as_published != 0;
        add_identifier(target.identifiers, options.identifier);
        if (!options.no_local) {
            target.own = true;
            target.own_retain_as_published |= options.retain_as_published != 0;
            target.own_qos = std::max<uint8_t>(target.own_qos, options.qos);
            add_identifier(target.own_identifiers, options.identifier);
        }
    }
    for (const auto& group : matches_.groups) {
        auto share = Ref<session::ShareName>::adopt(new session::ShareName);
        share->share_name = group->share_name;
        share->topic_filter = group->topic_filter;
        route.groups.push_back({group, std::move(share)});
    }
    for (Target& target : route.targets) {
        if (target.session->sink) {
            target.read = hooks::Verdict::allow;
        } else if (core_.config.limits.acl_cache_size) {
            const auto verdict = read_verdict(*target.session, topic);
            if (verdict != hooks::Verdict::pending) target.read = verdict;
        }
    }
}

void Shard::publish(Publication& p, Source source, hooks::Client* client, PacketBox* box,
                    Route* known) {
    Route& route = known ? *known : p.retain ? passing_route(p.topic_name) : route_for(p.topic_name);
    if (!route_needs_hooks() || !box) {
        deliver_local(route, p, source);
        for (uint64_t shards = route.remote_shards; shards; shards &= shards - 1)
            hand_over_message(static_cast<unsigned>(__builtin_ctzll(shards)), p, source);
        for (const RouteGroup& group : route.groups) deliver_to_group(group, p, source, false, {});
        return;
    }
    const hooks::Selection selection = select_receivers(p, *box);
    for (const hooks::SelectedReceiver& receiver : selection.receivers) {
        if (!receiver.chosen) continue;
        topics::SubscriptionOptions options;
        options.qos = receiver.qos & 3;
        Ref<session::ShareName> share;
        if (receiver.shared) {
            topics::ParsedFilter parsed;
            topics::parse_filter(receiver.filter, parsed);
            share = Ref<session::ShareName>::adopt(new session::ShareName);
            share->share_name = parsed.share_name;
            share->topic_filter = parsed.topic_filter;
            topics::Matches found;
            core_.index.match(p.topic_name.text(), found);
            for (const auto& group : found.groups)
                if (group->share_name == share->share_name && group->topic_filter == share->topic_filter)
                    for (const auto& member : group->members)
                        if (member->subscriber.value == receiver.subscriber) options = member->options;
            options.qos = receiver.qos & 3;
        }
        const topics::SubscriberId target{receiver.subscriber};
        if (target.shard() == number_) {
            deliver_targeted(target, options, std::move(share), p, source);
        } else {
            hand_over_targeted(target, options, std::move(share), p, source);
        }
    }
    if (client && wants(EventId::on_published_with_shared_filters))
        notify(EventId::on_published_with_shared_filters, client, box,
               [&](hooks::Hook& hook, hooks::Event& event) {
                   hook.on_published_with_shared_filters(event, *box, selection);
               });
}

bool Shard::route_needs_hooks() const {
    return wants(EventId::on_select_subscribers) ||
           wants(EventId::on_published_with_shared_filters);
}

hooks::Selection Shard::select_receivers(Publication& p, PacketBox& box) {
    hooks::Selection selection;
    matches_.clear();
    core_.index.match(p.topic_name.text(), matches_);
    // Ordinary subscriptions: one receiver per session, the greatest QoS.
    for (const topics::Match& match : matches_.plain) {
        if (match.options.no_local && match.subscriber.value == p.origin.publisher) continue;
        auto& all = selection.receivers;
        if (!all.empty() && all.back().subscriber == match.subscriber.value) {
            all.back().qos = std::max<uint8_t>(all.back().qos, match.options.qos);
            continue;
        }
        hooks::SelectedReceiver receiver;
        receiver.subscriber = match.subscriber.value;
        receiver.chosen = true;
        receiver.qos = match.options.qos;
        all.push_back(std::move(receiver));
    }
    for (const auto& group : matches_.groups) {
        const auto* turn = group->pick();
        for (const auto& member : group->members) {
            hooks::SelectedReceiver receiver;
            receiver.filter = "$share/" + group->share_name + "/" + group->topic_filter;
            receiver.shared = true;
            receiver.subscriber = member->subscriber.value;
            receiver.chosen = member.get() == turn;
            receiver.qos = member->options.qos;
            selection.receivers.push_back(std::move(receiver));
        }
    }
    // Names for the hooks: sessions of this shard directly, those of others through the registry.
    std::unordered_multimap<uint64_t, hooks::SelectedReceiver*> elsewhere;
    for (auto& receiver : selection.receivers) {
        if (topics::SubscriberId{receiver.subscriber}.shard() != number_) {
            elsewhere.emplace(receiver.subscriber, &receiver);
        } else if (const Session* s = find_session(receiver.subscriber)) {
            receiver.client_id = s->client->id;
        }
    }
    if (!elsewhere.empty())
        for (const auto& client : core_.registry.all())
            for (auto [at, last] = elsewhere.equal_range(client->session); at != last; ++at)
                at->second->client_id = client->id;
    notify(EventId::on_select_subscribers, nullptr, &box,
           [&](hooks::Hook& hook, hooks::Event& event) {
               hook.on_select_subscribers(event, selection, box);
           });
    for (auto& receiver : selection.receivers) {
        if (receiver.subscriber) continue;
        const auto client = core_.registry.find(receiver.client_id);
        if (client) receiver.subscriber = client->session;
        receiver.chosen = receiver.subscriber != 0;
    }
    return selection;
}

void Shard::deliver_local(Route& route, Publication& p, Source source) {
    if (p.payload.size >= kSharedPayload && route.targets.size() > 1) p.message();
    for (Target& target : route.targets) {
        const bool own = target.session->id.value == p.origin.publisher;
        if (own && !target.own) continue;
        session::Delivery form;
        form.identifiers = own ? target.own_identifiers : target.identifiers;
        p.last_use = route.groups.empty() && !route.remote_shards && &target == &route.targets.back();
        deliver_target(target, p, std::move(form), source);
    }
    p.last_use = false;
}

void Shard::deliver_target(Target& target, Publication& p, session::Delivery&& form, Source source) {
    const bool own = target.session->id.value == p.origin.publisher;
    form.qos = std::min({p.qos, own ? target.own_qos : target.qos});
    form.retain = (own ? target.own_retain_as_published : target.retain_as_published) && p.retain;
    if (target.read == hooks::Verdict::deny) {
        metrics_.acl_denied.add();
        return;
    }
    form.check_read = target.read != hooks::Verdict::allow;
    deliver(*target.session, p, std::move(form), source);
}

void Shard::deliver(Session& s, Publication& p, session::Delivery&& form, Source source) {
    if (s.sink) {
        call_inline(s, p, form);
        return;
    }
    Connection* c = s.connection;
    if (c && c->state != Connection::State::established) c = nullptr;
    if (!c && form.qos == 0) return;
    if (form.check_read && !s.read_hold) {
        switch (read_verdict(s, p.topic_name.text())) {
            case hooks::Verdict::allow: form.check_read = false; break;
            case hooks::Verdict::pending: break;
            default: metrics_.acl_denied.add(); return;
        }
    }
    if (s.read_hold || !c || (form.qos == 0 && s.flow && s.flow->queued_qos0)) {
        form.message = p.take_message();
        enqueue(s, std::move(form), source);
        if (c) check_congestion(*c, source);
        return;
    }
    if (form.qos == 0) {
        form.message = p.made;
        if (c->out.bytes() + p.payload.size > core_.config.limits.client_queued_bytes ||
            (c->congestion && c->congestion->given_up && over_high_mark(*c)) ||
            (core_.config.backpressure == BackpressurePolicy::drop && over_high_mark(*c))) {
            form.message = p.message();
            drop_delivery(s, form);
            return;
        }
        send_delivery(*c, s, std::move(form), 0, p);
        check_congestion(*c, source);
        return;
    }
    session::Flow& flow = s.make_flow();
    form.message = p.take_message();
    if (flow.queue.empty() && flow.resend.empty() && flow.inflight.count() < c->window &&
        !flow.inflight.exhausted() && c->out.bytes() <= core_.config.limits.high_mark_bytes) {
        send_delivery(*c, s, std::move(form), 0, p);
        return;  // one message at most above the mark; the next one finds it so
    }
    enqueue(s, std::move(form), source);
    check_congestion(*c, source);
}

void Shard::deliver_to_group(const RouteGroup& group, Publication& p, Source source, bool redelivery,
                             topics::SubscriberId except) {
    // A member whose read verdict is DENY is passed over for the next one.
    const size_t tries = group.members->members.size();
    topics::SubscriberId skip = except;
    for (size_t i = 0; i < tries; ++i) {
        const topics::GroupMember* member = group.members->pick(skip);
        if (!member) return;
        if (member->subscriber.shard() != number_) {
            hand_over_targeted(member->subscriber, member->options, group.share, p, source);
            return;
        }
        Session* s = find_session(member->subscriber.value);
        if (s && (redelivery || s->sink || cached_verdict(*s, p.topic_name.text(), hooks::Access::read) !=
                                               hooks::Verdict::deny)) {
            deliver_targeted(member->subscriber, member->options, group.share, p, source);
            return;
        }
        skip = member->subscriber;
    }
}

void Shard::deliver_targeted(topics::SubscriberId target, topics::SubscriptionOptions options,
                             Ref<session::ShareName> share, Publication& p, Source source) {
    Session* s = find_session(target.value);
    if (share && !(s && (s->connection || s->sink)) && pass_on_shared(target, !s, share, p, source)) return;
    if (!s) return;
    session::Delivery form;
    form.qos = std::min<uint8_t>(p.qos, options.qos);
    form.retain = options.retain_as_published && p.retain;
    form.check_read = !s->sink;
    form.share = std::move(share);
    add_identifier(form.identifiers, options.identifier);
    if (!form.share) {
        // Chosen by a hook: what its subscriptions say beside the QoS stands in the route.
        const bool own = s->id.value == p.origin.publisher;
        for (const Target& known : route_for(p.topic_name).targets) {
            if (known.session != s) continue;
            form.identifiers = own ? known.own_identifiers : known.identifiers;
            form.retain = (own ? known.own_retain_as_published : known.retain_as_published) && p.retain;
        }
    }
    deliver(*s, p, std::move(form), source);
}

/// The member went away while the message was on its way to it: gives it to another that is online, or to any when
/// the session is gone.
bool Shard::pass_on_shared(topics::SubscriberId from, bool gone, const Ref<session::ShareName>& share,
                           Publication& p, Source source) {
    topics::Matches found;
    core_.index.match(p.topic_name.text(), found);
    for (const auto& group : found.groups) {
        if (group->share_name != share->share_name || group->topic_filter != share->topic_filter) continue;
        const topics::GroupMember* member = group->pick(from);
        if (!member || member->subscriber == from || !(gone || member->online.load(std::memory_order_relaxed)))
            return false;
        if (member->subscriber.shard() == number_) {
            deliver_targeted(member->subscriber, member->options, share, p, source);
        } else {
            hand_over_targeted(member->subscriber, member->options, share, p, source);
        }
        return true;
    }
    return false;
}

void Shard::call_inline(Session& s, Publication& p, const session::Delivery& form) {
    const auto box = box_packet(packet_of(p, form, 0), p.origin_id.text());
    box->frozen = true;
    box->created_ms = p.created_ms;
    const CallbackScope scope(*this);
    const InlineSink sink = *s.sink;  // may be removed by its own call
    sink(*s.client, *box);
}

void Shard::redeliver_shared(Session& s, bool ending) {
    if (!s.flow) return;
    std::vector<session::Delivery> moving;
    const auto wanted = [&](const session::Delivery& delivery, bool sent) {
        // A QoS 2 message already on its way stays with its receiver [MQTT-4.8.2-4] [MQTT-4.8.2-5].
        return delivery.share && !(sent && delivery.qos == 2);
    };
    std::vector<mqtt::PacketId> finished;
    s.flow->inflight.each([&](mqtt::PacketId id, session::Inflight::Entry& entry) {
        if (entry.state == session::Inflight::State::published && wanted(entry.delivery, true))
            finished.push_back(id);
    });
    const auto other_member = [&](const session::Delivery& delivery, RouteGroup& group) {
        topics::Matches found;
        core_.index.match(delivery.message->topic_name().text(), found);
        for (const auto& snapshot : found.groups) {
            if (snapshot->share_name != delivery.share->share_name ||
                snapshot->topic_filter != delivery.share->topic_filter)
                continue;
            const auto* member = snapshot->pick(s.id);
            if (!member || !(ending || member->online.load(std::memory_order_relaxed))) return false;
            group = {snapshot, delivery.share};
            return true;
        }
        return false;
    };
    const auto move_on = [&](session::Delivery delivery) {
        RouteGroup group;
        if (delivery.message->expires_ms() <= wall_ms_ || !other_member(delivery, group)) return false;
        Publication p = Publication::of(delivery.message);
        deliver_to_group(group, p, {}, true, s.id);
        return true;
    };
    for (const mqtt::PacketId id : finished) {
        session::Delivery delivery = s.flow->inflight.find(id)->delivery;
        if (!move_on(std::move(delivery))) continue;
        s.flow->inflight.finish(id);
        metrics_.inflight.sub();
    }
    std::deque<session::Delivery> kept;
    while (!s.flow->queue.empty()) {
        session::Delivery delivery = s.flow->pop_front();
        metrics_.queued_messages.sub();
        core_.queued_bytes.fetch_sub(delivery.message->footprint(), std::memory_order_relaxed);
        if (wanted(delivery, false) && move_on(delivery)) continue;
        kept.push_back(std::move(delivery));
    }
    for (auto& delivery : kept) {
        metrics_.queued_messages.add();
        core_.queued_bytes.fetch_add(delivery.message->footprint(), std::memory_order_relaxed);
        s.flow->enqueue(std::move(delivery));
    }
}

}  // namespace comqtt::broker
