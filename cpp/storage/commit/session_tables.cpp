#include "storage/commit/session_tables.hpp"

#include <algorithm>

#include "storage/file/stored_rows.hpp"

namespace comqtt::storage {

namespace {

constexpr int64_t kAtOnce = 256;

}  // namespace

SessionTables::SessionTables(Statements& statements, QueueTable& queue)
    : db_(statements.db()),
      queue_(queue),
      save_(statements.make(
          "INSERT INTO sessions (id, client_id, username, remote, listener, version, clean_start, "
          "expiry_interval, disconnected_ms, will, will_delay, will_due_ms) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (id) DO UPDATE SET "
          "username = excluded.username, remote = excluded.remote, listener = excluded.listener, "
          "version = excluded.version, clean_start = excluded.clean_start, "
          "expiry_interval = excluded.expiry_interval, disconnected_ms = excluded.disconnected_ms, "
          "will = excluded.will, will_delay = excluded.will_delay, "
          "will_due_ms = excluded.will_due_ms")),
      delete_(statements.make("DELETE FROM sessions WHERE id = ?1")),
      save_subscription_(
          statements.make("INSERT OR REPLACE INTO subscriptions (session, filter, options, identifier) "
                          "VALUES (?1, ?2, ?3, ?4)")),
      delete_subscription_(statements.make("DELETE FROM subscriptions WHERE session = ?1 AND filter = ?2")),
      add_received_(statements.make("INSERT OR IGNORE INTO received (session, packet_id) VALUES (?1, ?2)")),
      delete_received_(statements.make("DELETE FROM received WHERE session = ?1 AND packet_id = ?2")),
      delete_subscriptions_(
          statements.make("DELETE FROM subscriptions WHERE session = ?1 AND filter IN "
                          "(SELECT filter FROM subscriptions WHERE session = ?1 LIMIT ?2)")),
      delete_receiveds_(statements.make("DELETE FROM received WHERE session = ?1 AND packet_id IN "
                                        "(SELECT packet_id FROM received WHERE session = ?1 LIMIT ?2)")),
      add_ended_(statements.make("INSERT OR IGNORE INTO removed (session) VALUES (?1)")),
      first_ended_(statements.make("SELECT session FROM removed ORDER BY session LIMIT 1")),
      delete_ended_(statements.make("DELETE FROM removed WHERE session = ?1")) {}

bool SessionTables::save(const Transaction::SessionRow& row) {
    const hooks::StoredClient& client = *row.client;
    save_.bind(1, row.id).bind(2, std::string_view(client.id)).bind(3, std::string_view(client.username));
    save_.bind(4, std::string_view(client.remote)).bind(5, std::string_view(client.listener));
    save_.bind(6, static_cast<int64_t>(client.version)).bind(7, int64_t{client.clean_start});
    save_.bind(8, int64_t{client.session_expiry_s}).bind(9, client.disconnected_at_ms);
    if (client.has_will && encode_will(client.will, will_))
        save_.bind(10, ByteView(will_));
    else
        save_.bind_null(10);
    const int64_t delay = client.will.properties.number(mqtt::PropertyId::will_delay_interval).value_or(0);
    return save_.bind(11, client.has_will ? delay : 0).bind(12, client.will_due_ms).run();
}

bool SessionTables::write(const Transaction::SubscriptionRow& row) {
    if (!row.saved) return delete_subscription_.bind(1, row.session).bind(2, row.filter).run();
    save_subscription_.bind(1, row.session).bind(2, row.filter);
    return save_subscription_.bind(3, int64_t{options_byte(row.saved->entry)})
        .bind(4, int64_t{row.saved->identifier})
        .run();
}

bool SessionTables::write(const Transaction::ReceivedRow& row) {
    Prepared& statement = row.added ? add_received_ : delete_received_;
    return statement.bind(1, row.session).bind(2, int64_t{row.packet_id}).run();
}

bool SessionTables::remove(int64_t session, int64_t& budget) {
    bool done = false;
    if (!delete_.bind(1, session).run() || !remove_rows(session, budget, done)) return false;
    return done || add_ended_.bind(1, session).run();
}

bool SessionTables::sweep(int64_t& budget, bool& done) {
    for (;;) {
        done = !first_ended_.step();
        const bool good = !first_ended_.failed();
        const int64_t session = done ? 0 : first_ended_.number(0);
        first_ended_.reset();
        if (!good) return false;
        if (done || budget <= 0) return true;
        bool all = false;
        if (!remove_rows(session, budget, all)) return false;
        if (all && !delete_ended_.bind(1, session).run()) return false;
    }
}

bool SessionTables::remove_rows(int64_t session, int64_t& budget, bool& done) {
    done = false;
    if (!queue_.remove_some(session, budget, done)) return false;
    if (!done) return true;
    if (!remove_some(db_, delete_subscriptions_, session, budget)) return false;
    if (budget > 0 && !remove_some(db_, delete_receiveds_, session, budget)) return false;
    done = budget > 0;
    return true;
}

bool SessionTables::remove_some(Db& db, Prepared& statement, int64_t session, int64_t& budget) {
    while (budget > 0) {
        const int64_t wanted = std::min(budget, kAtOnce);
        if (!statement.bind(1, session).bind(2, wanted).run()) return false;
        budget -= db.changed();
        if (db.changed() < wanted) break;
    }
    return true;
}

}  // namespace comqtt::storage
