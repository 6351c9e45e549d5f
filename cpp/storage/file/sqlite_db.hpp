#pragma once
// Db and Prepared: one connection to a file of SQLite and its prepared statements. Live as long as their owner; one
// thread at a time.

#include <sqlite3.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace comqtt::storage {

class Db;

/// A prepared statement; ends before its connection. Bound text and blobs are borrowed until the next step.
class Prepared {
public:
    /// Parameters and columns: parameters count from 1, columns from 0.
    Prepared& bind(int index, int64_t number) {
        sqlite3_bind_int64(handle_.get(), index, number);
        return *this;
    }
    Prepared& bind(int index, std::string_view text) {
        sqlite3_bind_text64(handle_.get(), index, text.data() ? text.data() : "", text.size(), SQLITE_STATIC,
                            SQLITE_UTF8);
        return *this;
    }
    Prepared& bind(int index, ByteView bytes) {
        const void* data = bytes.data ? static_cast<const void*>(bytes.data) : "";
        sqlite3_bind_blob64(handle_.get(), index, data, bytes.size, SQLITE_STATIC);
        return *this;
    }
    Prepared& bind_null(int index) {
        sqlite3_bind_null(handle_.get(), index);
        return *this;
    }

    /// True while there is a row. False at the end and on failure; failed() tells which.
    bool step() {
        code_ = sqlite3_step(handle_.get());
        return code_ == SQLITE_ROW;
    }
    bool failed() const { return code_ != SQLITE_ROW && code_ != SQLITE_DONE; }
    /// Steps to the end and makes ready for the next use.
    bool run() {
        while (step()) {
        }
        const bool good = !failed();
        sqlite3_reset(handle_.get());
        return good;
    }
    void reset() { sqlite3_reset(handle_.get()); }

    int columns() const { return sqlite3_column_count(handle_.get()); }
    /// SQLITE_INTEGER and so on.
    int type(int index) const { return sqlite3_column_type(handle_.get(), index); }
    bool is_null(int index) const { return type(index) == SQLITE_NULL; }
    int64_t number(int index) const { return sqlite3_column_int64(handle_.get(), index); }
    /// Both borrowed until the next step.
    ByteView blob(int index) const {
        const auto* bytes = static_cast<const uint8_t*>(sqlite3_column_blob(handle_.get(), index));
        const int size = sqlite3_column_bytes(handle_.get(), index);
        return bytes ? ByteView(bytes, static_cast<size_t>(size)) : ByteView();
    }
    std::string_view text(int index) const { return blob(index).text(); }

private:
    friend class Db;
    struct End {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };
    std::unique_ptr<sqlite3_stmt, End> handle_;
    int code_ = SQLITE_DONE;
};

class Db {
public:
    enum class Mode : uint8_t { existing, create };
    static constexpr int kBusyTimeoutMs = 2000;  ///< another program looks at the file

    static Result<Db> open(const std::string& path, Mode mode);

    Result<Prepared> prepare(const char* sql);
    /// One or several statements without results.
    Result<void> run(const char* sql);
    /// The first column of the first row.
    Result<int64_t> number(const char* sql);
    Result<std::string> text(const char* sql);

    /// What the call that has just failed says: "<file>: <why>". queue_full: no room; storage: not a database, or
    /// damaged; timeout: another program has locked it; io: all else.
    Error error() const;
    int64_t changed() const { return sqlite3_changes64(handle_.get()); }
    /// A transaction is open.
    bool inside() const { return !sqlite3_get_autocommit(handle_.get()); }
    bool read_only() const { return sqlite3_db_readonly(handle_.get(), "main") == 1; }
    /// The name no longer leads to the file that was opened.
    bool moved() const;
    sqlite3* handle() const { return handle_.get(); }
    const std::string& path() const { return path_; }

private:
    struct Close {
        void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
    };
    std::unique_ptr<sqlite3, Close> handle_;
    std::string path_;
};

/// The last component of a path, for messages.
std::string_view file_name(std::string_view path);

}  // namespace comqtt::storage
