#include "broker/core.hpp"

#include "broker/shard.hpp"

namespace comqtt::broker {

Registry::Stripe& Registry::stripe(std::string_view id) const {
    return stripes_[TextHash()(id) >> 60];  // the table in it takes the lower bits
}

Ref<hooks::Client> Registry::find(std::string_view id) const {
    Stripe& part = stripe(id);
    const Lock lock(part.mutex);
    const auto at = part.clients.find(id);
    return at == part.clients.end() ? Ref<hooks::Client>{} : at->second;
}

void Registry::put(const Ref<hooks::Client>& client) {
    Stripe& part = stripe(client->id);
    Ref<hooks::Client> previous;
    const Lock lock(part.mutex);
    // The key is a view of the client's own id: an old entry goes first.
    if (const auto at = part.clients.find(client->id); at != part.clients.end()) {
        previous = at->second;
        part.clients.erase(at);
    }
    part.clients.emplace(client->id, client);
}

void Registry::remove(const hooks::Client& client) {
    Stripe& part = stripe(client.id);
    Ref<hooks::Client> removed;
    const Lock lock(part.mutex);
    const auto at = part.clients.find(client.id);
    if (at == part.clients.end() || at->second.get() != &client) return;
    removed = at->second;
    part.clients.erase(at);
}

std::vector<Ref<hooks::Client>> Registry::all() const {
    std::vector<Ref<hooks::Client>> clients;
    for (Stripe& part : stripes_) {
        const Lock lock(part.mutex);
        for (const auto& [id, client] : part.clients) clients.push_back(client);
    }
    return clients;
}

size_t Registry::count() const {
    size_t count = 0;
    for (Stripe& part : stripes_) {
        const Lock lock(part.mutex);
        count += part.clients.size();
    }
    return count;
}

void SessionClients::put(topics::SubscriberId session, Ref<hooks::Client> client) {
    Part& part = parts_[session.shard()];
    const WriteLock lock(part.mutex);
    if (session.slot() >= part.entries.size()) part.entries.resize(session.slot() + 1);
    part.entries[session.slot()] = {session.value, std::move(client)};
}

void SessionClients::remove(topics::SubscriberId session) {
    Part& part = parts_[session.shard()];
    Entry removed;
    const WriteLock lock(part.mutex);
    if (session.slot() < part.entries.size() && part.entries[session.slot()].session == session.value)
        removed = std::exchange(part.entries[session.slot()], {});
}

Ref<hooks::Client> SessionClients::find(topics::SubscriberId session) const {
    if (session.shard() >= parts_.size()) return {};
    const Part& part = parts_[session.shard()];
    const ReadLock lock(part.mutex);
    if (session.slot() >= part.entries.size()) return {};
    const Entry& entry = part.entries[session.slot()];
    return entry.session == session.value ? entry.client : Ref<hooks::Client>{};
}

Status BlockList::add(std::string_view id, size_t limit) {
    const WriteLock lock(mutex_);
    if (ids_.contains(id)) return Status::exists;
    if (ids_.size() >= limit) return Status::too_large;
    ids_.emplace(id);
    count_.store(ids_.size(), std::memory_order_relaxed);
    return Status::ok;
}

bool BlockList::remove(std::string_view id) {
    const WriteLock lock(mutex_);
    const bool removed = ids_.erase(std::string(id)) != 0;
    count_.store(ids_.size(), std::memory_order_relaxed);
    return removed;
}

bool BlockList::contains(std::string_view id) const {
    if (count_.load(std::memory_order_relaxed) == 0) return false;
    const ReadLock lock(mutex_);
    return ids_.contains(id);
}

std::vector<std::string> BlockList::all() const {
    const ReadLock lock(mutex_);
    return {ids_.begin(), ids_.end()};
}

bool FullSessions::full(uint64_t subscriber, uint64_t bytes) const {
    const ReadLock lock(mutex_);
    const auto at = rooms_.find(subscriber);
    return at != rooms_.end() && at->second < bytes;
}

void FullSessions::set(uint64_t subscriber, uint64_t room) {
    const WriteLock lock(mutex_);
    rooms_[subscriber] = room;
    count_.store(rooms_.size(), std::memory_order_relaxed);
}

void FullSessions::remove(uint64_t subscriber) {
    const WriteLock lock(mutex_);
    rooms_.erase(subscriber);
    count_.store(rooms_.size(), std::memory_order_relaxed);
}

bool StoreHealth::report(Status status, std::string_view text) {
    if (status == Status::ok && !failing()) return false;
    const Lock lock(mutex_);
    const bool changed = status != status_;
    status_ = status;
    text_ = text;
    failing_.store(status != Status::ok, std::memory_order_relaxed);
    return changed;
}

Result<void> StoreHealth::check() const {
    if (!failing()) return {};
    const Lock lock(mutex_);
    if (status_ == Status::ok) return {};
    return Error{Status::storage, text_};
}

mqtt::Reason StoreHealth::reason() const {
    const Lock lock(mutex_);
    return status_ == Status::queue_full ? mqtt::Reason::quota_exceeded
                                         : mqtt::Reason::implementation_specific_error;
}

Core::Core(Config settings, Log log_sink, std::shared_ptr<Clock> time, Host& waker, unsigned shard_count,
           std::optional<uint64_t> hash_seed)
    : config(settings),
      log(std::move(log_sink)),
      clock(std::move(time)),
      seed(hash_seed ? *hash_seed : process_hash_seed()),
      started_wall_ms(clock->wall_ms()),
      session_clients(shard_count),
      retained_counts(shard_count, seed),
      idle_receivers(seed) {
    hooks.set_log(&log);
    hooks.set_on_failure(config.on_hook_failure);
    for (unsigned i = 0; i < shard_count; ++i) mailboxes.push_back(std::make_shared<Mailbox>(&waker, i));
}

Core::~Core() {
    for (const auto& mailbox : mailboxes) mailbox->close();
    shards.clear();
}

}  // namespace comqtt::broker
