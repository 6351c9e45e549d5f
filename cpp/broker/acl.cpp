// Read and write verdicts: cached per session, asked when not known, waited for when PENDING.

#include "base/hash.hpp"
#include "broker/shard.hpp"

namespace comqtt::broker {

hooks::Verdict Shard::cached_verdict(Session& s, std::string_view topic, hooks::Access access) {
    if (!s.acl) return hooks::Verdict::next;
    return s.acl->find(hash_bytes(ByteView(topic), here_.core().seed), access, here_.now_ms(),
                       here_.core().acl_epoch.load(std::memory_order_relaxed));
}

void Shard::store_verdict(Session& s, std::string_view topic, hooks::Access access, bool allowed,
                          bool for_all_topics) {
    const Limits& limits = here_.core().config.limits;
    if (limits.acl_cache_size == 0) return;
    if (!s.acl) s.acl = std::make_unique<AclCache>();
    if (for_all_topics) {
        s.acl->store_whole(access, allowed, here_.now_ms() + limits.acl_cache_lifetime_ms,
                           here_.core().acl_epoch.load(std::memory_order_relaxed));
        return;
    }
    s.acl->store(hash_bytes(ByteView(topic), here_.core().seed), access, allowed,
                 here_.now_ms() + limits.acl_cache_lifetime_ms,
                 here_.core().acl_epoch.load(std::memory_order_relaxed), limits.acl_cache_size);
}

hooks::Verdict Shard::read_verdict(Session& s, std::string_view topic, size_t position) {
    if (s.sink || s.client->is_inline) return hooks::Verdict::allow;
    if (s.read_hold) return hooks::Verdict::pending;
    if (position == 0) {
        const auto known = cached_verdict(s, topic, hooks::Access::read);
        if (known != hooks::Verdict::next) return known;
    }
    hooks::Event event(EventId::on_acl_check, here_.wall_ms(), s.client.get(), nullptr, &verdicts_);
    const auto verdict = here_.ask(event, position, [&](hooks::Hook& hook) {
        return hook.on_acl_check(event, *s.client, topic, hooks::Access::read);
    });
    if (verdict == hooks::Verdict::pending) {
        if (!event.deferred()) return hooks::Verdict::deny;
        s.read_hold = std::make_unique<ReadHold>();
        s.read_hold->topic = topic;
        s.read_hold->number =
            verdicts_.wait_for(event.take_deferral(), PendingVerdict::What::read, s.id.value, position);
        return verdict;
    }
    if (!event.failed())
        store_verdict(s, topic, hooks::Access::read, verdict == hooks::Verdict::allow,
                      event.for_all_topics());
    return verdict;
}

void Shard::finish_read_hold(Session& s, const std::string& topic, bool allowed) {
    store_verdict(s, topic, hooks::Access::read, allowed);
    if (s.flow)
        s.flow->queue.remove_if([&](session::Delivery& delivery) {
            if (!delivery.check_read || delivery.message->topic_name().text() != topic) return false;
            if (allowed) {
                delivery.check_read = false;
                return false;
            }
            uncount_queued(1, delivery.message->footprint());
            here_.metrics().acl_denied.add();
            ledger_.forget_message(s, delivery.position);
            return true;
        });
    if (s.connection && s.connection->state == Connection::State::established) pump(*s.connection, s);
}

}  // namespace comqtt::broker
