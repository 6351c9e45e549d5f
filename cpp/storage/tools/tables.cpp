#include "storage/tools/tables.hpp"

#include <array>

#include "mqtt/types.hpp"
#include "storage/tools/row_rules.hpp"

namespace comqtt::storage::tools {

namespace {

using Kind = ColumnKind;
using Rule = ColumnRule;
constexpr int64_t kU16 = 0xFFFF;
constexpr int64_t kU32 = 0xFFFFFFFF;

constexpr Column kSessions[] = {
    {"id", Kind::own},
    {"client_id", Kind::text, false, Rule::client_id},
    {"username", Kind::text},
    {"remote", Kind::text},
    {"listener", Kind::text},
    {"version", Kind::integer, false, Rule::any, 3, 5},
    {"clean_start", Kind::integer, false, Rule::any, 0, 1},
    {"expiry_interval", Kind::integer, false, Rule::any, 0, kU32},
    {"disconnected_ms", Kind::integer},
    {"will", Kind::blob, true, Rule::will},
    {"will_delay", Kind::integer, false, Rule::any, 0, kU32},
    {"will_due_ms", Kind::integer},
};
constexpr Column kSubscriptions[] = {
    {"session", Kind::session},
    {"filter", Kind::text, false, Rule::topic_filter},
    {"options", Kind::integer, false, Rule::options},
    {"identifier", Kind::integer, false, Rule::any, 0, mqtt::kMaxRemainingLength},
};
constexpr Column kMessages[] = {
    {"id", Kind::integer, false, Rule::any, 1},
    {"refs", Kind::own},
    {"created_ms", Kind::integer},
    {"expiry", Kind::integer, true, Rule::any, 0, kU32},
    {"flags", Kind::integer, false, Rule::any, 0, kQosMask | kRetainFlag},
    {"topic", Kind::text, false, Rule::topic_name},
    {"payload", Kind::blob},
    {"properties", Kind::blob, true, Rule::properties},
    {"origin", Kind::text},
};
constexpr Column kQueue[] = {
    {"session", Kind::session},
    {"position", Kind::integer, false, Rule::any, 1},
    {"message", Kind::integer, true, Rule::any, 1},
    {"packet_id", Kind::integer, false, Rule::any, 0, kU16},
    {"flags", Kind::integer, false, Rule::any, 0, kQosMask | kRetainFlag | kReleasedFlag},
    {"size", Kind::integer},
    {"expires_ms", Kind::integer},
    {"identifiers", Kind::blob, true, Rule::identifiers},
    {"share", Kind::text, true, Rule::share},
};
constexpr Column kReceived[] = {
    {"session", Kind::session},
    {"packet_id", Kind::integer, false, Rule::any, 1, kU16},
};
constexpr Column kRetained[] = {
    {"topic", Kind::text, false, Rule::topic_name},
    {"created_ms", Kind::integer},
    {"expiry", Kind::integer, true, Rule::any, 0, kU32},
    {"qos", Kind::integer, false, Rule::any, 0, 2},
    {"payload", Kind::blob},
    {"properties", Kind::blob, true, Rule::properties},
    {"origin", Kind::text},
};
constexpr Column kBlocked[] = {{"client_id", Kind::text, false, Rule::client_id}};
constexpr Column kCounters[] = {
    {"name", Kind::text},
    {"value", Kind::integer, false, Rule::any, INT64_MIN},
};

// In the order in which a store is filled: a session before what it has, a message before the queues.
constexpr std::array<Table, kTableCount> kTables = {{
    {TableId::sessions, "sessions", "session", kSessions, "client_id"},
    {TableId::subscriptions, "subscriptions", "subscription", kSubscriptions, "client_id, filter"},
    {TableId::messages, "messages", "message", kMessages, "id"},
    {TableId::queue, "queue", "queued", kQueue, "client_id, position"},
    {TableId::received, "received", "received", kReceived, "client_id, packet_id"},
    {TableId::retained, "retained", "retained", kRetained, "topic"},
    {TableId::blocked, "blocked", "blocked", kBlocked, "client_id"},
    {TableId::counters, "counters", "counter", kCounters, "name"},
}};

std::vector<Column> without_own(std::span<const Column> columns) {
    std::vector<Column> kept;
    for (const Column& column : columns)
        if (column.kind != Kind::own) kept.push_back(column);
    return kept;
}

bool has_type(const Column& column, const Value& value) {
    switch (column.kind) {
        case Kind::integer:
        case Kind::own: return value.type == Value::Type::integer;
        case Kind::text:
        case Kind::session: return value.type == Value::Type::text;
        case Kind::blob: return value.type == Value::Type::blob;
    }
    return false;
}

std::string find_problem(const Column& column, const Value& value) {
    if (value.is_null()) return column.nullable ? "" : "is missing";
    if (!has_type(column, value)) return "is of the wrong type";
    if (column.kind == Kind::integer && (value.number < column.least || value.number > column.most))
        return "is out of range: " + std::to_string(value.number);
    return broken_rule(column.kind == Kind::session ? Rule::client_id : column.rule, value);
}

/// What two columns say together.
std::string find_contradiction(const Table& table, const Row& row) {
    if (table.id == TableId::messages && (row[message_row::flags].number & kQosMask) == 3) return "QoS 3";
    if (table.id != TableId::queue) return {};
    const int64_t flags = row[queue_row::flags].number;
    const bool released = flags & kReleasedFlag;
    const bool sent = row[queue_row::packet_id].number != 0;
    if ((flags & kQosMask) == 3) return "QoS 3";
    if (sent && (flags & kQosMask) == 0) return "QoS 0 with a packet identifier";
    if (released && !sent) return "released, without a packet identifier";
    if (!released && row[queue_row::message].is_null()) return "without a message";
    return {};
}

}  // namespace

const Table& table_of(TableId id) { return kTables[static_cast<size_t>(id)]; }
std::span<const Table> all_tables() { return kTables; }

std::span<const Column> portable_columns(const Table& table) {
    static const std::vector<Column> sessions = without_own(kSessions);
    static const std::vector<Column> messages = without_own(kMessages);
    if (table.id == TableId::sessions) return sessions;
    if (table.id == TableId::messages) return messages;
    return table.columns;
}

std::optional<RowProblem> find_problem(const Table& table, const Row& row) {
    const std::span<const Column> columns = portable_columns(table);
    if (row.size() != columns.size()) return RowProblem{RowProblem::npos, "wrong number of columns"};
    for (size_t i = 0; i < columns.size(); ++i) {
        const std::string text = find_problem(columns[i], row[i]);
        if (!text.empty()) return RowProblem{i, std::string(columns[i].name) + " " + text};
    }
    const std::string text = find_contradiction(table, row);
    if (!text.empty()) return RowProblem{RowProblem::npos, text};
    return std::nullopt;
}

std::string describe(const Table& table, const Row& row) {
    const auto text = [&](size_t column) {
        return column < row.size() ? "'" + printable(row[column].bytes) + "'" : std::string("?");
    };
    const auto number = [&](size_t column) {
        return column < row.size() ? std::to_string(row[column].number) : std::string("?");
    };
    switch (table.id) {
        case TableId::sessions: return "session of " + text(0);
        case TableId::subscriptions: return "subscription of " + text(0) + " to " + text(1);
        case TableId::messages: return "message " + number(0);
        case TableId::queue: return "queued message of " + text(0) + " at position " + number(1);
        case TableId::received: return "received packet identifier " + number(1) + " of " + text(0);
        case TableId::retained: return "retained message of " + text(0);
        case TableId::blocked: return "blocked client " + text(0);
        case TableId::counters: return "counter " + text(0);
    }
    return table.name;
}

}  // namespace comqtt::storage::tools
