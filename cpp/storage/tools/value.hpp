#pragma once
// Value: one field of a row, as SQLite stores it.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace comqtt::storage::tools {

struct Value {
    enum class Type : uint8_t { null, integer, text, blob, other };

    Type type = Type::null;
    int64_t number = 0;
    std::string bytes;  ///< text, blob

    static Value integer(int64_t number) { return {Type::integer, number, {}}; }
    static Value text(std::string bytes) { return {Type::text, 0, std::move(bytes)}; }
    static Value blob(std::string bytes) { return {Type::blob, 0, std::move(bytes)}; }
    bool is_null() const { return type == Type::null; }

    bool operator==(const Value&) const = default;
};

using Row = std::vector<Value>;

}  // namespace comqtt::storage::tools
