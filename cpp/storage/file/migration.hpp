#pragma once
// Migrations: how a file of an older version becomes one of this version, step by step, in one transaction.

#include <span>

#include "storage/file/sqlite_db.hpp"

namespace comqtt::storage {

/// Leads from version `from` to the next one.
struct Migration {
    int from;
    const char* sql;
};

/// All steps there are.
std::span<const Migration> migrations();

/// Takes the file from its version to `target`. On failure nothing has changed.
Result<void> migrate(Db& db, int version, int target, std::span<const Migration> steps = migrations());

}  // namespace comqtt::storage
