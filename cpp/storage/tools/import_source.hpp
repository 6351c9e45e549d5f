#pragma once
// The kinds of files that can be imported: each reads one and gives its rows to a writer.

#include <string>

#include "storage/tools/row_writer.hpp"
#include "storage/tools/tools.hpp"

namespace comqtt::storage::tools {

/// What export_store wrote.
Result<void> add_json_file(const std::string& file, RowWriter& writer);
/// A mosquitto.db; `line` is told what was left out.
Result<void> add_mosquitto_file(const std::string& file, RowWriter& writer, const ReportLine& line);

}  // namespace comqtt::storage::tools
