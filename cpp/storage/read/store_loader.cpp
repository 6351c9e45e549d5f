#include "storage/read/store_loader.hpp"

#include "storage/file/statements.hpp"
#include "storage/file/stored_columns.hpp"

namespace comqtt::storage {

namespace {

/// Calls fn(row) for each row until it answers an error.
template <typename F>
Result<void> each(Db& db, const char* sql, F&& fn) {
    auto rows = db.prepare(sql);
    if (!rows) return rows.take_error();
    while (rows->step())
        if (Result<void> taken = fn(*rows); !taken) return taken;
    if (rows->failed()) return db.error();
    return {};
}

/// Rows in the order of `session`, its first column, read along with the sessions.
class Along {
public:
    explicit Along(Prepared rows) : rows_(std::move(rows)) { next(); }

    /// Calls fn(row) for the rows of this session. Those of sessions before it belong to nobody.
    template <typename F>
    void take(int64_t session, F&& fn) {
        for (; more_ && rows_.number(0) <= session; next())
            if (rows_.number(0) == session) fn(rows_);
    }
    bool failed() const { return rows_.failed(); }

private:
    void next() { more_ = rows_.step(); }

    Prepared rows_;
    bool more_ = false;
};

}  // namespace

Result<void> load_ids(Db& db, SessionIds& sessions, int64_t& message_base) {
    auto done = each(db, "SELECT id, client_id FROM sessions", [&](const Prepared& row) -> Result<void> {
        sessions.restore(row.text(1), row.number(0));
        return {};
    });
    if (!done) return done;
    // Rows of ended sessions may be left.
    done = each(db,
                "SELECT max(session) FROM queue UNION ALL SELECT max(session) FROM subscriptions UNION ALL "
                "SELECT max(session) FROM received UNION ALL SELECT max(session) FROM removed",
                [&](const Prepared& row) -> Result<void> {
                    sessions.use_above(row.number(0));
                    return {};
                });
    if (!done) return done;
    auto base = db.number("SELECT max(id) FROM messages");
    if (!base) return base.take_error();
    message_base = *base;
    return {};
}

Result<void> load_clients(Db& db, hooks::StoredSink& sink) {
    Statements statements(db);
    Along sums(statements.make(COMQTT_SELECT_SUMS " GROUP BY session"));
    Along received(statements.make("SELECT session, packet_id FROM received ORDER BY session"));
    if (statements.error()) return *statements.error();
    auto done = each(db, COMQTT_SELECT_CLIENTS " ORDER BY id", [&](const Prepared& row) {
        const int64_t session = row.number(0);
        hooks::StoredClient record;
        read_client(row, record);
        sums.take(session, [&](const Prepared& sum) { read_sums(sum, record); });
        received.take(session, [&](const Prepared&) { ++record.inflight_messages; });
        return sink.add(std::move(record));
    });
    if (!done) return done;
    if (sums.failed() || received.failed()) return db.error();
    return each(db, "SELECT client_id FROM blocked",
                [&](const Prepared& row) { return sink.add_blocked(std::string(row.text(0))); });
}

Result<void> load_subscriptions(Db& db, hooks::StoredSink& sink) {
    return each(db,
                "SELECT s.client_id, u.filter, u.options, u.identifier FROM subscriptions u "
                "JOIN sessions s ON s.id = u.session",
                [&](const Prepared& row) {
                    hooks::StoredSubscription record;
                    record.client_id = row.text(0);
                    record.entry = entry_of(row.text(1), static_cast<uint8_t>(row.number(2)));
                    record.identifier = static_cast<uint32_t>(row.number(3));
                    return sink.add(std::move(record));
                });
}

Result<void> load_retained(Db& db, hooks::StoredSink& sink) {
    return each(db, "SELECT topic, created_ms, expiry, qos, payload, properties, origin FROM retained",
                [&](const Prepared& row) {
                    MessageColumns columns;
                    columns.topic = row.text(0);
                    columns.has_expiry = !row.is_null(2);
                    columns.expiry = static_cast<uint32_t>(row.number(2));
                    columns.payload = row.blob(4);
                    columns.properties = row.blob(5);
                    hooks::StoredMessage record;
                    record.packet = publish_of(columns);
                    record.packet.qos = static_cast<mqtt::QoS>(row.number(3) & 3);
                    record.packet.retain = true;
                    record.created_ms = row.number(1);
                    record.origin = row.text(6);
                    return sink.add(std::move(record));
                });
}

Result<void> load_counters(Db& db, MetricsSnapshot& out) {
    return each(db, "SELECT name, value FROM counters", [&](const Prepared& row) -> Result<void> {
        const std::string_view name = row.text(0);
#define COMQTT_LOAD_COUNTER(member, kind, help) \
    if (name == #member) out.member = row.number(1);
        COMQTT_METRICS(COMQTT_LOAD_COUNTER)
#undef COMQTT_LOAD_COUNTER
        return {};
    });
}

}  // namespace comqtt::storage
