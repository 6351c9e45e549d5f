#pragma once
// Opening a store for work on it.

#include <string>

#include "storage/file/sqlite_db.hpp"

namespace comqtt::storage::tools {

/// For looking only: nothing is written, not even the log into the database. Fails for what is no store, or one of
/// another version.
Result<Db> open_to_look(const std::string& path);

/// As a broker opens it, but a damaged file is an error. Made when there is none. mark_clean (sqlite_open.hpp) goes
/// before its end.
Result<Db> open_to_change(const std::string& path);

}  // namespace comqtt::storage::tools
