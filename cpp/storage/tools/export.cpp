#include "storage/tools/files.hpp"
#include "storage/tools/json_rows.hpp"
#include "storage/tools/open_store.hpp"
#include "storage/tools/scan.hpp"
#include "storage/tools/tools.hpp"

namespace comqtt::storage::tools {

namespace {

Result<void> export_rows(Db& db, const ExportLine& line) {
    const Error stopped{Status::cancelled, "the export was stopped"};
    if (!line(head_line())) return stopped;
    int64_t records = 0;
    for (const Table& table : all_tables()) {
        bool going = true;
        auto scanned = scan_table(db, table, Messages::queued, [&](const Row& row) {
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
    auto db = open_to_look(path);
    if (!db) return db.take_error();
    return export_rows(*db, line);
}

}  // namespace comqtt::storage::tools
