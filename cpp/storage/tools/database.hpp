#pragma once
// Database and Statement: SQLite behind Result<T>. One thread at a time.

#include <sqlite3.h>

#include <memory>
#include <string>

#include "base/result.hpp"
#include "storage/tools/value.hpp"

namespace comqtt::storage {

/// A prepared statement; ends before its database.
class Statement {
public:
    Statement() = default;

    /// Parameter `index` counts from 1.
    Statement& bind(int index, const Value& value);
    Statement& bind(int index, int64_t number);
    /// The text is borrowed until the next reset.
    Statement& bind(int index, std::string_view text);
    /// True while there is a row.
    Result<bool> step();
    /// Steps to the end and makes ready for the next use.
    Result<void> run();
    void reset() { sqlite3_reset(handle_.get()); }

    Value column(int index) const;
    int64_t number(int index) const { return sqlite3_column_int64(handle_.get(), index); }
    std::string text(int index) const;
    Row row() const;
    /// The code that the last step ended with.
    int code() const { return code_; }

private:
    friend class Database;
    struct End {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };
    std::unique_ptr<sqlite3_stmt, End> handle_;
    int code_ = SQLITE_OK;
};

class Database {
public:
    enum class Mode : uint8_t { look, change, create };  ///< look: nothing is written but what recovery needs

    static Result<Database> open(const std::string& path, Mode mode);

    Result<Statement> prepare(const std::string& sql);
    /// One or several statements without results.
    Result<void> run(const std::string& sql);
    /// The first column of the first row.
    Result<int64_t> number(const std::string& sql);
    int64_t last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }
    sqlite3* handle() const { return handle_.get(); }

private:
    struct Close {
        void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
    };
    std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace comqtt::storage
