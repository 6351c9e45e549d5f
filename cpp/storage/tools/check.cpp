#include "storage/tools/files.hpp"
#include "storage/tools/open_store.hpp"
#include "storage/tools/row_rules.hpp"
#include "storage/tools/scan.hpp"
#include "storage/tools/tools.hpp"

namespace comqtt::storage::tools {

namespace {

constexpr int64_t kProblemsShown = 1000;

/// One check of how rows fit together: SQL that finds what is wrong, and a line made of its columns, `?` by `?`.
struct Invariant {
    const char* sql;
    const char* text;
};

constexpr const char* kOwner =
    "coalesce((SELECT client_id FROM sessions s WHERE s.id = t.session), t.session)";

// Ended sessions may have rows left, which the broker is about to delete.
constexpr const char* kKnownSessions = "(SELECT id FROM sessions UNION SELECT session FROM removed)";

// %owner stands for the client of a row, or the session's number; %sessions for those that may have rows.
constexpr Invariant kInvariants[] = {
    {"SELECT session, count(*) FROM queue WHERE session NOT IN %sessions GROUP BY session",
     "session ? does not exist and has ? queued messages"},
    {"SELECT session, count(*) FROM subscriptions WHERE session NOT IN %sessions GROUP BY "
     "session",
     "session ? does not exist and has ? subscriptions"},
    {"SELECT session, count(*) FROM received WHERE session NOT IN %sessions GROUP BY session",
     "session ? does not exist and has ? received packet identifiers"},
    {"SELECT r.session, s.client_id FROM removed r JOIN sessions s ON s.id = r.session",
     "session ? of '?' has ended and is there"},
    {"SELECT %owner, t.position, t.message FROM queue t WHERE t.message IS NOT NULL AND "
     "t.message NOT IN (SELECT id FROM messages)",
     "queued message of '?' at position ?: there is no message ?"},
    {"SELECT %owner, t.packet_id, count(*) FROM queue t WHERE t.packet_id <> 0 "
     "GROUP BY t.session, t.packet_id HAVING count(*) > 1",
     "session of '?': packet identifier ? is used by ? messages"},
    {"SELECT m.id, m.refs, coalesce(c.n, 0) FROM messages m LEFT JOIN (SELECT message, count(*) AS n FROM "
     "queue "
     "WHERE message IS NOT NULL GROUP BY message) c ON c.message = m.id WHERE m.refs <> coalesce(c.n, 0) OR "
     "m.refs = 0",
     "message ?: refs is ?, it is queued ? times"},
};

class Checker {
public:
    Checker(Db& db, const ReportLine& line) : db_(db), line_(line) {}

    void problem(const std::string& text) {
        if (++problems_ <= kProblemsShown) line_("problem: " + text);
        if (problems_ == kProblemsShown) line_("problem: more are counted, not shown");
    }
    int64_t problems() const { return problems_; }

    void check_pages();
    void check_rows();
    void check_invariants();
    void print_counts(const std::string& path);

private:
    void check_invariant(const Invariant& invariant);

    Db& db_;
    const ReportLine& line_;
    int64_t problems_ = 0;
};

void Checker::check_pages() {
    auto statement = Statement::make(db_, "PRAGMA integrity_check(1000)");
    if (!statement) return problem("integrity check: " + statement.error().message);
    for (;;) {
        const auto more = statement->step();
        if (!more) return problem("integrity check: " + more.error().message);
        if (!*more) return;
        const std::string text = statement->text(0);
        for (size_t at = 0; at < text.size();) {
            const size_t end = std::min(text.find('\n', at), text.size());
            const std::string line = text.substr(at, end - at);
            if (line != "ok") problem("database: " + printable(line));
            at = end + 1;
        }
    }
}

void Checker::check_rows() {
    for (const Table& table : all_tables()) {
        const auto scanned = scan_table(db_, table, Messages::all, [&](const Row& row) {
            if (const auto found = find_problem(table, row))
                problem(describe(table, row) + ": " + found->text);
            return true;
        });
        if (!scanned) problem("table " + std::string(table.name) + ": " + scanned.error().message);
    }
}

void Checker::check_invariant(const Invariant& invariant) {
    std::string sql = invariant.sql;
    if (const size_t at = sql.find("%owner"); at != std::string::npos) sql.replace(at, 6, kOwner);
    if (const size_t at = sql.find("%sessions"); at != std::string::npos) sql.replace(at, 9, kKnownSessions);
    auto statement = Statement::make(db_, sql);
    if (!statement) return problem(statement.error().message);
    for (;;) {
        const auto more = statement->step();
        if (!more) return problem(more.error().message);
        if (!*more) return;
        std::string text;
        int column = 0;
        for (const char* c = invariant.text; *c; ++c)
            if (*c == '?')
                text += printable(statement->text(column++));
            else
                text += *c;
        problem(text);
    }
}

void Checker::check_invariants() {
    for (const Invariant& invariant : kInvariants) check_invariant(invariant);
}

void Checker::print_counts(const std::string& path) {
    struct Line {
        const char* name;
        const char* sql;
    };
    const Line lines[] = {
        {"sessions", "SELECT count(*) FROM sessions"},
        {"subscriptions", "SELECT count(*) FROM subscriptions"},
        {"messages", "SELECT count(*) FROM messages"},
        {"queued", "SELECT count(*) FROM queue WHERE packet_id = 0"},
        {"in flight",
         "SELECT (SELECT count(*) FROM queue WHERE packet_id <> 0) + (SELECT count(*) FROM received)"},
        {"retained", "SELECT count(*) FROM retained"},
        {"blocked", "SELECT count(*) FROM blocked"},
    };
    for (const Line& each : lines) {
        const auto count = db_.number(each.sql);
        line_(std::string(each.name) + ": " + (count ? std::to_string(*count) : "?"));
    }
    line_("bytes: " + std::to_string(store_size(path)));
}

}  // namespace

Result<void> check_store(const std::string& path, const ReportLine& line) {
    if (auto there = require_store(path); !there) return there;
    const auto lock = lock_store(path);
    if (!lock) return lock.error();
    auto db = open_to_look(path);
    if (!db) return db.take_error();
    Checker checker(*db, line);
    checker.check_pages();
    checker.check_rows();
    checker.check_invariants();
    checker.print_counts(path);
    if (checker.problems() == 0) return {};
    return Error{Status::storage, path + " is damaged: " + std::to_string(checker.problems()) +
                                      (checker.problems() == 1 ? " problem" : " problems")};
}

}  // namespace comqtt::storage::tools
