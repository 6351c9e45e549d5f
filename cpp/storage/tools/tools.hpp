#pragma once
// Work on a store that no broker is running on. Each call holds the store's lock; any thread.

#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace comqtt::storage::tools {

/// One line of a report, without its end. May be empty.
using ReportLine = std::function<void(std::string_view)>;
/// One line of an exported store; false stops the export.
using ExportLine = std::function<bool(std::string_view)>;

enum class ImportFormat : uint8_t { detect, json, mosquitto };

/// Errors of all: not_found = no such file; state = in use; io, storage = the disk, SQLite.
/// storage when the store is damaged, too; the report then has each problem.
Result<void> check_store(const std::string& path, const ReportLine& line);
/// Makes a sound store of what can be read; the old one is kept as `<path>.bad-<time>`.
Result<void> repair_store(const std::string& path, const ReportLine& line);
/// cancelled when `line` answered false.
Result<void> export_store(const std::string& path, const ExportLine& line);
/// All of the file, or nothing. invalid_argument with line or offset when the file is not what it should be.
Result<void> import_store(const std::string& path, const std::string& file, ImportFormat format,
                          const ReportLine& line);

}  // namespace comqtt::storage::tools
