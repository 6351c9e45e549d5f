#include "storage/tools/scan.hpp"

namespace comqtt::storage::tools {

namespace {

constexpr const char* kQueuedOnly =
    " WHERE t.id IN (SELECT q.message FROM queue q JOIN sessions s ON s.id = q.session)";

std::string select_sql(const Table& table, Messages messages) {
    const bool has_session = table.columns[0].kind == ColumnKind::session;
    const bool queued_only = table.id == TableId::messages && messages == Messages::queued;
    std::string names;
    for (const Column& column : portable_columns(table)) {
        names += names.empty() ? "" : ", ";
        names += column.kind == ColumnKind::session ? "s.client_id" : std::string("t.") + column.name;
    }
    return "SELECT " + names + " FROM " + table.name + " t" +
           (has_session ? " JOIN sessions s ON s.id = t.session" : "") + (queued_only ? kQueuedOnly : "") +
           " ORDER BY " + table.key;
}

}  // namespace

Result<void> scan_table(Db& db, const Table& table, Messages messages,
                        const std::function<bool(const Row&)>& row) {
    auto statement = Statement::make(db, select_sql(table, messages));
    if (!statement) return statement.take_error();
    for (;;) {
        const auto more = statement->step();
        if (!more) return more.error();
        if (!*more || !row(statement->row())) return {};
    }
}

}  // namespace comqtt::storage::tools
