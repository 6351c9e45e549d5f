#include "storage/file/sqlite_open.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "storage/file/file_kind.hpp"
#include "storage/file/migration.hpp"
#include "storage/file/schema.hpp"

namespace comqtt::storage {

namespace {

constexpr uint64_t kReaderCache = 4u << 20;
constexpr int64_t kCheckAtMost = 1 << 30;  ///< bytes; more would hold up the start for too long

/// A connection to the file, or why the file is of no use.
struct Look {
    Db db;
    std::string damage;
    bool fresh = false;
    int version = 0;
};

bool has_log(const std::string& path) {
    std::error_code none;
    const auto size = std::filesystem::file_size(path + "-wal", none);
    return !none && size > 0;
}

Error cannot_open(const std::string& path, const Error& why) {
    return {why.status == Status::storage ? Status::storage : Status::io,
            fmt::format("'{}' cannot be opened: {}", path, why.message)};
}

/// Runs what fails with `storage` when the file is damaged, and with other errors when it cannot be read.
template <typename T>
bool judge(Result<T> result, T& out, Look& look, std::optional<Error>& error) {
    if (result) {
        out = result.take();
        return true;
    }
    if (result.error().status == Status::storage)
        look.damage = result.error().message;
    else
        error = result.take_error();
    return false;
}

/// Whose file it is, without changing anything in it.
Result<Look> look_at(const std::string& path) {
    auto opened = Db::open(path, Db::Mode::create);
    if (!opened) return cannot_open(path, opened.error());
    Look look;
    look.db = opened.take();
    // A file that is not ours, or damaged, keeps its log as it is.
    sqlite3_db_config(look.db.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    if (look.db.read_only())
        return Error{Status::io, fmt::format("'{}' cannot be opened: no permission to write to it", path)};

    std::optional<Error> error;
    int64_t application = 0, version = 0, tables = 0;
    const bool read = judge(look.db.number("PRAGMA application_id"), application, look, error) &&
                      judge(look.db.number("PRAGMA user_version"), version, look, error) &&
                      judge(look.db.number("SELECT count(*) FROM sqlite_schema"), tables, look, error);
    if (error) return cannot_open(path, *error);
    if (!read) return look;
    look.version = static_cast<int>(version);
    if (tables == 0 && version == 0 && (application == 0 || application == kApplicationId)) {
        look.fresh = true;
    } else if (application != kApplicationId) {
        return not_a_store(path, FileKind::database);
    } else if (version > kSchemaVersion) {
        return Error{
            Status::unsupported,
            fmt::format("'{}' has schema version {}, this program knows versions up to {}: it was written "
                        "by a newer one",
                        path, version, kSchemaVersion)};
    }
    return look;
}

Result<void> make_schema(Db& db) {
    // Before anything is in the file: neither can be changed later.
    const std::string first = fmt::format("PRAGMA page_size={}; PRAGMA auto_vacuum=INCREMENTAL;", kPageSize);
    if (auto set = db.run(first.c_str()); !set) return set;
    const std::string all =
        fmt::format("BEGIN IMMEDIATE; {} PRAGMA application_id={}; PRAGMA user_version={}; COMMIT;", kSchema,
                    kApplicationId, kSchemaVersion);
    auto made = db.run(all.c_str());
    if (!made && db.inside()) (void)db.run("ROLLBACK");
    return made;
}

Result<void> set_pragmas(Db& db, const StoreConfig& config, Role role) {
    const char* sync = config.sync == Sync::full ? "FULL" : config.sync == Sync::normal ? "NORMAL" : "OFF";
    const uint64_t cache =
        role == Role::writer ? config.cache_bytes : std::min(kReaderCache, config.cache_bytes);
    const std::string all = fmt::format(
        "PRAGMA synchronous={}; PRAGMA cache_size=-{}; PRAGMA wal_autocheckpoint=0; PRAGMA "
        "secure_delete=OFF; "
        "PRAGMA temp_store=MEMORY; PRAGMA query_only={};",
        sync, std::max<uint64_t>(cache / 1024, 64), role == Role::reader ? 1 : 0);
    return db.run(all.c_str());
}

/// Every table with the columns that are used: a file of ours that lacks some is not one.
Result<void> check_tables(Db& db) {
    for (const char* query : {
             "SELECT id, client_id, username, remote, listener, version, clean_start, expiry_interval, "
             "disconnected_ms, will, will_delay, will_due_ms FROM sessions LIMIT 1",
             "SELECT session, filter, options, identifier FROM subscriptions LIMIT 1",
             "SELECT id, refs, created_ms, expiry, flags, topic, payload, properties, origin FROM messages "
             "LIMIT 1",
             "SELECT session, position, message, packet_id, flags, size, expires_ms, identifiers, share FROM "
             "queue "
             "LIMIT 1",
             "SELECT session, packet_id FROM received LIMIT 1",
             "SELECT topic, created_ms, expiry, qos, payload, properties, origin FROM retained LIMIT 1",
             "SELECT client_id FROM blocked LIMIT 1",
             "SELECT name, value FROM counters LIMIT 1",
             "SELECT session FROM removed LIMIT 1",
             "SELECT name, value FROM state LIMIT 1",
         })
        if (auto row = db.number(query); !row) return row.take_error();
    return {};
}

/// After an end that was not in order all pages are looked at, unless they are too many.
Result<void> check_pages(Db& db, const StoreConfig& config) {
    const auto pages = db.number("PRAGMA page_count");
    if (!pages) return pages.error();
    if (*pages * kPageSize > kCheckAtMost) {
        config.log.write(
            LogLevel::info, "storage",
            "'{}' was not closed in order; at {} MiB it is not checked now (`comqtt store check` does)",
            db.path(), *pages * kPageSize >> 20);
        return {};
    }
    const auto answer = db.text("PRAGMA quick_check(1)");
    if (!answer) return answer.error();
    if (*answer == "ok") return {};
    return Error{Status::storage, fmt::format("{}: {}", file_name(db.path()), *answer)};
}

Result<void> prepare_contents(Look& look, const StoreConfig& config, bool log_left) {
    Db& db = look.db;
    if (look.fresh) {
        if (auto made = make_schema(db); !made) return made;
    } else if (look.version < kSchemaVersion) {
        if (auto done = migrate(db, look.version, kSchemaVersion); !done) return done;
        config.log.write(LogLevel::info, "storage", "'{}' was migrated from schema version {} to {}",
                         db.path(), look.version, kSchemaVersion);
    }
    if (auto complete = check_tables(db); !complete) return complete;
    if (look.fresh) return {};
    const auto clean = db.number("SELECT value FROM state WHERE name='clean'");
    if (!clean) return clean.error();
    return *clean && !log_left ? Result<void>() : check_pages(db, config);
}

/// Ready for the writer, or damaged (status storage), or not to be opened (others).
Result<Db> open_once(const StoreConfig& config, const std::string& path) {
    const bool log_left = has_log(path);
    auto looked = look_at(path);
    if (!looked) return looked.take_error();
    Look& look = *looked;
    if (!look.damage.empty()) return Error{Status::storage, look.damage};
    // FULL until it is marked as not closed in order: that mark must not be lost.
    if (auto set = look.db.run("PRAGMA synchronous=FULL; PRAGMA secure_delete=OFF;"); !set)
        return set.take_error();
    if (auto ready = prepare_contents(look, config, log_left); !ready) return ready.take_error();
    const auto mode = look.db.text("PRAGMA journal_mode=WAL");
    if (!mode) return mode.error();
    if (*mode != "wal")
        return Error{Status::io, fmt::format("'{}': this file system does not do write-ahead logs", path)};
    if (auto marked = look.db.run("UPDATE state SET value=0 WHERE name='clean'"); !marked)
        return marked.take_error();
    if (auto set = set_pragmas(look.db, config, Role::writer); !set) return set.take_error();
    sqlite3_db_config(look.db.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
    return std::move(look.db);
}

}  // namespace

Result<Db> connect(const StoreConfig& config, const std::string& path, Role role) {
    auto db = Db::open(path, Db::Mode::existing);
    if (!db) return db;
    if (auto set = set_pragmas(*db, config, role); !set) return set.take_error();
    return db;
}

Result<Db> open_file(const StoreConfig& config, const std::string& path) {
    const auto kind = kind_of_store(path);
    if (!kind) return kind.error();
    auto opened = open_once(config, path);
    if (opened || opened.error().status != Status::storage) return opened;
    if (*kind == FileKind::unmarked) return not_a_store(path, *kind);
    if (*kind != FileKind::ours) return opened;
    const std::string damage = opened.error().message;
    if (config.on_damage == OnDamage::stop)
        return Error{
            Status::storage,
            fmt::format("'{}' cannot be used: {}. Look at it with `comqtt store check {}`, or move it "
                        "away",
                        path, damage, path)};
    auto aside = set_aside(path);
    if (!aside)
        return Error{Status::storage,
                     fmt::format("'{}' cannot be used: {}; and {}", path, damage, aside.error().message)};
    config.log.write(
        LogLevel::error, "storage",
        "'{}' cannot be used: {}. It was renamed to '{}' and nothing in it is changed; what it held is "
        "missing now. Look at it with `comqtt store check {}`",
        path, damage, *aside, *aside);
    return open_once(config, path);
}

Result<int64_t> last_commit(Db& db) { return db.number("SELECT value FROM state WHERE name='commits'"); }

Result<void> mark_clean(Db& db) {
    if (auto set = db.run("PRAGMA synchronous=FULL; UPDATE state SET value=1 WHERE name='clean';"); !set)
        return set;
    return db.run("PRAGMA wal_checkpoint(TRUNCATE)");
}

}  // namespace comqtt::storage
