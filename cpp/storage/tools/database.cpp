#include "storage/tools/database.hpp"

namespace comqtt::storage {

namespace {

Error failure(sqlite3* database, int code) {
    if (code == SQLITE_NOMEM) return {Status::no_memory, {}};
    return {Status::storage, database ? sqlite3_errmsg(database) : sqlite3_errstr(code)};
}

}  // namespace

Statement& Statement::bind(int index, const Value& value) {
    sqlite3_stmt* const s = handle_.get();
    switch (value.type) {
        case Value::Type::integer: sqlite3_bind_int64(s, index, value.number); break;
        case Value::Type::text:
            sqlite3_bind_text64(s, index, value.bytes.data(), value.bytes.size(), SQLITE_STATIC, SQLITE_UTF8);
            break;
        case Value::Type::blob:
            sqlite3_bind_blob64(s, index, value.bytes.data(), value.bytes.size(), SQLITE_STATIC);
            break;
        case Value::Type::null:
        case Value::Type::other: sqlite3_bind_null(s, index); break;
    }
    return *this;
}

Statement& Statement::bind(int index, int64_t number) {
    sqlite3_bind_int64(handle_.get(), index, number);
    return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
    sqlite3_bind_text64(handle_.get(), index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    return *this;
}

Result<bool> Statement::step() {
    code_ = sqlite3_step(handle_.get());
    if (code_ == SQLITE_ROW) return true;
    if (code_ == SQLITE_DONE) return false;
    return failure(sqlite3_db_handle(handle_.get()), code_);
}

Result<void> Statement::run() {
    for (;;) {
        const auto more = step();
        if (more && *more) continue;
        const int code = code_;
        Error error;
        if (!more) error = more.error();
        reset();
        code_ = code;
        if (code == SQLITE_DONE) return {};
        return error;
    }
}

Value Statement::column(int index) const {
    sqlite3_stmt* const s = handle_.get();
    switch (sqlite3_column_type(s, index)) {
        case SQLITE_INTEGER: return Value::integer(sqlite3_column_int64(s, index));
        case SQLITE_TEXT: return Value::text(text(index));
        case SQLITE_BLOB: return Value::blob(text(index));
        case SQLITE_NULL: return {};
        default: return {Value::Type::other, 0, {}};
    }
}

std::string Statement::text(int index) const {
    sqlite3_stmt* const s = handle_.get();
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(s, index));
    const int size = sqlite3_column_bytes(s, index);
    return bytes ? std::string(bytes, static_cast<size_t>(size)) : std::string();
}

Row Statement::row() const {
    Row found;
    const int count = sqlite3_column_count(handle_.get());
    found.reserve(static_cast<size_t>(count));
    for (int index = 0; index < count; ++index) found.push_back(column(index));
    return found;
}

Result<Database> Database::open(const std::string& path, Mode mode) {
    const int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (mode == Mode::create ? SQLITE_OPEN_CREATE : 0);
    Database database;
    sqlite3* made = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &made, flags, nullptr);
    database.handle_.reset(made);
    if (code != SQLITE_OK) return failure(made, code);
    sqlite3_extended_result_codes(made, 1);
    if (mode == Mode::look) {
        sqlite3_db_config(made, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
        if (auto set = database.run("PRAGMA query_only=1"); !set) return set.take_error();
    }
    return database;
}

Result<Statement> Database::prepare(const std::string& sql) {
    Statement statement;
    sqlite3_stmt* made = nullptr;
    const int code =
        sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &made, nullptr);
    statement.handle_.reset(made);
    if (code != SQLITE_OK) return failure(handle_.get(), code);
    return statement;
}

Result<void> Database::run(const std::string& sql) {
    const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return failure(handle_.get(), code);
    return {};
}

Result<int64_t> Database::number(const std::string& sql) {
    auto statement = prepare(sql);
    if (!statement) return statement.take_error();
    auto row = statement->step();
    if (!row) return row.take_error();
    return *row ? statement->number(0) : 0;
}

}  // namespace comqtt::storage
