#include "storage/commit/queue_table.hpp"

#include "base/bytes.hpp"

namespace comqtt::storage {

namespace {

constexpr size_t kKnown = 1 << 16;  ///< a power of two; 1.5 MiB
constexpr int kReleased = 8;        ///< in `flags`
constexpr int64_t kPage = 4096;

}  // namespace

QueueTable::QueueTable(Statements& statements, MessageTable& messages, int64_t base)
    : db_(statements.db()),
      messages_(messages),
      base_(base),
      insert_(
          statements.make("INSERT OR IGNORE INTO queue (session, position, message, packet_id, flags, size, "
                          "expires_ms, identifiers, share) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")),
      sent_(statements.make("UPDATE queue SET packet_id = ?3 WHERE session = ?1 AND position = ?2")),
      released_(statements.make("UPDATE queue SET message = NULL, flags = flags | 8 "
                                "WHERE session = ?1 AND position = ?2")),
      message_(statements.make("SELECT message FROM queue WHERE session = ?1 AND position = ?2")),
      delete_(statements.make("DELETE FROM queue WHERE session = ?1 AND position = ?2")),
      first_(
          statements.make("SELECT position, message, size FROM queue WHERE session = ?1 ORDER BY position")),
      delete_to_(statements.make("DELETE FROM queue WHERE session = ?1 AND position <= ?2")),
      known_(kKnown) {}

void QueueTable::forget() { known_.assign(kKnown, {}); }

QueueTable::Known& QueueTable::known(int64_t session, int64_t position) {
    const auto mixed =
        static_cast<uint64_t>(position) ^ (static_cast<uint64_t>(session) * 0x9E3779B97F4A7C15u >> 40);
    return known_[mixed & (kKnown - 1)];
}

bool QueueTable::message_of(int64_t session, int64_t position, int64_t& message) {
    Known& at = known(session, position);
    if (at.session == session && at.position == position) {
        message = at.message;
        at = {};
        return true;
    }
    message_.bind(1, session).bind(2, position);
    message = message_.step() ? message_.number(0) : 0;
    const bool good = !message_.failed();
    message_.reset();
    return good;
}

bool QueueTable::write(const Transaction::QueueRow& row) {
    switch (row.act) {
        case Transaction::QueueRow::Act::insert: return insert(row);
        case Transaction::QueueRow::Act::update: return update(row);
        default: return remove(row);
    }
}

bool QueueTable::insert(const Transaction::QueueRow& row) {
    const hooks::Change& change = *row.queued;
    const mqtt::Message& message = *change.message;
    const int64_t id = base_ + static_cast<int64_t>(change.message_key);
    const int64_t expires_ms = message.expires_unix_ms();
    insert_.bind(1, row.session).bind(2, row.position);
    row.released ? insert_.bind_null(3) : insert_.bind(3, id);
    insert_.bind(4, int64_t{row.packet_id});
    insert_.bind(5, int64_t{change.qos} | (change.retain ? 4 : 0) | (row.released ? kReleased : 0));
    insert_.bind(6, static_cast<int64_t>(message.footprint()));
    insert_.bind(7, expires_ms == INT64_MAX ? 0 : expires_ms);
    const hooks::Change::Details* details = change.details.get();
    if (details && !details->identifiers.empty()) {
        identifiers_.clear();
        ByteWriter writer(identifiers_);
        for (const uint32_t identifier : details->identifiers) writer.u32(identifier);
        insert_.bind(8, ByteView(identifiers_));
    } else {
        insert_.bind_null(8);
    }
    details && !details->text.empty() ? insert_.bind(9, std::string_view(details->text))
                                      : insert_.bind_null(9);
    if (!insert_.run()) return false;
    if (db_.changed() == 0 || row.released) return true;
    messages_.add(id, message);
    known(row.session, row.position) = {row.session, row.position, id};
    return true;
}

bool QueueTable::update(const Transaction::QueueRow& row) {
    if (row.packet_id &&
        !sent_.bind(1, row.session).bind(2, row.position).bind(3, int64_t{row.packet_id}).run())
        return false;
    if (!row.released) return true;
    int64_t message = 0;
    if (!message_of(row.session, row.position, message)) return false;
    if (!message) return true;
    messages_.drop(message);
    return released_.bind(1, row.session).bind(2, row.position).run();
}

bool QueueTable::remove(const Transaction::QueueRow& row) {
    int64_t message = 0;
    if (!message_of(row.session, row.position, message)) return false;
    if (!delete_.bind(1, row.session).bind(2, row.position).run()) return false;
    if (message && db_.changed()) messages_.drop(message);
    return true;
}

bool QueueTable::remove_some(int64_t session, int64_t& budget, bool& done) {
    int64_t last = 0;
    bool any = false;
    first_.bind(1, session);
    while (budget > 0 && first_.step()) {
        any = true;
        last = first_.number(0);
        budget -= 1 + first_.number(2) / kPage;
        if (const int64_t message = first_.number(1)) messages_.drop(message);
    }
    const bool good = !first_.failed();
    done = good && budget > 0;
    first_.reset();
    return good && (!any || delete_to_.bind(1, session).bind(2, last).run());
}

}  // namespace comqtt::storage
