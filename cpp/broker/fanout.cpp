// From one message to its receivers: routes, merged subscriptions, what hooks make of them.

#include <algorithm>

#include "base/hash.hpp"
#include "broker/read_share.hpp"
#include "broker/shard.hpp"
#include "mqtt/utf8.hpp"
#include "topics/filter.hpp"

namespace comqtt::broker {

bool Shard::is_current(const Route& route) const {
    return here_.core().index.is_current(route.epoch) &&
           route.acl_epoch == here_.core().acl_epoch.load(std::memory_order_relaxed) &&
           route.read_until_ms > here_.now_ms();
}

Route& Shard::route_for(ByteView topic, uint64_t hash) {
    Route* route = routes_.find(topic, hash);
    if (route && is_current(*route)) return *route;
    if (!route) {
        route = &routes_.make(topic, hash);
    }
    fill_route(*route);
    routes_.filled(*route);
    here_.metrics().routes.set(routes_.count());
    here_.metrics().route_bytes.set(routes_.bytes());
    return *route;
}

/// The route; null when this round's share is used up and it has more than a few receivers, or is not known.
Route* Shard::route_in_share(ByteView topic) {
    const uint64_t hash = routes_.hash_of(topic);
    if (!share_.used_up()) return &route_for(topic, hash);
    Route* route = routes_.find(topic, hash);
    return route && is_current(*route) && share_.few(route->ordinary()) ? route : nullptr;
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
    here_.metrics().route_misses.add();
    const std::string_view topic = route.topic();
    route.targets.clear();
    route.groups.clear();
    route.identifiers = route.more_bytes = 0;
    route.remote_shards = 0;
    route.acl_epoch = 0;  // of no time, should what follows fail
    const uint64_t acl_epoch = here_.core().acl_epoch.load(std::memory_order_relaxed);
    route.read_until_ms = here_.now_ms() + here_.core().config.limits.acl_cache_lifetime_ms;
    route.valid_name = mqtt::topic_name_valid(ByteView(topic)) && !topic.starts_with("$SYS") &&
                       topic.size() <= here_.core().config.limits.topic_length &&
                       topics::level_count(topic) <= here_.core().config.limits.topic_levels;
    route.epoch = here_.core().index.epoch(topic);
    matches_.clear();
    here_.core().index.match(topic, matches_);
    share_.use(matches_.looked_at + matches_.plain.size() + matches_.groups.size());
    fill_targets(route);
    for (const auto& group : matches_.groups) {
        route.groups.push_back({group, session::ShareName::make(group->share_name, group->topic_filter)});
        route.more_bytes +=
            sizeof(session::ShareName) + group->share_name.size() + group->topic_filter.size();
    }
    route.acl_epoch = acl_epoch;
}

/// Whether this receiver may have messages of the topic. Asked when there is the first to deliver, and kept as long as the
/// route.
hooks::Verdict Shard::verdict_of(Target& target, std::string_view topic) {
    Session& s = *target.session;
    if (target.read != hooks::Verdict::next && target.read_of == s.connects) return target.read;
    target.read = hooks::Verdict::next;
    target.read_of = s.connects;
    const auto verdict = read_verdict(s, topic);
    // A denial because a hook failed is nowhere kept: the next message asks again.
    const bool kept = verdict == hooks::Verdict::allow
                          ? s.sink || here_.core().config.limits.acl_cache_size
                          : cached_verdict(s, topic, hooks::Access::read) == verdict;
    if (kept) target.read = verdict;
    return verdict;
}

/// The sessions of this shard among `matches_`, with what their subscriptions come to, and which other shards have some.
void Shard::fill_targets(Route& route) {
    const auto complete = [&] {
        if (route.targets.empty()) return;
        for (const auto* list : {&route.targets.back().identifiers, &route.targets.back().own_identifiers}) {
            const size_t count = session::complete_identifiers(*list);
            route.identifiers += count;
            if (count)
                route.more_bytes += sizeof(session::IdentifierList) + (*list)->identifiers.capacity() * 4;
        }
    };
    for (const topics::Match& match : matches_.plain) {
        if (match.subscriber.shard() != here_.number()) {
            route.remote_shards |= uint64_t{1} << match.subscriber.shard();
            continue;
        }
        Session* s = clients_.session(match.subscriber.value);
        if (!s) continue;
        if (route.targets.empty() || route.targets.back().session != s) {
            complete();
            route.targets.emplace_back();
            route.targets.back().session = s;
            route.targets.back().own = false;
        }
        Target& target = route.targets.back();
        const topics::SubscriptionOptions& options = match.options;
        target.qos = std::max<uint8_t>(target.qos, options.qos);
        target.retain_as_published |= options.retain_as_published != 0;
        session::add_identifier(target.identifiers, options.identifier);
        if (options.no_local) {
            target.no_local = true;
        } else {
            target.own = true;
            target.own_retain_as_published |= options.retain_as_published != 0;
            target.own_qos = std::max<uint8_t>(target.own_qos, options.qos);
            session::add_identifier(target.own_identifiers, options.identifier);
        }
    }
    complete();
}

void Shard::publish(Publication& p, Source source, hooks::Client* client, PacketBox* box, Route* known) {
    Route& route = known ? *known : p.retain ? passing_route(p.topic_name) : route_for(p.topic_name);
    if (!route_needs_hooks() || !box) {
        deliver_local(route, p, source);
        for (uint64_t shards = route.remote_shards; shards; shards &= shards - 1)
            hand_over_message(static_cast<unsigned>(__builtin_ctzll(shards)), p, source);
        deliver_to_groups(route, p, source);
        return;
    }
    std::vector<Offer> offers;
    const hooks::Selection selection = select_receivers(p, *box, offers);
    share_.use(matches_.looked_at + selection.receivers.size());
    for (size_t i = 0; i < selection.receivers.size(); ++i) {
        const hooks::SelectedReceiver& receiver = selection.receivers[i];
        if (!receiver.chosen) continue;
        topics::SubscriptionOptions options;
        Ref<session::ShareName> share;
        if (receiver.shared) {
            if (i < offers.size() && offers[i].subscriber == receiver.subscriber && offers[i].share) {
                share = offers[i].share;
                options = offers[i].options;
            } else {
                share = read_share(receiver.filter);  // a hook has put it there
            }
            if (!share) continue;
        }
        options.qos = receiver.qos & 3;
        const topics::SubscriberId target{receiver.subscriber};
        if (target.shard() == here_.number()) {
            deliver_targeted(target, options, std::move(share), p, source);
        } else {
            hand_over_targeted(target, options, std::move(share), p, source, receiver.client_id);
        }
    }
    if (client && wants(EventId::on_published_with_shared_filters))
        here_.notify(EventId::on_published_with_shared_filters, client, box,
                     [&](hooks::Hook& hook, hooks::Event& event) {
                         hook.on_published_with_shared_filters(event, *box, selection);
                     });
}

bool Shard::route_needs_hooks() const {
    return wants(EventId::on_select_subscribers) || wants(EventId::on_published_with_shared_filters);
}

hooks::Selection Shard::select_receivers(Publication& p, PacketBox& box, std::vector<Offer>& offers) {
    hooks::Selection selection;
    matches_.clear();
    here_.core().index.match(p.topic_name.text(), matches_);
    // Names for the hooks: each costs one look-up, whichever shard the session belongs to.
    const auto known = [&](hooks::SelectedReceiver& receiver) {
        const topics::SubscriberId id{receiver.subscriber};
        if (id.shard() != here_.number()) {
            const auto client = here_.core().session_clients.find(id);
            if (client) receiver.client_id = client->id;
            return static_cast<bool>(client);
        }
        const Session* s = clients_.session(receiver.subscriber);
        if (s) receiver.client_id = s->client->id;
        return s != nullptr;
    };
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
        if (!known(receiver)) continue;  // has ended
        all.push_back(std::move(receiver));
        offers.push_back({match.subscriber.value, match.options, {}});
    }
    for (const auto& group : matches_.groups) {
        const auto* turn = group->pick();
        const auto share = session::ShareName::make(group->share_name, group->topic_filter);
        const std::string filter = share->text();
        for (const auto* member : group->members()) {
            hooks::SelectedReceiver receiver;
            receiver.filter = filter;
            receiver.shared = true;
            receiver.subscriber = member->subscriber.value;
            receiver.chosen = member == turn;
            receiver.qos = member->options.qos;
            if (!known(receiver)) continue;
            selection.receivers.push_back(std::move(receiver));
            offers.push_back({member->subscriber.value, member->options, share});
        }
    }
    here_.notify(EventId::on_select_subscribers, nullptr, &box, [&](hooks::Hook& hook, hooks::Event& event) {
        hook.on_select_subscribers(event, selection, box);
    });
    for (auto& receiver : selection.receivers) {
        if (receiver.subscriber) continue;
        const auto client = here_.core().registry.find(receiver.client_id);
        if (client) receiver.subscriber = client->session;
        receiver.chosen = receiver.subscriber != 0;
    }
    return selection;
}

