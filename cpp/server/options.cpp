#include "server/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "server/option_table.hpp"

namespace comqtt::server {

namespace {

/// The key without the prefix it has in a configuration file.
std::string_view bare(std::string_view key) {
    for (const std::string_view prefix : {"mqtt.options.", "options."})
        if (key.starts_with(prefix)) return key.substr(prefix.size());
    return key;
}

const OptionRow* find_row(std::string_view key) {
    key = bare(key);
    for (const OptionRow& row : option_table())
        if (key == row.info.key) return &row;
    return nullptr;
}

/// Levenshtein distance, for "did you mean".
size_t distance(std::string_view a, std::string_view b) {
    std::vector<size_t> row(b.size() + 1);
    for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (size_t i = 1; i <= a.size(); ++i) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            const size_t above = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
            diagonal = above;
        }
    }
    return row[b.size()];
}

Error unknown_key(std::string_view key) {
    const char* nearest = "";
    size_t best = SIZE_MAX;
    for (const OptionRow& row : option_table()) {
        const std::string_view whole = row.info.key;
        const std::string_view last = whole.substr(whole.rfind('.') + 1);
        const size_t score = std::min(distance(bare(key), whole), distance(bare(key), last));
        if (score < best) {
            best = score;
            nearest = row.info.key;
        }
    }
    return Error{Status::not_found, fmt::format("unknown option '{}'; did you mean '{}'?", key, nearest)};
}

Error bad_value(const OptionRow& row, std::string_view value) {
    std::string expected;
    if (row.info.type == OptionType::boolean) {
        expected = "true or false";
    } else if (row.words) {
        for (const char* const* word = row.words; *word; ++word)
            expected += (expected.empty() ? "" : ", ") + std::string(*word);
        expected = "one of " + expected;
    } else {
        expected = fmt::format("a number from {} to {}", row.info.minimum, row.info.maximum);
    }
    return Error{Status::invalid_argument,
                 fmt::format("option '{}': '{}' is not {}", row.info.key, value, expected)};
}

}  // namespace

Result<void> set_option(Options& options, std::string_view key, std::string_view value) {
    const OptionRow* row = find_row(key);
    if (!row) return unknown_key(key);
    if (row->text) {
        if (value.size() < static_cast<size_t>(row->info.minimum) ||
            value.size() > static_cast<size_t>(row->info.maximum) ||
            value.find('\0') != std::string_view::npos)
            return Error{Status::invalid_argument,
                         fmt::format("option '{}': a text of {} to {} bytes without zero bytes is expected",
                                     row->info.key, row->info.minimum, row->info.maximum)};
        row->text(options) = value;
        return {};
    }
    if (row->words) {
        for (int64_t i = 0; row->words[i]; ++i) {
            if (value != row->words[i]) continue;
            row->write(options, i);
            return {};
        }
        return bad_value(*row, value);
    }
    if (row->info.type == OptionType::boolean) {
        const bool on = value == "true" || value == "1" || value == "yes" || value == "on";
        const bool off = value == "false" || value == "0" || value == "no" || value == "off";
        if (!on && !off) return bad_value(*row, value);
        row->write(options, on);
        return {};
    }
    int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size() || number < row->info.minimum ||
        number > row->info.maximum)
        return bad_value(*row, value);
    row->write(options, number);
    return {};
}

Result<std::string> get_option(const Options& options, std::string_view key) {
    const OptionRow* row = find_row(key);
    if (!row) return unknown_key(key);
    if (row->text) return row->text(const_cast<Options&>(options));
    const int64_t value = row->read(options);
    if (row->words) return std::string(row->words[value]);
    if (row->info.type == OptionType::boolean) return std::string(value ? "true" : "false");
    return fmt::format("{}", value);
}

void each_option(const std::function<void(const OptionInfo&)>& fn) {
    for (const OptionRow& row : option_table()) fn(row.info);
}

const OptionInfo* find_option(std::string_view key) {
    const OptionRow* row = find_row(key);
    return row ? &row->info : nullptr;
}

}  // namespace comqtt::server
