#include "storage/tools/row_writer.hpp"

#include "storage/tools/row_rules.hpp"

namespace comqtt::storage::tools {

namespace {

Error bad(const Table& table, const Row& row, const std::string& text) {
    return {Status::invalid_argument, describe(table, row) + ": " + text};
}

std::string insert_sql(const Table& table) {
    std::string names;
    std::string marks;
    for (const Column& column : table.columns) {
        if (column.kind == ColumnKind::own && table.id == TableId::sessions) continue;
        names += (names.empty() ? "" : ", ") + std::string(column.name);
        marks += marks.empty() ? "" : ", ";
        marks += column.kind == ColumnKind::own ? "0" : "?";  // refs are counted at the end
    }
    const bool replaces =
        table.id == TableId::retained || table.id == TableId::blocked || table.id == TableId::counters;
    return std::string(replaces ? "INSERT OR REPLACE" : "INSERT") + " INTO " + table.name + " (" + names +
           ") VALUES (" + marks + ")";
}

// Ended sessions of which rows remain: their numbers are about to be given again.
constexpr const char* kForgetEnded = R"sql(
DELETE FROM subscriptions WHERE session IN (SELECT session FROM removed);
DELETE FROM queue WHERE session IN (SELECT session FROM removed);
DELETE FROM received WHERE session IN (SELECT session FROM removed);
DELETE FROM removed;
)sql";

constexpr const char* kCountReferences = R"sql(
CREATE TEMP TABLE held (message INTEGER PRIMARY KEY, refs INTEGER NOT NULL);
INSERT INTO temp.held SELECT message, count(*) FROM queue WHERE message IS NOT NULL GROUP BY message;
DELETE FROM messages WHERE id NOT IN (SELECT message FROM temp.held);
UPDATE messages SET refs = (SELECT held.refs FROM temp.held WHERE held.message = messages.id)
  WHERE refs <> (SELECT held.refs FROM temp.held WHERE held.message = messages.id);
DROP TABLE temp.held;
)sql";

constexpr const char* kFindSharedPacketId = R"sql(
SELECT s.client_id, q.packet_id FROM queue q JOIN sessions s ON s.id = q.session
 WHERE q.packet_id <> 0 GROUP BY q.session, q.packet_id HAVING count(*) > 1 LIMIT 1)sql";

}  // namespace

Result<RowWriter> RowWriter::begin(Db& db) {
    RowWriter writer(db);
    if (auto begun = db.run("BEGIN IMMEDIATE"); !begun) return begun.take_error();
    if (auto ended = db.run(kForgetEnded); !ended) return ended.take_error();
    if (auto prepared = writer.prepare(); !prepared) return prepared.take_error();
    return writer;
}

Result<void> RowWriter::prepare() {
    const auto make = [&](Statement& statement, const std::string& sql) -> Result<void> {
        auto made = Statement::make(*db_, sql);
        if (!made) return made.take_error();
        statement = made.take();
        return {};
    };
    for (const Table& table : all_tables())
        if (auto made = make(inserts_[static_cast<size_t>(table.id)], insert_sql(table)); !made) return made;
    if (auto made = make(find_session_, "SELECT id FROM sessions WHERE client_id = ?"); !made) return made;
    if (auto made = make(find_message_, "SELECT 1 FROM messages WHERE id = ?"); !made) return made;
    size_t next = 0;
    for (const char* sql :
         {"DELETE FROM subscriptions WHERE session = ?", "DELETE FROM queue WHERE session = ?",
          "DELETE FROM received WHERE session = ?", "DELETE FROM sessions WHERE id = ?"})
        if (auto made = make(removals_[next++], sql); !made) return made;
    const auto last = db_->number("SELECT coalesce(max(id), 0) FROM messages");
    if (!last) return last.error();
    first_message_ = *last;
    return {};
}

Result<void> RowWriter::replace_session(const std::string& client_id) {
    find_session_.bind(1, std::string_view(client_id));
    const auto found = find_session_.step();
    const int64_t id = found && *found ? find_session_.number(0) : 0;
    find_session_.reset();
    if (!found) return found.error();
    if (!*found) return {};
    ++replaced_;
    for (Statement& removal : removals_)
        if (auto removed = removal.bind(1, id).run(); !removed) return removed;
    return {};
}

Result<int64_t> RowWriter::session_of(const Row& row) const {
    const auto found = sessions_.find(row[0].bytes);
    if (found == sessions_.end()) return Error{Status::invalid_argument, "there is no such session"};
    return found->second;
}

Result<bool> RowWriter::has_message(int64_t id) {
    auto found = find_message_.bind(1, id).step();
    find_message_.reset();
    return found;
}

Result<void> RowWriter::insert(TableId id, const Row& row) {
    const Table& table = table_of(id);
    Row stored = row;
    if (table.columns[0].kind == ColumnKind::session) {
        const auto session = session_of(row);
        if (!session) return bad(table, row, session.error().message);
        stored[0] = Value::integer(*session);
    }
    Value* message = id == TableId::messages ? &stored[message_row::id] : nullptr;
    if (id == TableId::queue && !row[queue_row::message].is_null()) message = &stored[queue_row::message];
    if (message) {
        if (message->number > INT64_MAX - first_message_)
            return bad(table, row, "the number of the message is too large");
        message->number += first_message_;
        if (id == TableId::queue) {
            const auto known = has_message(message->number);
            if (!known) return known.error();
            if (!*known)
                return bad(table, row,
                           "there is no message " + std::to_string(message->number - first_message_));
        }
    }
    Statement& statement = inserts_[static_cast<size_t>(id)];
    for (size_t i = 0; i < stored.size(); ++i) statement.bind(static_cast<int>(i + 1), stored[i]);
    auto done = statement.run();
    if (!done && done.error().status == Status::exists) return bad(table, row, "is there twice");
    return done;
}

Result<void> RowWriter::add(TableId id, const Row& row) {
    const Table& table = table_of(id);
    if (const auto problem = find_problem(table, row)) return bad(table, row, problem->text);
    if (id == TableId::sessions) {
        const std::string& client_id = row[session_row::client_id].bytes;
        if (sessions_.contains(client_id)) return bad(table, row, "is there twice");
        if (auto replaced = replace_session(client_id); !replaced) return replaced;
    }
    if (auto inserted = insert(id, row); !inserted) return inserted;
    if (id == TableId::sessions)
        sessions_.emplace(row[session_row::client_id].bytes, sqlite3_last_insert_rowid(db_->handle()));
    ++counts_[static_cast<size_t>(id)];
    return {};
}

Result<void> RowWriter::finish() {
    auto shared = Statement::make(*db_, kFindSharedPacketId);
    if (!shared) return shared.take_error();
    const auto found = shared->step();
    if (!found) return found.error();
    if (*found)
        return Error{Status::invalid_argument, "two messages of '" + printable(shared->text(0)) +
                                                   "' have packet identifier " +
                                                   std::to_string(shared->number(1))};
    shared->reset();
    if (auto counted = db_->run(kCountReferences); !counted) return counted;
    return db_->run("COMMIT");
}

}  // namespace comqtt::storage::tools