void Shard::deliver_local(Route& route, Publication& p, Source source) {
    if (p.has_shared_part() && route.targets.size() > 1) p.message();
    each_target(route, [&](Target& target) {
        const bool own = is_own(target, p.origin.publisher, p.origin_id);
        if (own && !target.own) return;
        p.last_use = route.groups.empty() && !route.remote_shards && &target == &route.targets.back();
        deliver_target(target, p, own, source);
    });
    p.last_use = false;
}

/// The message as the subscriptions of this session want it.
session::Delivery Shard::form_for(const Target& target, const Publication& p, bool own) {
    session::Delivery form;
    form.identifiers = own ? target.own_identifiers : target.identifiers;
    form.qos = std::min(p.qos, own ? target.own_qos : target.qos);
    form.retain = (own ? target.own_retain_as_published : target.retain_as_published) && p.retain;
    return form;
}

void Shard::deliver_target(Target& target, Publication& p, bool own, Source source) {
    Session& s = *target.session;
    if (s.ended) return;
    if (!s.connection && !s.sink && !std::min(p.qos, own ? target.own_qos : target.qos)) return;
    const auto verdict = verdict_of(target, p.topic_name.text());
    if (verdict == hooks::Verdict::deny) {
        here_.metrics().acl_denied.add();
        return;
    }
    session::Delivery form = form_for(target, p, own);
    form.check_read = verdict != hooks::Verdict::allow;
    if (deliver(s, p, std::move(form), source) && p.retain && s.replays)
        s.replays->note_live(routes_.hash_of(p.topic_name), replays_.next_number());
}

