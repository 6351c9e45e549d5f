#pragma once
// Reads a store as portable rows.

#include <cstdint>
#include <functional>
#include <string>

#include "storage/tools/statement.hpp"
#include "storage/tools/tables.hpp"

namespace comqtt::storage::tools {

enum class Messages : uint8_t { all, queued };  ///< queued: those that a session has

/// Rows of one table in the order of its key; rows whose session is missing are left out. `row` answers false to
/// stop, which is no error.
Result<void> scan_table(Db& db, const Table& table, Messages messages,
                        const std::function<bool(const Row&)>& row);

}  // namespace comqtt::storage::tools
