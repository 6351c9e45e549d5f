#pragma once
// The tables of the store as data: their columns, what each may hold, and how a row of it is told apart. All tools
// work from this list; a test compares it with schema.hpp.
//
// A *portable* row has no numbers that only one file knows: it names its session by client id and leaves out the
// session's own number and the count of references.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "storage/tools/value.hpp"

namespace comqtt::storage::tools {

enum class TableId : uint8_t {
    sessions,
    subscriptions,
    messages,
    queue,
    received,
    retained,
    blocked,
    counters
};
inline constexpr size_t kTableCount = 8;

enum class ColumnKind : uint8_t { integer, text, blob, session, own };  ///< own: not in a portable row

enum class ColumnRule : uint8_t {
    any,
    client_id,
    topic_name,
    topic_filter,
    share,        ///< a topic filter that begins `$share/`
    options,      ///< the options byte of SUBSCRIBE
    will,         ///< a PUBLISH packet
    properties,   ///< of a PUBLISH
    identifiers,  ///< subscription identifiers, 4 bytes each
};

struct Column {
    const char* name;
    ColumnKind kind;
    bool nullable = false;
    ColumnRule rule = ColumnRule::any;
    int64_t least = 0;  ///< of an integer
    int64_t most = INT64_MAX;
};

struct Table {
    TableId id;
    const char* name;    ///< in SQL
    const char* record;  ///< in an exported file, and for people
    std::span<const Column> columns;
    const char* key;  ///< SQL: the columns that an export is ordered by, client_id for the session
};

const Table& table_of(TableId id);
std::span<const Table> all_tables();

/// Positions in the portable rows.
namespace session_row {
enum {
    client_id,
    username,
    remote,
    listener,
    version,
    clean_start,
    expiry_interval,
    disconnected_ms,
    will,
    will_delay,
    will_due_ms
};
}
namespace subscription_row {
enum { session, filter, options, identifier };
}
namespace message_row {
enum { id, created_ms, expiry, flags, topic, payload, properties, origin };
}
namespace queue_row {
enum { session, position, message, packet_id, flags, size, expires_ms, identifiers, share };
}
namespace received_row {
enum { session, packet_id };
}
namespace retained_row {
enum { topic, created_ms, expiry, qos, payload, properties, origin };
}

inline constexpr int64_t kQosMask = 3;
inline constexpr int64_t kRetainFlag = 4;
inline constexpr int64_t kReleasedFlag = 8;

/// The columns of a portable row, in order.
std::span<const Column> portable_columns(const Table& table);

struct RowProblem {
    size_t column = 0;  ///< of the portable row; npos when it is about several
    std::string text;
    static constexpr size_t npos = static_cast<size_t>(-1);
};
/// What is wrong with a portable row by itself.
std::optional<RowProblem> find_problem(const Table& table, const Row& row);

/// For people: "queued message of 'client' at position 7".
std::string describe(const Table& table, const Row& row);

}  // namespace comqtt::storage::tools
