#include "topics/filter.hpp"

#include <algorithm>

#include "topics/levels.hpp"

namespace comqtt::topics {

namespace {

constexpr std::string_view kSharePrefix = "$share/";

// Where the level that starts at `from` ends: its separator, or the end of the text.
// [MQTT-4.7.1-1] [MQTT-4.7.1-2]: a wildcard fills its level, `#` only the last one.
FilterError check_levels(ParsedFilter& out) {
    std::string_view filter = out.topic_filter;
    out.levels = level_count(filter);
    size_t at = filter.find_first_of("+#");
    while (at != std::string_view::npos) {
        out.has_wildcard = true;
        bool starts_level = at == 0 || filter[at - 1] == '/';
        bool last = at + 1 == filter.size();
        bool ends_level = last || filter[at + 1] == '/';
        if (!starts_level || !ends_level || (filter[at] == '#' && !last)) return FilterError::bad_wildcard;
        at = filter.find_first_of("+#", at + 1);
    }
    return FilterError::none;
}

}  // namespace

FilterError parse_filter(std::string_view filter, ParsedFilter& out) {
    out = ParsedFilter{};
    if (filter.empty()) return FilterError::empty;
    out.topic_filter = filter;
    if (filter.starts_with(kSharePrefix)) {
        std::string_view rest = filter.substr(kSharePrefix.size());
        size_t slash = rest.find('/');
        if (slash == std::string_view::npos || slash == 0 || slash + 1 == rest.size())
            return FilterError::bad_share;
        out.shared = true;
        out.share_name = rest.substr(0, slash);
        out.topic_filter = rest.substr(slash + 1);
        if (out.share_name.find_first_of("+#") != std::string_view::npos) return FilterError::bad_share;
    }
    return check_levels(out);
}

size_t level_count(std::string_view topic) {
    return static_cast<size_t>(std::count(topic.begin(), topic.end(), '/')) + 1;
}

bool matches(std::string_view topic_filter, std::string_view topic_name) {
    if (topic_filter.empty() || topic_name.empty()) return false;
    bool wild_start = topic_filter.front() == '+' || topic_filter.front() == '#';
    if (wild_start && topic_name.front() == '$') return false;

    // A position one past the end means that every level, an empty last one included, is used up.
    size_t filter_at = 0;
    size_t topic_at = 0;
    while (filter_at <= topic_filter.size()) {
        size_t filter_stop = level_end(topic_filter, filter_at);
        std::string_view level = topic_filter.substr(filter_at, filter_stop - filter_at);
        if (level == "#") return true;  // also when the topic has ended: the parent level
        if (topic_at > topic_name.size()) return false;
        size_t topic_stop = level_end(topic_name, topic_at);
        if (level != "+" && level != topic_name.substr(topic_at, topic_stop - topic_at)) return false;
        filter_at = filter_stop + 1;
        topic_at = topic_stop + 1;
    }
    return topic_at > topic_name.size();
}

}  // namespace comqtt::topics
