#include "server/restoring.hpp"

#include <fmt/format.h>

#include "broker/shard.hpp"
#include "server/stored_handovers.hpp"

namespace comqtt::server {

using broker::Shard;
using hooks::EventId;

namespace {

/// Puts stored records where they belong.
class Restorer final : public hooks::StoredSink {
public:
    Restorer(broker::Core& core, StoredHandovers& handovers) : core_(core), handovers_(handovers) {}
    Result<void> add(hooks::StoredClient record) override {
        ++count;
        if (!handovers_.add(record)) core_.shards[core_.shard_of(record.id)]->restore_client(record);
        return {};
    }
    Result<void> add(hooks::StoredSubscription record) override {
        ++count;
        return core_.shards[core_.shard_of(record.client_id)]->restore_subscription(record);
    }
    Result<void> add(hooks::StoredMessage record) override {
        ++count;
        if (handovers_.add(record)) return {};
        if (!record.client_id.empty())
            return core_.shards[core_.shard_of(record.client_id)]->restore_message(record);
        auto message = core_.shards[0]->stored_message(record);
        const unsigned owner = core_.shard_of_topic(message->topic_name());
        core_.shards[owner]->restore_retained(std::move(message));
        return {};
    }
    Result<void> add_blocked(std::string client_id) override {
        ++count;
        core_.blocked.add(client_id, core_.config.limits.blocked_clients);
        return {};
    }
    size_t count = 0;

private:
    broker::Core& core_;
    StoredHandovers& handovers_;
};

}  // namespace

Result<void> restore_stored_state(broker::Core& core) {
    using Load = Status (hooks::Hook::*)(hooks::Event&, hooks::StoredSink&);
    const std::pair<EventId, Load> kinds[] = {
        {EventId::stored_clients, &hooks::Hook::stored_clients},
        {EventId::stored_subscriptions, &hooks::Hook::stored_subscriptions},
        {EventId::stored_inflight_messages, &hooks::Hook::stored_inflight_messages},
        {EventId::stored_retained_messages, &hooks::Hook::stored_retained_messages},
    };
    const auto hooks_list = core.hooks.list();
    StoredHandovers handovers(core);
    for (const auto& [id, load] : kinds) {
        for (const auto& entry : *hooks_list) {
            if (!(entry.events & hooks::mask_of(id))) continue;
            Restorer sink(core, handovers);
            hooks::Event event(id, core.clock->wall_ms());
            const Status status = (entry.hook.get()->*load)(event, sink);
            if (event.failed() || (status != Status::ok && status != Status::not_found))
                return Error{status == Status::ok || status == Status::not_found ? Status::callback : status,
                             fmt::format("hook '{}' failed in {}{}{}", entry.hook->id(), event_name(id),
                                         event.failed() ? ": " : "", event.failure())};
            if (sink.count) break;
        }
    }
    return handovers.deliver();
}

}  // namespace comqtt::server
