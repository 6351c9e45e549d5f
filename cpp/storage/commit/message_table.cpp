#include "storage/commit/message_table.hpp"

#include <algorithm>

namespace comqtt::storage {

// A batch of another shard may refer to a message that is there already.
MessageTable::MessageTable(Statements& statements)
    : db_(statements.db()),
      insert_(statements.make(
          "INSERT INTO messages (id, refs, created_ms, expiry, flags, topic, payload, properties, "
          "origin) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
          "ON CONFLICT (id) DO UPDATE SET refs = refs + excluded.refs")),
      delete_(statements.make("DELETE FROM messages WHERE id = ?1 AND refs <= ?2")),
      update_(statements.make("UPDATE messages SET refs = refs - ?2 WHERE id = ?1")) {}

bool MessageTable::flush() {
    std::sort(sums_.begin(), sums_.end(), [](const Sum& a, const Sum& b) { return a.id < b.id; });
    for (auto at = sums_.begin(); at != sums_.end();) {
        Sum sum = *at;
        for (++at; at != sums_.end() && at->id == sum.id; ++at) {
            sum.refs += at->refs;
            if (at->message) sum.message = at->message;
        }
        if (!write(sum)) return false;
    }
    sums_.clear();
    return true;
}

bool MessageTable::write(const Sum& sum) {
    if (sum.refs == 0) return true;
    if (sum.refs < 0) {
        if (!delete_.bind(1, sum.id).bind(2, -sum.refs).run()) return false;
        return db_.changed() != 0 || update_.bind(1, sum.id).bind(2, -sum.refs).run();
    }
    const mqtt::Message& message = *sum.message;
    insert_.bind(1, sum.id).bind(2, sum.refs).bind(3, message.created_ms());
    if (message.has_expiry())
        insert_.bind(4, int64_t{message.expiry_interval()});
    else
        insert_.bind_null(4);
    insert_.bind(5, int64_t{message.qos()} | (message.retain() ? 4 : 0));
    insert_.bind(6, message.topic_name().text()).bind(7, message.payload());
    if (message.properties().empty())
        insert_.bind_null(8);
    else
        insert_.bind(8, message.properties());
    return insert_.bind(9, message.origin_id().text()).run();
}

}  // namespace comqtt::storage
