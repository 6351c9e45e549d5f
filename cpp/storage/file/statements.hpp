#pragma once
// Prepares several statements and remembers the first failure, so that a set of them is made in one go.

#include <optional>

#include "storage/file/sqlite_db.hpp"

namespace comqtt::storage {

class Statements {
public:
    explicit Statements(Db& db) : db_(db) {}

    Prepared make(const char* sql) {
        if (error_) return {};
        auto made = db_.prepare(sql);
        if (made) return made.take();
        error_ = made.take_error();
        return {};
    }
    const std::optional<Error>& error() const { return error_; }
    Db& db() const { return db_; }

private:
    Db& db_;
    std::optional<Error> error_;
};

}  // namespace comqtt::storage
