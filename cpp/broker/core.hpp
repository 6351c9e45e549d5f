#pragma once
// Core: what all shards of one server share. Everything here is thread-safe.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"
#include "broker/config.hpp"
#include "broker/idle_receivers.hpp"
#include "broker/mail.hpp"
#include "broker/retained_counts.hpp"
#include "hooks/dispatcher.hpp"
#include "topics/subscription_index.hpp"

namespace comqtt::broker {

class Shard;

/// Client id -> client of its session. Looked up at CONNECT and by the API, never per message.
class Registry {
public:
    Ref<hooks::Client> find(std::string_view id) const;
    void put(const Ref<hooks::Client>& client);
    /// Removes the entry when it is still this client.
    void remove(const hooks::Client& client);
    std::vector<Ref<hooks::Client>> all() const;
    size_t count() const;

private:
    static constexpr size_t kStripes = 16;  ///< the upper four bits of a hash
    struct Stripe {
        mutable Mutex mutex;
        std::unordered_map<std::string_view, Ref<hooks::Client>, TextHash> clients COMQTT_GUARDED_BY(mutex);
    };
    Stripe& stripe(std::string_view id) const;
    mutable std::array<Stripe, kStripes> stripes_;
};

/// Session -> its client, for the names of receivers on other shards. Ids are slots, so that this is a table.
class SessionClients {
public:
    explicit SessionClients(size_t shards) : parts_(shards) {}
    void put(topics::SubscriberId session, Ref<hooks::Client> client);
    void remove(topics::SubscriberId session);
    /// Null when the session has ended.
    Ref<hooks::Client> find(topics::SubscriberId session) const;

private:
    struct Entry {
        uint64_t session = 0;
        Ref<hooks::Client> client;
    };
    struct Part {
        mutable SharedMutex mutex;
        std::vector<Entry> entries COMQTT_GUARDED_BY(mutex);  ///< by slot
    };
    std::vector<Part> parts_;  ///< by shard
};

/// Client ids that may not connect.
class BlockList {
public:
    Status add(std::string_view id, size_t limit);
    bool remove(std::string_view id);
    bool contains(std::string_view id) const;
    std::vector<std::string> all() const;

private:
    mutable SharedMutex mutex_;
    std::unordered_set<std::string, TextHash, std::equal_to<>> ids_ COMQTT_GUARDED_BY(mutex_);
    std::atomic<size_t> count_{0};
};

/// Sessions whose queue has little room, for publishers of other shards. Kept with queue-policy refuse only.
class FullSessions {
public:
    bool any() const { return count_.load(std::memory_order_relaxed) != 0; }
    /// A message of this many bytes does not fit.
    bool full(uint64_t subscriber, uint64_t bytes) const;
    void set(uint64_t subscriber, uint64_t room);
    void remove(uint64_t subscriber);

private:
    mutable SharedMutex mutex_;
    std::unordered_map<uint64_t, uint64_t> rooms_ COMQTT_GUARDED_BY(mutex_);  ///< bytes
    std::atomic<size_t> count_{0};
};

/// Whether the stores can commit, as they reported it.
class StoreHealth {
public:
    bool failing() const { return failing_.load(std::memory_order_relaxed); }
    /// ok = some batch was committed. True when that changes something.
    bool report(Status status, std::string_view text);
    /// Why not; ok when they can.
    Result<void> check() const;
    /// What a publisher is told.
    mqtt::Reason reason() const;

private:
    std::atomic<bool> failing_{false};
    mutable Mutex mutex_;
    Status status_ COMQTT_GUARDED_BY(mutex_) = Status::ok;
    std::string text_ COMQTT_GUARDED_BY(mutex_);
};

struct Core {
    /// `hash_seed`: for runs that repeat; random when absent.
    Core(Config settings, Log log_sink, std::shared_ptr<Clock> time, Host& waker, unsigned shard_count,
         std::optional<uint64_t> hash_seed = {});
    ~Core();

    unsigned shard_of(std::string_view client_id) const {
        return static_cast<unsigned>(hash_bytes(ByteView(client_id), seed) % mailboxes.size());
    }
    unsigned shard_of_topic(ByteView topic) const {
        return mailboxes.size() == 1 ? 0u
                                     : static_cast<unsigned>(hash_bytes(topic, ~seed) % mailboxes.size());
    }
    /// Next value of the hybrid logical clock.
    uint64_t next_clock(int64_t wall_ms) {
        const uint64_t now = static_cast<uint64_t>(wall_ms) << 16;
        uint64_t last = hybrid_clock.load(std::memory_order_relaxed);
        uint64_t next;
        do {
            next = now > last ? now : last + 1;
        } while (!hybrid_clock.compare_exchange_weak(last, next, std::memory_order_relaxed));
        return next;
    }

    /// Bytes in all session queues and in flight.
    uint64_t bytes_waiting() const {
        // What one shard began and another ended may be told in either order.
        const int64_t inflight = inflight_bytes.load(std::memory_order_relaxed);
        return queued_bytes.load(std::memory_order_relaxed) +
               static_cast<uint64_t>(inflight > 0 ? inflight : 0);
    }

    const Config config;
    const Log log;
    const std::shared_ptr<Clock> clock;
    const uint64_t seed;
    const int64_t started_wall_ms;
    hooks::Dispatcher hooks;
    topics::SubscriptionIndex index;
    Registry registry;
    SessionClients session_clients;
    BlockList blocked;
    std::vector<std::shared_ptr<Mailbox>> mailboxes;
    std::vector<std::unique_ptr<Shard>> shards;

    std::atomic<bool> sys_values_cleared{
        false};  ///< a retained $SYS value was removed: all are published again
    std::atomic<uint64_t> acl_epoch{1};
    std::atomic<uint64_t> hybrid_clock{0};
    std::atomic<uint64_t> next_number{1};  ///< connections, deferrals, assigned client ids
    std::atomic<uint64_t> connections{0};
    std::atomic<uint64_t> connected{0};
    std::atomic<uint64_t> maximum_connected{0};
    std::atomic<uint64_t> sessions{0};
    std::atomic<uint64_t> connecting_bytes{0};  ///< of CONNECTs that have not arrived as a whole
    std::atomic<uint64_t> retained_messages{0};
    std::atomic<uint64_t> retained_bytes{0};
    std::atomic<uint64_t> deferrals{0};
    std::atomic<uint64_t> inline_waiting{0};     ///< messages behind the PENDING ones of inline clients
    std::atomic<uint64_t> queued_messages{0};    ///< session queues of all shards
    std::atomic<uint64_t> queued_bytes{0};       ///< of those
    std::atomic<int64_t> inflight_bytes{0};      ///< messages in flight, each once
    std::atomic<uint64_t> stored_bytes{0};       ///< the part of them that only the stores hold
    std::atomic<uint64_t> uncommitted_bytes{0};  ///< handed to the stores
    std::atomic<uint64_t> store_waiters{0};      ///< a bit for each shard whose publishers wait for less
    std::atomic<uint64_t> next_message_key{1};
    RetainedCounts retained_counts;
    StoreHealth store_health;
    FullSessions full_sessions;
    std::atomic<uint64_t> congested{0};  ///< receivers that are full
    IdleReceivers idle_receivers;
};

}  // namespace comqtt::broker
