#pragma once
// Replays: the retained messages of new subscriptions on their way to the clients of one shard. Pending ones are kept by
// session and, there, by the shard whose store is read next; for each of these there is a queue of sessions that can go
// on. So each step costs what it does, however many are pending: nothing is looked through. A session has at most one
// replay for each of its subscriptions. The shard's thread.

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.hpp"
#include "topics/retained_store.hpp"
#include "topics/subscription_index.hpp"

namespace comqtt::broker {

/// The retained messages of one subscription, a piece at a time.
struct Replay {
    std::string topic_filter;
    topics::SubscriptionOptions options;
    topics::RetainedStore::Cursor cursor;  ///< in the store that is being read
    uint64_t number = 0;                   ///< in the order they began, in their shard
    uint64_t stores = 0;                   ///< bit n: the store of shard n has not been read to its end
    unsigned store = 0;                    ///< the one that is being read
    uint64_t after_mail = 0;  ///< own store: it is read when so many batches of the mailbox have been
    bool asked = false;       ///< another shard looks for the next piece
};

/// What a session has pending. Exists while it has something.
class SessionReplays {
public:
    explicit SessionReplays(size_t shards) : todo_(shards) {}
    SessionReplays(const SessionReplays&) = delete;
    SessionReplays& operator=(const SessionReplays&) = delete;

    size_t count() const { return by_filter_.size(); }
    /// A message of this topic was sent live: retained ones that are on their way are older.
    void note_live(uint64_t topic_hash, uint64_t next_number) {
        if (live_.size() < kLiveNoted || live_.count(topic_hash)) live_[topic_hash] = next_number;
    }
    /// A newer message of the topic went out since the replay began [MQTT-4.6.0-5].
    bool overtaken(uint64_t topic_hash, uint64_t number) const {
        if (live_.empty()) return false;
        const auto at = live_.find(topic_hash);
        return at != live_.end() && number < at->second;
    }

private:
    friend class Replays;
    using List = std::list<Replay>;
    static constexpr size_t kLiveNoted = 65'536;

    std::vector<List> todo_;  ///< by the shard whose store is read next
    List asked_;
    std::unordered_map<std::string_view, List::iterator, TextHash> by_filter_;
    std::unordered_map<uint64_t, uint64_t> live_;  ///< topic -> the replays below this number are older
    uint64_t listed_ = 0;                          ///< bit n: stands in the queue of shard n
};

/// One replay's question to another shard, and the answer.
struct ReplayAsk {
    uint64_t session = 0;
    uint64_t number = 0;
    std::string topic_filter;
    topics::RetainedStore::Cursor cursor;
    std::vector<mqtt::MessageRef> found;
    bool answered = false;  ///< else there was no time for it
};

class Replays {
public:
    using Holder = std::unique_ptr<SessionReplays>;  ///< of one session; null = nothing pending

    explicit Replays(size_t shards) : queues_(shards), waiting_(shards) {}

    uint64_t take_number() { return next_number_++; }
    uint64_t next_number() const { return next_number_; }
    /// Adds one with `stores` and `number` set. There is none for its filter.
    void add(uint64_t session, Holder& of, Replay replay);
    /// The one for this filter does not go on; false when there is none.
    bool stop(Holder& of, std::string_view topic_filter);
    /// None of the session goes on. Its memory goes by and by.
    void stop_all(Holder& of);
    /// The session can take more: it is served in turn.
    void wake(uint64_t session, SessionReplays& of);

    /// The next session that has something to be read from this shard's store. It leaves the queue.
    bool next_session(unsigned store, uint64_t& session);
    size_t queued(unsigned store) const { return queues_[store].size(); }
    /// The session next_session() gave has had its turn: `of` is taken out of the queue, not asked what it waits for.
    static void leave_queue(SessionReplays& of, unsigned store) { of.listed_ &= ~(uint64_t{1} << store); }
    /// The next of the session's replays to be read there; null when there is none.
    static Replay* front(SessionReplays& of, unsigned store) {
        return of.todo_[store].empty() ? nullptr : &of.todo_[store].front();
    }
    /// The front one was read up to its cursor: it goes behind the others, to the next store, or is done.
    void advance_front(uint64_t session, Holder& of, unsigned store);
    /// Turns the front one into a question to that shard.
    static ReplayAsk ask_front(uint64_t session, SessionReplays& of, unsigned store);
    /// The replay that an answer is for; null when it was stopped meanwhile.
    static Replay* find(SessionReplays& of, const ReplayAsk& ask);
    /// An answer was delivered (or there was none): the replay goes on from its cursor.
    void answered(uint64_t session, Holder& of, ReplayAsk& ask);

    /// Whether this shard has been asked and has not answered: one request at a time.
    bool waiting(unsigned store) const { return waiting_[store]; }
    void set_waiting(unsigned store, bool waits) { waiting_[store] = waits; }

    /// Something can be done now, without an answer or another event.
    bool busy() const;
    /// Gives back the memory of some that were stopped.
    void free_some();
    size_t count() const { return count_; }

private:
    void enlist(uint64_t session, SessionReplays& of, unsigned store);
    void forget_if_empty(Holder& of);
    /// Puts a replay that is in `from` where it goes on.
    void move_on(uint64_t session, Holder& of, SessionReplays::List& from,
                 SessionReplays::List::iterator replay);

    static constexpr size_t kFreedPerRound = 512;

    std::vector<std::deque<uint64_t>> queues_;  ///< sessions, by the shard whose store they want to read
    std::vector<bool> waiting_;
    std::deque<Holder> stopped_;
    uint64_t next_number_ = 1;
    size_t count_ = 0;
};

}  // namespace comqtt::broker
