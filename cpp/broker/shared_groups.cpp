// Shared subscriptions: whose turn it is, and who gets what a member leaves behind.

#include <algorithm>

#include "broker/shard.hpp"
#include "topics/filter.hpp"

namespace comqtt::broker {

/// One member of each group of the route.
void Shard::deliver_to_groups(const Route& route, Publication& p, Source source) {
    share_.use(route.groups.size());
    for (const RouteGroup& group : route.groups) deliver_to_group(group, p, source, false, {});
}

void Shard::deliver_to_group(const RouteGroup& group, Publication& p, Source source, bool redelivery,
                             topics::SubscriberId except) {
    // A member whose read verdict is DENY is passed over for the next one.
    const size_t tries = group.members->size();
    topics::SubscriberId skip = except;
    for (size_t i = 0; i < tries; ++i) {
        const topics::GroupMember* member = group.members->pick(skip);
        if (!member) return;
        if (member->subscriber.shard() != here_.number()) {
            hand_over_targeted(member->subscriber, member->options, group.share, p, source);
            return;
        }
        Session* s = clients_.session(member->subscriber.value);
        if (s && (redelivery || s->sink ||
                  cached_verdict(*s, p.topic_name.text(), hooks::Access::read) != hooks::Verdict::deny)) {
            deliver_targeted(member->subscriber, member->options, group.share, p, source);
            return;
        }
        skip = member->subscriber;
    }
}

void Shard::deliver_targeted(topics::SubscriberId target, topics::SubscriptionOptions options,
                             Ref<session::ShareName> share, Publication& p, Source source) {
    Session* s = clients_.session(target.value);
    if (share && !(s && (s->connection || s->sink)) && pass_on_shared(target, !s, share, p, source)) return;
    if (!s) return;
    session::Delivery form;
    form.qos = std::min<uint8_t>(p.qos, options.qos);
    form.retain = options.retain_as_published && p.retain;
    form.check_read = !s->sink;
    form.share = std::move(share);
    session::add_identifier(form.identifiers, options.identifier);
    if (!form.share) {
        // Chosen by a hook: what its subscriptions say beside the QoS stands in the route.
        auto& targets = route_for(p.topic_name).targets;
        const Target* known =
            std::lower_bound(targets.begin(), targets.end(), target.value,
                             [](const Target& at, uint64_t id) { return at.session->id.value < id; });
        if (known != targets.end() && known->session == s) {
            form = form_for(*known, p, is_own(*known, p.origin.publisher, p.origin_id));
            form.qos = std::min<uint8_t>(p.qos, options.qos);
            form.check_read = !s->sink;
        }
    }
    deliver(*s, p, std::move(form), source);
}

/// The member went away while the message was on its way to it: gives it to another that is online, or to any when
/// the session is gone.
bool Shard::pass_on_shared(topics::SubscriberId from, bool gone, const Ref<session::ShareName>& share,
                           Publication& p, Source source) {
    const auto group = here_.core().index.group(share->topic_filter, share->share_name);
    const topics::GroupMember* member = group ? group->pick(from) : nullptr;
    if (!member || member->subscriber == from || !(gone || member->online.load(std::memory_order_relaxed)))
        return false;
    if (member->subscriber.shard() == here_.number()) {
        deliver_targeted(member->subscriber, member->options, share, p, source);
    } else {
        hand_over_targeted(member->subscriber, member->options, share, p, source);
    }
    return true;
}

void Shard::redeliver_shared(Session& s, bool ending) {
    if (!s.flow) return;
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
        auto members = here_.core().index.group(delivery.share->topic_filter, delivery.share->share_name);
        const auto* member = members ? members->pick(s.id) : nullptr;
        if (!member || !(ending || member->online.load(std::memory_order_relaxed))) return false;
        group = {std::move(members), delivery.share};
        return true;
    };
    const auto move_on = [&](session::Delivery delivery) {
        RouteGroup group;
        if (delivery.message->due_ms() <= here_.now_ms() || !other_member(delivery, group)) return false;
        Publication p = Publication::of(delivery.message);
        p.exactly_once = true;  // it is forgotten here at the same time
        deliver_to_group(group, p, {}, true, s.id);
        return true;
    };
    for (const mqtt::PacketId id : finished) {
        session::Delivery delivery = s.flow->inflight.find(id)->delivery;
        const uint64_t position = delivery.position;
        if (!move_on(std::move(delivery))) continue;
        end_flow(s, id, *s.flow->inflight.find(id));
        ledger_.forget_message(s, position);
    }
    s.flow->queue.remove_if([&](session::Delivery& delivery) {
        if (!wanted(delivery, false)) return false;
        uncount_queued(1, delivery.message->footprint());
        if (move_on(delivery)) {
            ledger_.forget_message(s, delivery.position);
            return true;
        }
        count_queued(1, delivery.message->footprint());
        return false;
    });
}

}  // namespace comqtt::broker
