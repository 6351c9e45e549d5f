#include <unordered_map>
#include <unordered_set>

#include "storage/file/schema.hpp"
#include "storage/file/sqlite_open.hpp"
#include "storage/tools/files.hpp"
#include "storage/tools/open_store.hpp"
#include "storage/tools/page_file.hpp"
#include "storage/tools/replace.hpp"
#include "storage/tools/row_rules.hpp"
#include "storage/tools/row_writer.hpp"
#include "storage/tools/tools.hpp"

namespace comqtt::storage::tools {

namespace {

/// Carries rows from the pages of a damaged store to a new one. Lives for one repair.
class Salvage {
public:
    Salvage(PageFile& from, RowWriter& to, const ReportLine& line) : from_(from), to_(to), line_(line) {}

    Result<void> run();

private:
    struct LostRow {
        int64_t rowid;
        Row row;
    };
    void find_lost();
    void take(const Table& table, int64_t rowid, Row row);
    void drop(const Table& table, const Row& row, const std::string& why);
    bool make_portable(const Table& table, int64_t rowid, Row& row);
    const Table* table_of_lost(const Row& row) const;

    PageFile& from_;
    RowWriter& to_;
    const ReportLine& line_;
    std::unordered_map<int64_t, std::string> clients_;  ///< by the session's number
    std::unordered_set<int64_t> ended_;        ///< sessions of which only rows to be deleted are left
    std::unordered_set<uint64_t> packet_ids_;  ///< session and packet identifier
    std::array<std::vector<LostRow>, kTableCount> lost_;
    std::array<uint32_t, kTableCount> roots_{};
    bool damaged_ = false;
    Result<void> failure_;  ///< of the disk
};

void Salvage::drop(const Table& table, const Row& row, const std::string& why) {
    line_("dropped: " + describe(table, row) + ": " + why);
}

/// From the columns of the file to those of a portable row. False when it cannot be one.
bool Salvage::make_portable(const Table& table, int64_t rowid, Row& row) {
    if (row.size() != table.columns.size()) return false;
    if (table.id == TableId::sessions) {
        row.erase(row.begin());
    } else if (table.id == TableId::messages) {
        row[0] = Value::integer(rowid);
        row.erase(row.begin() + 1);
    } else if (table.columns[0].kind == ColumnKind::session) {
        const auto client = clients_.find(row[0].number);
        if (row[0].type != Value::Type::integer) return false;
        if (client == clients_.end()) {
            if (!ended_.contains(row[0].number))
                line_("dropped: a row of " + std::string(table.name) + ": there is no session " +
                      std::to_string(row[0].number));
            return false;
        }
        row[0] = Value::text(client->second);
    }
    return true;
}

void Salvage::take(const Table& table, int64_t rowid, Row row) {
    if (!failure_) return;
    const int64_t session = row.empty() ? 0 : row[0].number;
    const size_t columns = row.size();
    if (!make_portable(table, rowid, row)) {
        if (columns != table.columns.size())
            line_("dropped: a row of " + std::string(table.name) + " that is none");
        return;
    }
    // What a row can do without is left out rather than the row.
    while (const auto problem = find_problem(table, row)) {
        if (problem->column == RowProblem::npos || !portable_columns(table)[problem->column].nullable)
            return drop(table, row, problem->text);
        line_("left out: " + describe(table, row) + ": " + problem->text);
        row[problem->column] = {};
    }
    if (table.id == TableId::queue && row[queue_row::packet_id].number != 0) {
        const uint64_t key =
            static_cast<uint64_t>(session) << 16 | static_cast<uint64_t>(row[queue_row::packet_id].number);
        if (!packet_ids_.insert(key).second) {
            if (row[queue_row::flags].number & kReleasedFlag)
                return drop(table, row, "its packet identifier is used");
            line_("sent again: " + describe(table, row) + ": its packet identifier is used");
            row[queue_row::packet_id].number = 0;
        }
    }
    auto added = to_.add(table.id, row);
    if (added) {
        if (table.id == TableId::sessions) clients_.emplace(rowid, row[session_row::client_id].bytes);
        return;
    }
    if (added.error().status == Status::invalid_argument)
        line_("dropped: " + added.error().message);
    else
        failure_ = added.take_error();
}

/// The table that a row without a table looks like. Counters look like the index of the sessions.
const Table* Salvage::table_of_lost(const Row& row) const {
    for (const Table& table : all_tables()) {
        if (table.id == TableId::counters || row.size() != table.columns.size()) continue;
        bool fits = true;
        for (size_t i = 0; i < row.size(); ++i) {
            const ColumnKind kind = table.columns[i].kind;
            const auto type = row[i].type;
            const bool own_id = i == 0 && (table.id == TableId::sessions || table.id == TableId::messages);
            const bool number =
                kind == ColumnKind::integer || kind == ColumnKind::session || kind == ColumnKind::own;
            const auto wanted = number                     ? Value::Type::integer
                                : kind == ColumnKind::text ? Value::Type::text
                                                           : Value::Type::blob;
            fits =
                fits && (own_id ? type == Value::Type::null
                                : type == wanted || (type == Value::Type::null && table.columns[i].nullable));
        }
        if (fits) return &table;
    }
    return nullptr;
}

/// Every page is looked at before the first row is taken, so that a session found late still has its messages.
void Salvage::find_lost() {
    const PageFile::OnRow nothing = [](int64_t, const Row&) {};
    const auto note = [&](const std::string& text) {
        damaged_ = true;
        line_("damaged: " + text);
    };
    std::vector<PageFile::Root> roots = from_.tables(note);
    for (const PageFile::Root& root : roots) {
        for (const Table& table : all_tables())
            if (root.table == table.name) roots_[static_cast<size_t>(table.id)] = root.page;
        const bool ended = root.table == "removed";
        const auto take_ended = [&](int64_t session, const Row&) { ended_.insert(session); };
        from_.rows(root.page, ended ? PageFile::OnRow(take_ended) : nothing,
                   [&](const std::string& text) { note(root.table + ": " + text); });
    }
    if (!damaged_) return;
    int64_t found = 0;
    from_.lost_rows([&](int64_t rowid, Row row) {
        const Table* table = table_of_lost(row);
        if (!table) return;
        ++found;
        lost_[static_cast<size_t>(table->id)].push_back({rowid, std::move(row)});
    });
    if (found) line_("found beside the damage: " + std::to_string(found) + " rows");
}

Result<void> Salvage::run() {
    find_lost();
    from_.forget();
    for (const Table& table : all_tables()) {
        const auto index = static_cast<size_t>(table.id);
        if (roots_[index])
            from_.rows(
                roots_[index], [&](int64_t rowid, Row row) { take(table, rowid, std::move(row)); },
                [](const std::string&) {});
        else
            line_("damaged: the table " + std::string(table.name) + " is not to be found");
        for (LostRow& lost : lost_[index]) take(table, lost.rowid, std::move(lost.row));
        lost_[index].clear();
        if (!failure_) return failure_;
    }
    return {};
}

/// The log goes where it belongs, as SQLite does it; a database too damaged for that is read without.
void apply_log(const std::string& path) {
    auto db = Db::open(path, Db::Mode::existing);
    if (!db) return;
    (void)db->number("SELECT count(*) FROM sqlite_schema");
    sqlite3_wal_checkpoint_v2(db->handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

Result<void> salvage(const std::string& from, const std::string& to, const ReportLine& line) {
    apply_log(from);
    auto pages = PageFile::open(from);
    if (!pages) return pages.take_error();
    if (pages->application_id() != static_cast<uint32_t>(kApplicationId))
        return Error{Status::storage, "not a store of comqtt"};
    if (pages->user_version() != static_cast<uint32_t>(kSchemaVersion))
        return Error{Status::unsupported, "the store has version " + std::to_string(pages->user_version()) +
                                              ", version " + std::to_string(kSchemaVersion) +
                                              " is known here"};
    auto db = open_to_change(to);
    if (!db) return db.take_error();
    {
        auto writer = RowWriter::begin(*db);
        if (!writer) return writer.take_error();
        if (auto done = Salvage(*pages, *writer, line).run(); !done) return done;
        if (auto done = writer->finish(); !done) return done;
        for (const Table& table : all_tables())
            line(std::string(table.name) + " kept: " + std::to_string(writer->count(table.id)));
    }
    if (auto done = db->run("VACUUM"); !done) return done;
    return mark_clean(*db);
}

}  // namespace

Result<void> repair_store(const std::string& given, const ReportLine& line) {
    if (auto there = require_store(given); !there) return there;
    const std::string path = real_path(given);  // a link stays one
    const auto lock = lock_store(path);
    if (!lock) return lock.error();
    const std::string old_copy = path + ".repair-old";
    const std::string fresh = path + ".repair-new";
    remove_store(old_copy);
    remove_store(fresh);
    auto done = copy_store(path, old_copy);
    if (done) done = salvage(old_copy, fresh, line);
    remove_store(old_copy);
    if (done) {
        const auto bad = replace_store(path, fresh);
        if (bad) {
            line("the old store is kept as " + *bad);
            return {};
        }
        done = bad.error();
    }
    remove_store(fresh);
    return Error{done.error().status, path + ": " + done.error().message};
}

}  // namespace comqtt::storage::tools
