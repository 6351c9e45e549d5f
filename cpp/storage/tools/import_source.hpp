#pragma once
// The kinds of files that can be imported: each reads one and gives its rows to a writer.

#include <string>

#include "storage/tools/tools.hpp"
#include "storage/tools/writer.hpp"

namespace comqtt::storage {

/// What export_store wrote.
Result<void> add_json_file(const std::string& file, StoreWriter& writer);
/// A mosquitto.db; `line` is told what was left out.
Result<void> add_mosquitto_file(const std::string& file, StoreWriter& writer, const ReportLine& line);

}  // namespace comqtt::storage
