#pragma once
// Ledger: what one shard has to say to the stores. Owns the changes of the open round and the rounds that are not
// committed yet, with what waits for them. Stores answer by mail; nothing is called from below: what has ended is
// fetched with take_ended(). Lives as long as the shard, on its thread; calls hooks (the stores) and the outboxes.

#include <atomic>
#include <string>
#include <string_view>

#include "broker/here.hpp"
#include "broker/outboxes.hpp"
#include "broker/rounds.hpp"
#include "broker/session.hpp"
#include "hooks/changes.hpp"

namespace comqtt::broker {

class Ledger final {
public:
    using Kind = hooks::Change::Kind;

    Ledger(Here& here, Outboxes& outboxes) : here_(here), outboxes_(outboxes) {}
    Ledger(const Ledger&) = delete;
    Ledger& operator=(const Ledger&) = delete;

    /// Some hook keeps changes.
    bool storing() const { return here_.wants(EventId::store_changes); }

    // --- changes of the open round; nothing here ends a connection or keeps a view of what it is given
    hooks::Change& record(Kind kind, const Session* s);
    hooks::Change& record(Kind kind, Ref<hooks::Client> client);
    hooks::Change& record_text(Kind kind, const Session* s, std::string_view text);
    /// The client and its present state; what is connected has no time of disconnection.
    void save_session(const Session& s);
    /// All of a session that the stores do not know yet.
    void save_whole_session(Session& s);
    void save_subscription(const Session& s, const std::string& filter,
                           const topics::SubscriptionOptions& options);
    /// Gives the delivery its place in the session's stored order. `id` 0 = not sent.
    void save_message(const Session& s, session::Delivery& delivery, mqtt::PacketId id);
    /// A message of a hand-over log, whose client is no session's; its position there.
    uint64_t log_message(Ref<hooks::Client> log, mqtt::MessageRef message, uint8_t qos, bool retain,
                         std::string receiver);
    /// The delivery went into flight under this identifier.
    void note_sent(Session& s, mqtt::PacketId id);
    void forget_message(const Session& s, uint64_t position);
    void record_retained(const mqtt::MessageRef& message);
    /// Of the next message that is stored: positions grow.
    uint64_t take_position() { return next_position_++; }
    /// Positions below this one are taken.
    void use_above(uint64_t position) { next_position_ = std::max(next_position_, position + 1); }

    // --- what waits for the stores
    /// Grows with each thing that an acknowledgement of this round has to wait for.
    uint64_t vouched() const { return rounds_.vouched(); }
    void vouch() { rounds_.vouch(); }
    /// Acknowledgements of this round wait until the other shard has stored what it makes of its batch.
    void vouch_for(unsigned shard);
    /// A batch of that round went to a shard that has ended, and its clients with it.
    void lost(uint64_t round);
    /// One confirmation more than shards were handed something is awaited.
    void expect_one_more(uint64_t round);
    /// Another shard's round waits for this one; with `passed_on` for what this one handed on too.
    void confirm_later(Confirmation wanted, bool passed_on);
    void hold(Held held) { rounds_.hold(std::move(held)); }

    // --- rounds
    bool something_open() const { return rounds_.something_open(); }
    bool empty() const { return rounds_.empty(); }
    /// Hands the changes of this round to the stores. False when there was nothing to hand over or to wait for.
    bool close();
    /// By mail from a store. The first error is the round's.
    void answered(uint64_t number, Status status, const std::string& text);
    void failing(Status status, const std::string& text);
    /// By mail from another shard, which has stored what it was handed, or could not.
    void confirmed(uint64_t number, Status status, const std::string& text);
    /// The oldest round, when nothing keeps it open any more. Its held things are to be taken.
    bool take_ended(Round& out);
    bool take_held(uint64_t round, Held& out) { return rounds_.take_held(round, out); }
    /// All that has ended was taken: tells what others see of it.
    void settle();
    /// The open round of another shard, before threads run.
    void take_changes(Ledger& other) { rounds_.take_changes(other.rounds_); }

    // --- how full it is
    /// As much waits for the stores as may, here or, of what was handed over, elsewhere.
    bool backlog() const;
    /// Half of that.
    bool half_empty() const;
    /// The stores have not committed anything for a while besides: there is no point in waiting for room.
    bool stuck() const;
    /// The stores cannot commit, and more waits for them than may.
    bool overflows() const;
    /// Milliseconds since the oldest changes that are not committed were handed over. Any thread.
    int64_t uncommitted_since_ms() const { return uncommitted_since_ms_.load(std::memory_order_relaxed); }

private:
    void confirm(Round& round);

    Here& here_;
    Outboxes& outboxes_;
    Rounds rounds_;
    uint64_t next_position_ = 2;
    std::atomic<int64_t> uncommitted_since_ms_{INT64_MAX};
};

}  // namespace comqtt::broker
