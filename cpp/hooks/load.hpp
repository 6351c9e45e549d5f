#pragma once
// Load: a shard asks the stores for one client's stored state. A store fills it in the callback, or answers PENDING,
// keeps a count, and fills and completes it from any thread. It sees all changes handed over before it.

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/ref.hpp"
#include "hooks/records.hpp"

namespace comqtt::hooks {

class Load final : public RefCounted<Load>, public StoredSink {
public:
    using Wake = std::function<void()>;
    struct Request {
        std::string client_id;
        bool session = false;         ///< load_session: the client record and subscriptions are wanted too
        uint64_t after = 0;           ///< 0 = what is in flight both ways, then the queue from its beginning;
                                      ///< otherwise queued messages with a greater position
        uint32_t max_messages = 256;  ///< queued ones to hand over at most
        uint64_t max_bytes = 0;       ///< footprints of those, the first may be larger
        unsigned shard = 0;           ///< which asks
    };
    Load(Request request, Wake wake) : request_(std::move(request)), wake_(std::move(wake)) {}
    /// Nobody answered: there is nothing.
    ~Load() { complete(Status::closed, "the store let go of the request"); }

    const Request& request() const { return request_; }

    // One thread at a time, until completed. Messages in ascending position.
    Result<void> add(StoredClient record) override;
    Result<void> add(StoredSubscription record) override;
    Result<void> add(StoredMessage record) override;
    Result<void> add_blocked(std::string client_id) override;

    /// Any thread, once. ok, not_found, or an error: the client is refused and may try again.
    Status complete(Status status, std::string text = {});
    bool completed() const { return done_.load(std::memory_order_acquire); }

    // The answer, for the shard; valid when completed.
    Status status() const { return status_; }
    const std::string& text() const { return text_; }
    std::optional<StoredClient> client;
    std::vector<StoredSubscription> subscriptions;
    std::vector<StoredMessage> messages;

private:
    Request request_;
    Wake wake_;
    std::atomic<bool> taken_{false};
    std::atomic<bool> done_{false};
    Status status_ = Status::closed;
    std::string text_;
};

}  // namespace comqtt::hooks
