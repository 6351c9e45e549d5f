#pragma once
// A folder that goes with its test, and stores to work on.

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "storage/file/sqlite_open.hpp"
#include "storage/tools/files.hpp"
#include "storage/tools/open_store.hpp"
#include "storage/tools/row_writer.hpp"
#include "storage/tools/statement.hpp"
#include "storage/tools/tools.hpp"

namespace tools_test {

using namespace comqtt;
using namespace comqtt::storage;
using namespace comqtt::storage::tools;

class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "comqtt-tools-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()));
        path_ = name;
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string operator/(const std::string& name) const { return (path_ / name).string(); }
    std::vector<std::string> names(const std::string& beginning) const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(path_))
            if (entry.path().filename().string().starts_with(beginning))
                found.push_back(entry.path().filename().string());
        return found;
    }

private:
    std::filesystem::path path_;
};

/// Lines of a report.
class Report {
public:
    ReportLine line() {
        return [this](std::string_view text) { lines.emplace_back(text); };
    }
    bool has(std::string_view part) const {
        for (const std::string& text : lines)
            if (text.find(part) != std::string::npos) return true;
        return false;
    }
    std::vector<std::string> lines;
};

inline Row session(const std::string& id) {
    return {Value::text(id),      Value::text("user"),  Value::text("1.2.3.4:5"),
            Value::text("tcp"),   Value::integer(5),    Value::integer(0),
            Value::integer(3600), Value::integer(1000), {},
            Value::integer(0),    Value::integer(0)};
}
inline Row subscription(const std::string& id, const std::string& filter) {
    return {Value::text(id), Value::text(filter), Value::integer(1), Value::integer(0)};
}
inline Row message(int64_t number, const std::string& topic, const std::string& payload) {
    return {Value::integer(number), Value::integer(1000), {}, Value::integer(1),
            Value::text(topic),     Value::blob(payload), {}, Value::text("origin")};
}
inline Row queued(const std::string& id, int64_t position, int64_t number, int64_t packet_id = 0) {
    return {Value::text(id),
            Value::integer(position),
            Value::integer(number),
            Value::integer(packet_id),
            Value::integer(1),
            Value::integer(100),
            Value::integer(0),
            {},
            {}};
}
inline Row released(const std::string& id, int64_t position, int64_t packet_id) {
    return {Value::text(id),
            Value::integer(position),
            {},
            Value::integer(packet_id),
            Value::integer(10),
            Value::integer(100),
            Value::integer(0),
            {},
            {}};
}
inline Row retained(const std::string& topic, const std::string& payload) {
    return {Value::text(topic),   Value::integer(1000), {}, Value::integer(1), Value::blob(payload), {},
            Value::text("origin")};
}

struct TableRow {
    TableId table;
    Row row;
};
using Rows = std::vector<TableRow>;

inline void make_store(const std::string& path, const Rows& rows) {
    auto db = open_to_change(path);
    REQUIRE(db);
    auto writer = RowWriter::begin(*db);
    REQUIRE(writer);
    for (const TableRow& each : rows) {
        const auto added = writer->add(each.table, each.row);
        INFO(added.error().message);
        REQUIRE(added);
    }
    REQUIRE(writer->finish());
    REQUIRE(mark_clean(*db));
}

/// Two sessions with something in every table.
inline Rows some_of_all() {
    // PUBLISH, QoS 0, topic "w", no properties, payload "gone".
    const std::string will("\x30\x08\x00\x01w\x00gone", 10);
    Rows rows = {{TableId::sessions, session("alpha")},
                 {TableId::sessions, session("beta")},
                 {TableId::subscriptions, subscription("alpha", "a/#")},
                 {TableId::subscriptions, subscription("beta", "$share/g/b/+")},
                 {TableId::messages, message(1, "a/1", "one")},
                 {TableId::messages, message(2, "a/2", std::string("\0\xFF", 2))},
                 {TableId::queue, queued("alpha", 1, 1, 7)},
                 {TableId::queue, queued("alpha", 2, 2)},
                 {TableId::queue, queued("beta", 5, 1)},
                 {TableId::queue, released("beta", 6, 9)},
                 {TableId::received, {Value::text("beta"), Value::integer(3)}},
                 {TableId::retained, retained("r/1", "kept")},
                 {TableId::blocked, {Value::text("villain")}},
                 {TableId::counters, {Value::text("messages_received"), Value::integer(12)}}};
    rows[0].row[session_row::will] = Value::blob(will);
    rows[7].row[queue_row::identifiers] = Value::blob(std::string("\0\0\0\x07\0\0\0\x08", 8));
    rows[8].row[queue_row::share] = Value::text("$share/g/b/+");
    rows[5].row[message_row::properties] = Value::blob(std::string("\x03\0\x04text", 7));
    rows[5].row[message_row::expiry] = Value::integer(60);
    return rows;
}

inline void change(const std::string& path, const std::string& sql) {
    auto db = Db::open(path, Db::Mode::existing);
    REQUIRE(db);
    const auto done = db->run(sql.c_str());
    INFO(done.error().message);
    REQUIRE(done);
}

inline int64_t number(const std::string& path, const std::string& sql) {
    auto db = open_to_look(path);
    REQUIRE(db);
    const auto found = db->number(sql.c_str());
    REQUIRE(found);
    return *found;
}

inline std::string exported(const std::string& path) {
    std::string text;
    const auto done = export_store(path, [&](std::string_view line) {
        text.append(line).append("\n");
        return true;
    });
    INFO(done.error().message);
    REQUIRE(done);
    return text;
}

inline void write_file(const std::string& path, std::string_view bytes) {
    std::ofstream stream(path, std::ios::binary);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    REQUIRE(stream.good());
}

}  // namespace tools_test
