#pragma once
// Whose file is at a store's path: told from its bytes, before SQLite opens it or anything is written beside it.

#include <string>

#include "base/result.hpp"

namespace comqtt::storage {

enum class FileKind : uint8_t {
    missing,
    empty,     ///< no bytes: taken as a new store
    unmarked,  ///< a database without the mark of a program: a new store when nothing is in it
    ours,      ///< a store, perhaps a damaged one
    database,  ///< of another program
    other,
};

/// An error for what is no store and cannot become one: it is left as it is. Only what is `ours` may be set aside.
Result<FileKind> kind_of_store(const std::string& path);

/// The words for it.
Error not_a_store(const std::string& path, FileKind kind);

}  // namespace comqtt::storage
