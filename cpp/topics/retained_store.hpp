#pragma once
// Retained messages of one shard, ordered by topic so that a replay can stop after any message and go on
// later from the topic it reached, whatever was stored or removed meanwhile. One thread: its shard's.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/message.hpp"
#include "topics/retained_block.hpp"

namespace comqtt::topics {

class RetainedStore {
public:
    enum class Change : int { stored = 1, none = 0, removed = -1 };
    struct Outcome {
        Change change = Change::none;
        MessageRef previous;  ///< what was replaced or removed
    };

    /// Stores a message under its topic, replacing what was there; a newer stored one (by origin.clock, then node)
    /// wins over an older arrival. One without payload removes [MQTT-3.3.1-6] [MQTT-3.3.1-7].
    Outcome store(MessageRef message);
    Outcome remove(std::string_view topic_name);
    MessageRef find(std::string_view topic_name) const;

    /// Where a replay stands. Default = the beginning.
    struct Cursor {
        std::string last_topic;
        bool started = false;
        bool done = false;
    };
    /// What a scan may cost.
    struct Budget {
        size_t messages = 0;      ///< to be found
        size_t topics = 0;        ///< to be looked at
        size_t bytes = SIZE_MAX;  ///< footprints of those found; the last one may go beyond
        bool spent() const { return messages == 0 || topics == 0 || bytes == 0; }
    };
    /// Appends to `out` up to `limit` messages whose topic matches the (ordinary, valid) filter, in topic order,
    /// examining at most `work` topics (one at least), and moves the cursor. `cursor.done` when there are no more.
    /// What cannot match is leapt over: `a/+/c` looks at about two topics per child of `a`.
    /// `$`-topics are not matched by filters that begin with a wildcard.
    void scan(std::string_view topic_filter, Cursor& cursor, size_t limit, size_t work,
              std::vector<MessageRef>& out) const {
        Budget budget{limit, work ? work : 1};
        scan(topic_filter, cursor, budget, out);
    }
    /// The same; takes off the budget what it cost.
    void scan(std::string_view topic_filter, Cursor& cursor, Budget& budget,
              std::vector<MessageRef>& out) const;

    size_t count() const { return count_; }
    size_t bytes() const { return bytes_; }  ///< footprints of the messages
    void clear();

private:
    struct Place {
        size_t block = 0;
        size_t entry = 0;
    };

    bool at_end(Place place) const { return place.block == blocks_.size(); }
    const MessageRef& at(Place place) const { return blocks_[place.block][place.entry]; }
    Place settle(Place place) const;
    Place lower_bound(std::string_view topic) const;
    Place seek(Place from, std::string_view topic) const;
    bool holds(Place place, std::string_view topic) const;
    void insert(Place place, MessageRef message);
    MessageRef take(Place place);
    void join_small(size_t block);

    std::vector<RetainedBlock> blocks_;  ///< in order, none empty
    size_t count_ = 0;
    size_t bytes_ = 0;
};

}  // namespace comqtt::topics
