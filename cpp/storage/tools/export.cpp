#include "storage/tools/files.hpp"
#include "storage/tools/json_rows.hpp"
#include "storage/tools/scan.hpp"
#include "storage/tools/tools.hpp"
#include "storage/tools/writer.hpp"

namespace comqtt::storage {

namespace {

Result<void> export_rows(Database& database, const ExportLine& line) {
    const Error stopped{Status::cancelled, "the export was stopped"};
    if (!line(head_line())) return stopped;
    int64_t records = 0;
    for (const Table& table : all_tables()) {
        bool going = true;
        auto scanned = scan_table(database, table, Messages::queued, [&](const Row& row) {
            ++records;
            return going = line(record_line(table, row));
        });
        if (!scanned) return scanned;
        if (!going) return stopped;
    }
    if (!line(end_line(records))) return stopped;
    return {};
}

}  // namespace

Result<void> export_store(const std::string& path, const ExportLine& line) {
    if (auto there = require_store(path); !there) return there;
    const auto lock = lock_store(path);
    if (!lock) return lock.error();
    auto database = Database::open(path, Database::Mode::look);
    if (!database) return database.take_error();
    if (auto known = require_known(path, *database); !known) return known;
    auto done = export_rows(*database, line);
    if (!done && done.error().status == Status::storage)
        return Error{Status::storage, path + ": " + done.error().message};
    return done;
}

}  // namespace comqtt::storage
