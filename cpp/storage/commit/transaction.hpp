#pragma once
// Transaction: what a run of batches comes to, each row once. A message that was queued and removed in it, a QoS 2
// identifier that came and went, all but the last of several states of one thing leave no trace. Made by the writer
// thread from batches that outlive it; can be applied several times, until one attempt succeeds.

#include <cstdint>
#include <string_view>
#include <vector>

#include "hooks/changes.hpp"
#include "storage/commit/session_ids.hpp"

namespace comqtt::storage {

class Transaction {
public:
    using Change = hooks::Change;

    struct SessionRow {
        int64_t id;
        const hooks::StoredClient* client;
    };
    struct SubscriptionRow {
        int64_t session;
        std::string_view filter;
        const hooks::StoredSubscription* saved;  ///< null = removed
    };
    struct QueueRow {
        enum class Act : uint8_t { insert, update, remove };
        int64_t session;
        int64_t position;
        const Change* queued;      ///< insert
        mqtt::PacketId packet_id;  ///< 0 = as it was
        bool released;
        Act act;
    };
    struct ReceivedRow {
        int64_t session;
        mqtt::PacketId packet_id;
        bool added;
    };
    struct RetainedRow {
        std::string_view topic;
        const mqtt::Message* message;  ///< null = removed
    };
    struct BlockedRow {
        std::string_view client_id;
        bool blocked;
    };

    explicit Transaction(SessionIds& ids) : sessions_(ids) {}

    void clear();
    /// In order. What is borrowed must live until clear().
    void add(const hooks::Changes::List& changes);
    /// After the last batch.
    void finish();

    size_t changes() const { return changes_; }
    /// Changes of sessions that are not stored, and others that make no sense.
    size_t ignored() const { return ignored_; }
    bool empty() const {
        return removed.empty() && sessions.empty() && subscriptions.empty() && queue.empty() &&
               received.empty() && retained.empty() && blocked.empty();
    }

    // Rows in the order of their keys, after finish().
    std::vector<int64_t>
        removed;  ///< sessions that were stored before; ends before those of `sessions` begin
    std::vector<SessionRow> sessions;
    std::vector<SubscriptionRow> subscriptions;
    std::vector<QueueRow> queue;
    std::vector<ReceivedRow> received;
    std::vector<RetainedRow> retained;
    std::vector<BlockedRow> blocked;

private:
    /// One change of a row that has (session, key).
    struct Step {
        int64_t session;
        uint64_t key;
        uint32_t order;
        const Change* change;
    };
    /// One change of a row that has text in its key.
    struct TextStep {
        int64_t session;  ///< 0 for retained messages and blocked clients
        std::string_view key;
        uint32_t order;
        const Change* change;
    };

    void add(const Change& change);
    void save_session(const Change& change);
    void remove_session(const Change& change);
    int64_t session_of(const Change& change);
    void step(std::vector<Step>& steps, const Change& change, uint64_t key);
    void step(std::vector<TextStep>& steps, const Change& change, int64_t session, std::string_view key);
    bool ended(int64_t session) const;
    void finish_sessions();
    void finish_messages();
    void finish_received();
    void finish_texts();

    SessionIds& sessions_;
    size_t changes_ = 0;
    size_t ignored_ = 0;
    int64_t first_new_ = 0;  ///< sessions from this id on began in this transaction
    const hooks::Client* last_client_ = nullptr;
    int64_t last_session_ = 0;
    std::vector<int64_t> ended_;  ///< in order, after finish_sessions
    std::vector<Step> message_steps_;
    std::vector<Step> received_steps_;
    std::vector<TextStep> subscription_steps_;
    std::vector<TextStep> retained_steps_;
    std::vector<TextStep> blocked_steps_;
};

}  // namespace comqtt::storage