bool Shard::deliver(Session& s, Publication& p, session::Delivery&& form, Source source) {
    if (s.sink) {
        call_inline(s, p, form);
        return true;
    }
    Connection* c = s.connection;
    if (c && c->state != Connection::State::established) c = nullptr;
    if (!c && (form.qos == 0 || s.ended)) return false;
    if (s.stored && form.qos && ledger_.overflows()) [[unlikely]] {
        here_.metrics().store_refusals.add();
        drop(s, p, form, DropCause::store_overflow);
        return false;
    }
    if (form.check_read && !s.read_hold) {
        switch (read_verdict(s, p.topic_name.text())) {
            case hooks::Verdict::allow: form.check_read = false; break;
            case hooks::Verdict::pending: break;
            default: here_.metrics().acl_denied.add(); return false;
        }
    }
    if (s.read_hold || !c || (form.qos == 0 && s.flow && s.flow->queue.qos0())) {
        form.message = p.take_message();
        const bool taken = enqueue(s, std::move(form));
        if (c) check_congestion(*c, source);
        return taken;
    }
    if (form.qos == 0) {
        form.message = p.made;
        if (output_full(*c, p.payload.size) || (c->given_up() && over_slack(*c)) ||
            (here_.core().config.backpressure == BackpressurePolicy::drop && over_high_mark(*c))) {
            drop(s, p, form, DropCause::output_full);
            return false;
        }
        const bool sent = send_delivery(*c, s, std::move(form), 0, p);
        check_congestion(*c, source);
        return sent;
    }
    s.make_flow();
    form.message = p.take_message();
    if (goes_at_once(*c, s, form.message->footprint())) {
        // One message at most above the mark; the next one finds it so.
        return send_delivery(*c, s, std::move(form), 0, p);
    }
    const bool taken = enqueue(s, std::move(form));
    check_congestion(*c, source);
    return taken;
}

/// Nothing that was there before is to be sent first, and the client may have it now.
bool Shard::goes_at_once(const Connection& c, const Session& s, size_t bytes) const {
    const session::Flow* flow = s.flow.get();
    if (!flow) return true;
    return flow->queue.empty() && !s.tail && flow->resend.empty() && flow->inflight.count() < c.window &&
           !flow->inflight.exhausted() && c.out.bytes() <= here_.core().config.limits.high_mark_bytes &&
           has_flight_room(*flow, bytes);
}

/// No room for QoS 0 bytes in an output. One message goes above the mark, whatever its size.
bool Shard::output_full(const Connection& c, size_t bytes) const {
    const Limits& limits = here_.core().config.limits;
    return c.out.bytes() + bytes > limits.client_queued_bytes &&
           c.out.bytes() > std::min(limits.high_mark_bytes, limits.client_queued_bytes);
}

void Shard::call_inline(Session& s, Publication& p, const session::Delivery& form) {
    const auto box = box_packet(packet_of(p, form, 0), p.origin_id.text());
    box->frozen = true;
    box->created_ms = p.created_ms;
    const CallbackScope scope(here_);
    const InlineSink sink = *s.sink;  // may be removed by its own call
    sink(*s.client, *box);
}

}  // namespace comqtt::broker
