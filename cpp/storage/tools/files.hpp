#pragma once
// The files that one store consists of: the database and what SQLite keeps beside it.

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "storage/file/file_lock.hpp"

namespace comqtt::storage::tools {

bool file_exists(const std::string& path);
/// 0 when there is none.
uint64_t file_size(const std::string& path);
/// Bytes of the database and of its log.
uint64_t store_size(const std::string& path);

/// Each with its -wal and -journal; -shm is made anew by SQLite.
Result<void> copy_store(const std::string& from, const std::string& to);
void remove_store(const std::string& path);
Result<void> rename_store(const std::string& from, const std::string& to);

/// state: a broker, or another tool, has the store.
Result<FileLock> lock_store(const std::string& path);
/// Whether the store is there to be worked on.
Result<void> require_store(const std::string& path);
/// What was renamed in the folder of `path` is on the disk when this returns.
Result<void> sync_folder(const std::string& path);
Result<void> sync_file(const std::string& path);

Result<std::string> read_file(const std::string& path);

}  // namespace comqtt::storage::tools
