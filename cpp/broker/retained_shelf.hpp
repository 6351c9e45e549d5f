#pragma once
// RetainedShelf: the retained messages of the topics that belong to one shard, and when they expire. Keeps the counts
// that all shards see. Lives as long as the shard, on its thread; calls the timers and nothing of the shard.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/here.hpp"
#include "broker/timers.hpp"
#include "topics/retained_store.hpp"

namespace comqtt::broker {

class RetainedShelf final {
public:
    RetainedShelf(const Here& here, Timers& timers) : here_(here), timers_(timers) {}
    RetainedShelf(const RetainedShelf&) = delete;
    RetainedShelf& operator=(const RetainedShelf&) = delete;

    mqtt::MessageRef find(std::string_view topic) const { return store_.find(topic); }
    bool has(std::string_view topic) const { return static_cast<bool>(store_.find(topic)); }
    /// To be scanned for replays.
    const topics::RetainedStore& store() const { return store_; }

    /// Keeps the message, unless a newer one of its topic is there; one without payload removes. Costs the logarithm of
    /// their number.
    void put(mqtt::MessageRef message);
    /// False when there was none.
    bool remove(std::string_view topic);

    /// Whether a deadline of kind `retained` still stands.
    bool is_due(int64_t deadline_ms) const { return deadline_ms_ == deadline_ms; }
    /// The next topic whose message has expired; it is still there. Looks at `left` entries at most and takes them off.
    bool next_expired(std::string& topic, size_t& left);
    /// After the last next_expired() of a round: sets the next deadline.
    void plan();

private:
    void counted(std::string_view topic, size_t count_before, size_t bytes_before);
    void forget_old_times();

    const Here& here_;
    Timers& timers_;
    topics::RetainedStore store_;
    std::vector<std::pair<int64_t, std::string>> expiry_;  ///< heap: due ms, topic
    int64_t deadline_ms_ = INT64_MAX;
};

}  // namespace comqtt::broker
