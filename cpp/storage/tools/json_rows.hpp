#pragma once
// Portable rows as JSON, one object a line. docs/storage.md has the form.

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "storage/tools/tables.hpp"

namespace comqtt::storage::tools {

inline constexpr int64_t kExportVersion = 1;

struct JsonLine {
    enum class Kind : uint8_t { head, record, end };
    Kind kind = Kind::record;
    TableId table{};
    Row row;            ///< record
    int64_t count = 0;  ///< end: records before it
};

std::string head_line();
std::string record_line(const Table& table, const Row& row);
std::string end_line(int64_t records);

/// invalid_argument with what is wrong.
Result<JsonLine> parse_line(std::string_view line);

}  // namespace comqtt::storage::tools
