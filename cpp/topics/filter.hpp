#pragma once
// Topic filters: validity, `$share` parsing, matching one filter against one topic name.

#include <cstddef>
#include <string_view>

#include "base/bytes.hpp"

namespace comqtt::topics {

/// A subscription's filter taken apart.
struct ParsedFilter {
    std::string_view share_name;    ///< empty for an ordinary subscription
    std::string_view topic_filter;  ///< without `$share/<name>/`
    bool shared = false;
    bool has_wildcard = false;
    size_t levels = 0;  ///< of topic_filter
};

enum class FilterError : unsigned char {
    none,
    empty,         ///< [MQTT-4.7.3-1]
    bad_wildcard,  ///< [MQTT-4.7.1-1] [MQTT-4.7.1-2]
    bad_share,     ///< [MQTT-4.8.2-1] [MQTT-4.8.2-2]: no name, wildcard in the name, no filter
};

/// Takes `filter` apart; it must already be valid UTF-8 without U+0000. The views point into it.
/// `$share` is case-sensitive; a filter beginning `$share/` is always a shared one.
FilterError parse_filter(std::string_view filter, ParsedFilter& out);

/// Number of levels ("a/b" has 2, "/" has 2).
size_t level_count(std::string_view topic);

/// True when the ordinary filter matches the topic name: `+` one level, `#` the rest and the parent level,
/// a filter that begins with a wildcard does not match a topic that begins with `$` [MQTT-4.7.2-1].
bool matches(std::string_view topic_filter, std::string_view topic_name);

}  // namespace comqtt::topics
