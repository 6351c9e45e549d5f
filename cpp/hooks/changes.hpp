#pragma once
// Changes: what one shard changed of the stored state in one round, in order. Handed to each store once, on the
// shard's thread; a store that answers PENDING keeps a count and completes the batch from any thread when it is
// committed. What the batch vouches for (acknowledgements, QoS 2 messages) waits for that.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/ref.hpp"
#include "base/result.hpp"
#include "hooks/client.hpp"
#include "hooks/records.hpp"
#include "mqtt/message.hpp"

namespace comqtt::hooks {

struct Change {
    enum class Kind : uint8_t {
        session_saved = 1,       ///< details->client: new, or replaces what was stored of it but its messages
        session_removed = 2,     ///< the client's session with its subscriptions and messages
        subscription_saved = 3,  ///< details->subscription: new, or replaces the one with the same filter
        subscription_removed = 4,  ///< details->text: the filter
        message_queued = 5,     ///< message, message_key, position, qos, retain, packet_id (0 = not sent yet)
        message_sent = 6,       ///< position, packet_id
        message_released = 7,   ///< position: PUBREC came, of the message only its packet id is needed now
        message_removed = 8,    ///< position: acknowledged, expired or dropped
        received_added = 9,     ///< packet_id: inbound QoS 2, until PUBREL
        received_removed = 10,  ///< packet_id
        retained_saved = 11,    ///< message: replaces what its topic had
        retained_removed = 12,  ///< details->text: the topic
        client_blocked = 13,    ///< details->text: the client id
        client_unblocked = 14,  ///< details->text: the client id
    };
    /// What only the rarer kinds have.
    struct Details {
        StoredClient client;
        StoredSubscription subscription;
        std::string text;  ///< filter, topic or client id; message_queued: `$share/...`, if any
        std::vector<uint32_t> identifiers;  ///< message_queued: subscription identifiers as delivered
    };

    Kind kind{};
    uint8_t qos = 0;      ///< message_queued: as delivered
    bool retain = false;  ///< message_queued: RETAIN flag as delivered
    mqtt::PacketId packet_id = 0;
    uint64_t position = 0;  ///< grows with each message of a session, also over restarts
    uint64_t message_key =
        0;               ///< the same for all queues that hold the message; unique while the server runs
    Ref<Client> client;  ///< whose session; null for retained messages and blocked clients
    mqtt::MessageRef message;
    std::unique_ptr<Details> details;
};

class Changes : public RefCounted<Changes> {
public:
    using List = std::vector<Change>;
    /// How a batch ended, or (`reported`) why it has not yet.
    using Wake = std::function<void(Status status, const std::string& text, bool reported)>;

    Changes(std::shared_ptr<const List> list, size_t footprint, unsigned shard, Wake wake)
        : list_(std::move(list)), footprint_(footprint), shard_(shard), wake_(std::move(wake)) {}
    /// A batch that nobody completed was not stored.
    ~Changes() { complete(Status::closed, "the store let go of its changes"); }

    const List& all() const { return *list_; }
    size_t footprint() const { return footprint_; }  ///< bytes of the messages it holds
    unsigned shard() const { return shard_; }        ///< batches of one shard are handed over in order

    /// Any thread, once. ok: committed. queue_full: no room (0x97 for publishers); others: not stored (0x83).
    /// state when completed before.
    Status complete(Status status, std::string text = {}) {
        if (done_.exchange(true, std::memory_order_acq_rel)) return Status::state;
        wake_(status, text, false);
        return Status::ok;
    }
    /// Any thread, before complete: it cannot be stored for now and is tried again. The server refuses new QoS 1 and 2
    /// messages, subscriptions and sessions until some batch is committed.
    Status report(Status status, std::string text) {
        if (done_.load(std::memory_order_acquire)) return Status::state;
        wake_(status, text, true);
        return Status::ok;
    }
    /// Ends it without telling anybody. False when it was completed before.
    bool dismiss() { return !done_.exchange(true, std::memory_order_acq_rel); }
    bool completed() const { return done_.load(std::memory_order_acquire); }

private:
    std::shared_ptr<const List> list_;
    size_t footprint_;
    unsigned shard_;
    Wake wake_;
    std::atomic<bool> done_{false};
};

}  // namespace comqtt::hooks
