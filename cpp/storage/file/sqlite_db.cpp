#include "storage/file/sqlite_db.hpp"

#include <cstring>
#include <system_error>

namespace comqtt::storage {

namespace {

Status status_of(int code) {
    switch (code & 0xFF) {
        case SQLITE_FULL: return Status::queue_full;
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT:
        case SQLITE_ERROR: return Status::storage;
        case SQLITE_NOMEM: return Status::no_memory;
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return Status::timeout;
        default: return Status::io;
    }
}

/// With the system's own reason where there is one.
Error failure(const std::string& path, sqlite3* database, int code) {
    std::string text = std::string(file_name(path)) + ": ";
    text += database ? sqlite3_errmsg(database) : sqlite3_errstr(code);
    const int primary = code & 0xFF;
    const int number = database ? sqlite3_system_errno(database) : 0;
    if (number && (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_READONLY))
        text += " (" + std::generic_category().message(number) + ")";
    return {status_of(code), text};
}

}  // namespace

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

Result<Db> Db::open(const std::string& path, Mode mode) {
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                      (mode == Mode::create ? SQLITE_OPEN_CREATE : 0);
    Db db;
    db.path_ = path;
    sqlite3* made = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &made, flags, nullptr);
    db.handle_.reset(made);
    if (code != SQLITE_OK) return failure(path, made, code);
    sqlite3_extended_result_codes(made, 1);
    sqlite3_busy_timeout(made, kBusyTimeoutMs);
    return db;
}

Result<Prepared> Db::prepare(const char* sql) {
    Prepared prepared;
    sqlite3_stmt* made = nullptr;
    const int code = sqlite3_prepare_v3(handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr);
    prepared.handle_.reset(made);
    if (code != SQLITE_OK) return error();
    return prepared;
}

Result<void> Db::run(const char* sql) {
    if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error();
    return {};
}

Result<int64_t> Db::number(const char* sql) {
    auto statement = prepare(sql);
    if (!statement) return statement.take_error();
    const bool row = statement->step();
    if (statement->failed()) return error();
    return row ? statement->number(0) : 0;
}

Result<std::string> Db::text(const char* sql) {
    auto statement = prepare(sql);
    if (!statement) return statement.take_error();
    const bool row = statement->step();
    if (statement->failed()) return error();
    return row ? std::string(statement->text(0)) : std::string();
}

Error Db::error() const { return failure(path_, handle_.get(), sqlite3_extended_errcode(handle_.get())); }

bool Db::moved() const {
    int is_moved = 0;
    return sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &is_moved) == SQLITE_OK &&
           is_moved;
}

}  // namespace comqtt::storage
