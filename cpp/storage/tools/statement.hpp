#pragma once
// Statement: a prepared statement whose rows are taken as they are, whatever the columns hold.

#include <string>

#include "storage/file/sqlite_db.hpp"
#include "storage/tools/value.hpp"

namespace comqtt::storage::tools {

/// Ends before its connection. Bound text and blobs are borrowed until the next step.
class Statement {
public:
    Statement() = default;

    static Result<Statement> make(Db& db, const std::string& sql);

    /// Parameter `index` counts from 1.
    Statement& bind(int index, const Value& value);
    Statement& bind(int index, int64_t number) {
        prepared_.bind(index, number);
        return *this;
    }
    Statement& bind(int index, std::string_view text) {
        prepared_.bind(index, text);
        return *this;
    }
    /// True while there is a row.
    Result<bool> step();
    /// Steps to the end and makes ready for the next use. exists: there is such a row already.
    Result<void> run();
    void reset() { prepared_.reset(); }

    int64_t number(int index) const { return prepared_.number(index); }
    std::string text(int index) const { return std::string(prepared_.text(index)); }
    Row row() const;

private:
    Value column(int index) const;

    Db* db_ = nullptr;
    Prepared prepared_;
};

}  // namespace comqtt::storage::tools
