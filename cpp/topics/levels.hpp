#pragma once
// Levels of a topic name or filter: what is between two slashes.

#include <string_view>

namespace comqtt::topics {

/// Where the level that begins at `from` ends: its slash, or the end of the text.
inline size_t level_end(std::string_view text, size_t from) {
    const size_t end = text.find('/', from);
    return end == std::string_view::npos ? text.size() : end;
}

inline std::string_view first_level(std::string_view text) { return text.substr(0, text.find('/')); }

}  // namespace comqtt::topics
