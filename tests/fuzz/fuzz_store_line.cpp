// Lines of an exported store: what is accepted is written the same again. Input: one line.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "storage/tools/json_rows.hpp"

using namespace comqtt;
using namespace comqtt::storage::tools;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const auto line = parse_line(std::string_view(reinterpret_cast<const char*>(data), size));
    if (!line || line->kind != JsonLine::Kind::record) return 0;
    const Table& table = table_of(line->table);
    if (const auto problem = find_problem(table, line->row); problem && problem->text.empty()) std::abort();
    if (describe(table, line->row).empty()) std::abort();
    const auto again = parse_line(record_line(table, line->row));
    if (!again || again->row != line->row) std::abort();
    return 0;
}
