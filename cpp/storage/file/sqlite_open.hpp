#pragma once
// Opening a store's file: made when missing, judged, migrated, or set aside when it cannot be used.

#include "storage/file/sqlite_db.hpp"
#include "storage/store_config.hpp"

namespace comqtt::storage {

/// The connections of one store differ in what they cache and may do.
enum class Role : uint8_t { writer, reader, checkpoint };

/// One more connection to a file that is open already.
Result<Db> connect(const StoreConfig& config, const std::string& path, Role role);

/// The file, ready for the writer and marked as not closed in order. Damage is dealt with by config.on_damage.
Result<Db> open_file(const StoreConfig& config, const std::string& path);

/// The number of the last transaction that is in the file.
Result<int64_t> last_commit(Db& db);

/// Nothing is left in the write-ahead log, and the next start need not check.
Result<void> mark_clean(Db& db);

/// A name beside it for a store that is no longer used: `<path>.bad-<time>`, with a number when that is taken.
std::string free_name(const std::string& path);

/// Renames a file and what belongs to it to a name that is free, `<path>.bad-<time>`, and gives that name.
Result<std::string> set_aside(const std::string& path);

}  // namespace comqtt::storage
