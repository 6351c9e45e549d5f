#include "storage/tools/json_rows.hpp"

#include <nlohmann/json.hpp>

#include "mqtt/publish_view.hpp"
#include "storage/file/schema.hpp"
#include "storage/tools/base64.hpp"
#include "storage/tools/row_rules.hpp"

namespace comqtt::storage::tools {

namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr const char* kHead = "comqtt-store";
constexpr const char* kEnd = "end";
constexpr const char* kBase64 = "base64";

Error bad(std::string text) { return {Status::invalid_argument, std::move(text)}; }

const char* key_of(const Column& column) {
    return column.kind == ColumnKind::session ? "client_id" : column.name;
}

OrderedJson to_json(const Value& value) {
    switch (value.type) {
        case Value::Type::integer: return value.number;
        case Value::Type::text:
            if (mqtt::utf8_valid(ByteView(std::string_view(value.bytes)))) return value.bytes;
            return {{kBase64, to_base64(value.bytes)}};
        default: return to_base64(value.bytes);
    }
}

Result<std::string> bytes_from(const Json& json) {
    if (!json.is_string()) return bad("is not base64");
    auto bytes = from_base64(json.get_ref<const std::string&>());
    if (!bytes) return bad("is not base64");
    return std::move(*bytes);
}

Result<int64_t> number_from(const Json& json) {
    if (!json.is_number_integer()) return bad("is not a whole number");
    if (json.is_number_unsigned() && json.get<uint64_t>() > uint64_t{INT64_MAX})
        return bad("is out of range");
    return json.get<int64_t>();
}

Result<Value> value_from(const Column& column, const Json& json) {
    switch (column.kind) {
        case ColumnKind::integer: {
            auto number = number_from(json);
            if (!number) return number.take_error();
            return Value::integer(*number);
        }
        case ColumnKind::blob: {
            auto bytes = bytes_from(json);
            if (!bytes) return bytes.take_error();
            return Value::blob(bytes.take());
        }
        default: break;
    }
    if (json.is_string()) return Value::text(json.get<std::string>());
    if (!json.is_object() || json.size() != 1 || !json.contains(kBase64)) return bad("is not a text");
    auto bytes = bytes_from(json[kBase64]);
    if (!bytes) return bytes.take_error();
    return Value::text(bytes.take());
}

Result<JsonLine> record_from(const Table& table, const Json& json) {
    JsonLine line;
    line.table = table.id;
    size_t used = 1;  // "type"
    for (const Column& column : portable_columns(table)) {
        const auto found = json.find(key_of(column));
        if (found == json.end()) {
            if (!column.nullable) return bad(std::string(key_of(column)) + " is missing");
            line.row.emplace_back();
            continue;
        }
        auto value = value_from(column, *found);
        if (!value) return bad(std::string(key_of(column)) + " " + value.error().message);
        line.row.push_back(value.take());
        ++used;
    }
    if (used == json.size()) return line;
    for (const auto& [key, value] : json.items()) {
        bool known = key == "type";
        for (const Column& column : portable_columns(table)) known = known || key == key_of(column);
        if (!known) return bad("unknown member '" + printable(key) + "'");
    }
    return bad("unknown members");
}

Result<JsonLine> head_from(const Json& json) {
    const auto version = json.find("version");
    if (version == json.end() || !version->is_number_integer() || version->get<int64_t>() != kExportVersion)
        return bad("this file is of another version, " + std::to_string(kExportVersion) + " is known here");
    JsonLine line;
    line.kind = JsonLine::Kind::head;
    return line;
}

Result<JsonLine> end_from(const Json& json) {
    const auto records = json.find("records");
    if (records == json.end()) return bad("records is missing");
    auto number = number_from(*records);
    if (!number) return bad("records " + number.error().message);
    JsonLine line;
    line.kind = JsonLine::Kind::end;
    line.count = *number;
    return line;
}

}  // namespace

std::string head_line() {
    return OrderedJson{{"type", kHead}, {"version", kExportVersion}, {"schema", kSchemaVersion}}.dump();
}

std::string record_line(const Table& table, const Row& row) {
    OrderedJson json{{"type", table.record}};
    const auto columns = portable_columns(table);
    for (size_t i = 0; i < columns.size() && i < row.size(); ++i)
        if (!row[i].is_null()) json[key_of(columns[i])] = to_json(row[i]);
    return json.dump();
}

std::string end_line(int64_t records) { return OrderedJson{{"type", kEnd}, {"records", records}}.dump(); }

Result<JsonLine> parse_line(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) return bad("not JSON");
    if (!json.is_object()) return bad("not an object");
    const auto type = json.find("type");
    if (type == json.end() || !type->is_string()) return bad("type is missing");
    const auto& name = type->get_ref<const std::string&>();
    if (name == kHead) return head_from(json);
    if (name == kEnd) return end_from(json);
    for (const Table& table : all_tables())
        if (name == table.record) return record_from(table, json);
    return bad("unknown type '" + printable(name) + "'");
}

}  // namespace comqtt::storage::tools
