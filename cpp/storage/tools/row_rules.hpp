#pragma once
// What a single value of a row must be beside its type.

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "storage/tools/tables.hpp"

namespace comqtt::storage::tools {

/// Empty when the value keeps the rule; otherwise what is wrong, to stand after the column's name.
std::string broken_rule(ColumnRule rule, const Value& value);

/// Well-formed UTF-8 of at most 65,535 bytes without U+0000.
bool is_mqtt_text(std::string_view text);

/// For a line of a report: control characters and bytes that are no text become `?`, long text is cut.
std::string printable(std::string_view text);

}  // namespace comqtt::storage::tools
