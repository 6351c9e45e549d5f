#include "storage/tools/replace.hpp"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "storage/file/sqlite_db.hpp"
#include "storage/file/sqlite_open.hpp"
#include "storage/tools/files.hpp"

namespace comqtt::storage::tools {

namespace {

namespace fs = std::filesystem;

bool has_log(const std::string& path) { return file_size(path + "-wal") || file_size(path + "-journal"); }

Error cannot(const std::string& path, int code) {
    return {Status::io, path + ": " + std::generic_category().message(code)};
}

/// The old store under its second name. A store without a log is one file, of which that is another name; with a log it
/// is copied, for its log goes into the database below.
Result<void> keep(const std::string& path, const std::string& name, const AfterStep& step) {
    if (!has_log(path) && ::link(path.c_str(), name.c_str()) == 0) {
        if (step) step();
        return {};
    }
    // Under its name when it is whole: first its log, then the database.
    const std::string copy = path + ".repair-old";
    remove_store(copy);
    auto done = copy_store(path, copy);
    for (const char* part : {"", "-wal", "-journal"})
        if (done && file_exists(copy + part)) done = sync_file(copy + part);
    if (step) step();
    if (done) done = rename_store(copy, name);
    if (step) step();
    if (!done) {
        remove_store(copy);
        remove_store(name);
    }
    return done;
}

/// The log goes into the database, as SQLite does it whenever a store is opened; then the database stands alone.
/// One so damaged that SQLite cannot do it loses its log here, for no one can use it with this database; it is kept
/// with the other.
void apply_log(const std::string& path, const AfterStep& step) {
    if (auto db = Db::open(path, Db::Mode::existing)) {
        (void)db->number("SELECT count(*) FROM sqlite_schema");
        sqlite3_wal_checkpoint_v2(db->handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
        if (step) step();
    }
    std::error_code ignored;
    for (const char* part : {"-wal", "-journal", "-shm"}) {
        fs::remove(path + part, ignored);
        if (step) step();
    }
}

}  // namespace

Result<std::string> replace_store(const std::string& path, const std::string& fresh, const AfterStep& step) {
    if (has_log(fresh)) return Error{Status::state, fresh + ": not closed in order"};
    if (auto synced = sync_file(fresh); !synced) return synced.take_error();
    const std::string name = free_name(path);
    if (auto kept = keep(path, name, step); !kept) return kept.take_error();
    // The second name is on the disk before the first one leads elsewhere.
    if (auto synced = sync_folder(path); !synced) return synced.take_error();
    if (has_log(path)) apply_log(path, step);
    if (std::rename(fresh.c_str(), path.c_str()) != 0) return cannot(path, errno);
    if (step) step();
    if (auto synced = sync_folder(path); !synced) return synced.take_error();
    return name;
}

}  // namespace comqtt::storage::tools
