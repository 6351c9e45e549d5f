#include <fstream>

#include "storage/file/sqlite_open.hpp"
#include "storage/tools/files.hpp"
#include "storage/tools/import_source.hpp"
#include "storage/tools/json_rows.hpp"
#include "storage/tools/mosquitto_file.hpp"
#include "storage/tools/open_store.hpp"
#include "storage/tools/tools.hpp"

namespace comqtt::storage::tools {

namespace {

Error at_line(int64_t number, const Error& error) {
    if (error.status != Status::invalid_argument) return error;
    return {Status::invalid_argument, "line " + std::to_string(number) + ": " + error.message};
}

Result<ImportFormat> detect(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    std::string start(kMosquittoMagic.size(), '\0');
    stream.read(start.data(), static_cast<std::streamsize>(start.size()));
    if (!stream && !stream.eof()) return Error{Status::io, file + ": cannot be read"};
    if (start == kMosquittoMagic) return ImportFormat::mosquitto;
    if (start.starts_with('{')) return ImportFormat::json;
    return Error{Status::invalid_argument, file + ": neither an exported store nor a mosquitto.db"};
}

void report(const RowWriter& writer, const ReportLine& line) {
    std::string text;
    for (const Table& table : all_tables())
        if (writer.count(table.id))
            text += (text.empty() ? "" : ", ") + std::string(table.name) + " " +
                    std::to_string(writer.count(table.id));
    line("imported: " + (text.empty() ? std::string("nothing") : text));
    if (writer.replaced())
        line("sessions that were there before and are replaced: " + std::to_string(writer.replaced()));
}

Result<void> import_rows(Db& db, const std::string& file, ImportFormat format, const ReportLine& line) {
    auto writer = RowWriter::begin(db);
    if (!writer) return writer.take_error();
    auto added = format == ImportFormat::mosquitto ? add_mosquitto_file(file, *writer, line)
                                                   : add_json_file(file, *writer);
    if (!added && added.error().status == Status::invalid_argument)
        return Error{Status::invalid_argument, file + ": " + added.error().message};
    if (!added) return added;
    if (auto finished = writer->finish(); !finished) return finished;
    report(*writer, line);
    return {};
}

}  // namespace

Result<void> add_json_file(const std::string& file, RowWriter& writer) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return Error{Status::io, file + ": cannot be read"};
    int64_t number = 0;
    bool ended = false;
    for (std::string text; std::getline(stream, text);) {
        ++number;
        auto line = parse_line(text);
        if (!line) return at_line(number, line.error());
        const bool is_head = line->kind == JsonLine::Kind::head;
        if (is_head != (number == 1) || ended)
            return at_line(number, {Status::invalid_argument, ended     ? "after the end"
                                                              : is_head ? "a second head"
                                                                        : "the file has no head"});
        if (line->kind == JsonLine::Kind::end) {
            ended = true;
            if (line->count != number - 2)
                return at_line(
                    number, {Status::invalid_argument, std::to_string(number - 2) + " records, " +
                                                           std::to_string(line->count) + " were exported"});
        }
        if (line->kind != JsonLine::Kind::record) continue;
        if (auto added = writer.add(line->table, line->row); !added) return at_line(number, added.error());
    }
    if (stream.bad()) return Error{Status::io, file + ": cannot be read"};
    if (!ended) return at_line(number + 1, {Status::invalid_argument, "the file ends early"});
    return {};
}

Result<void> import_store(const std::string& path, const std::string& file, ImportFormat format,
                          const ReportLine& line) {
    if (auto there = require_store(file); !there) return there;
    if (file_exists(path))
        if (auto there = require_store(path); !there) return there;
    if (format == ImportFormat::detect) {
        const auto detected = detect(file);
        if (!detected) return detected.error();
        format = *detected;
    }
    const auto lock = lock_store(path);
    if (!lock) return lock.error();
    const bool made = !file_exists(path);
    Result<void> done;
    {
        auto db = open_to_change(path);
        done = db ? import_rows(*db, file, format, line) : Result<void>(db.take_error());
        if (db)
            if (auto marked = mark_clean(*db); done && !marked) done = marked.take_error();
    }
    if (!done && made) remove_store(path);
    return done;
}

}  // namespace comqtt::storage::tools
