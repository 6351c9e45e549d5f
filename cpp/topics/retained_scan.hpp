#pragma once
// How a filter walks the ordered topics: whether a topic matches and, if not, where to look next.

#include <string>
#include <string_view>

namespace comqtt::topics {

enum class ScanStep : unsigned char {
    match,
    seek,  ///< no match before the target
    done,  ///< no match from here on
};

/// Judges one topic name. With `seek`, `target` is above `topic_name` and not above the next match.
ScanStep judge_topic(std::string_view topic_filter, std::string_view topic_name, std::string& target);

/// The literal levels a filter begins with: no match is below this text.
std::string_view literal_start(std::string_view topic_filter);

}  // namespace comqtt::topics
