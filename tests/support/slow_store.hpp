#pragma once
// SlowStore: a store in memory that commits when it is told to, and can stop committing. What it has committed is
// what a server would find after its end at any moment.

#include <deque>
#include <map>
#include <set>
#include <string>

#include "hooks/hook.hpp"

namespace support {

using namespace comqtt;

class SlowStore final : public hooks::Hook {
public:
    struct Queued {
        mqtt::MessageRef message;
        mqtt::PacketId packet_id = 0;
        uint8_t qos = 0;
        bool retain = false;
        bool released = false;
        std::vector<uint32_t> identifiers;
        std::string share;
    };
    struct Session {
        hooks::StoredClient client;
        std::map<std::string, hooks::StoredSubscription> subscriptions;
        std::map<uint64_t, Queued> queue;
        std::set<mqtt::PacketId> received;
    };

    std::string_view id() const override { return "slow-store"; }
    hooks::EventMask events() const override;
    Status store_changes(hooks::Event& event, hooks::Changes& changes) override;
    Status load_messages(hooks::Event& event, hooks::Load& load) override;
    Status stored_clients(hooks::Event& event, hooks::StoredSink& sink) override;
    Status stored_subscriptions(hooks::Event& event, hooks::StoredSink& sink) override;
    Status stored_retained_messages(hooks::Event& event, hooks::StoredSink& sink) override;

    /// Commits the oldest batch, or answers the oldest request. False when nothing waits, or it may not commit.
    bool work();
    void work_all() {
        while (work()) {
        }
    }
    size_t waiting() const { return waiting_.size(); }
    /// While it fails batches are only reported.
    void set_failing(bool failing);
    /// The oldest batch is not stored, for good.
    void refuse_one(Status status);

    bool at_once = false;  ///< stores everything in the callback
    std::map<std::string, Session> sessions;
    std::map<std::string, mqtt::MessageRef> retained;
    std::set<std::string> blocked;
    std::string fault;  ///< the first change that made no sense

private:
    struct Work {
        Ref<hooks::Changes> changes;  ///< or
        Ref<hooks::Load> load;
    };
    void apply(const hooks::Change& change);
    void apply_message(Session& session, const hooks::Change& change);
    void answer(hooks::Load& load);
    static hooks::StoredMessage record(const std::string& client, uint64_t position, const Queued& queued);
    void blame(std::string text) {
        if (fault.empty()) fault = std::move(text);
    }

    std::deque<Work> waiting_;
    bool failing_ = false;
};

}  // namespace support
