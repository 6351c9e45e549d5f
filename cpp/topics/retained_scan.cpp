#include "topics/retained_scan.hpp"

#include "topics/levels.hpp"
#include "topics/topic_order.hpp"

namespace comqtt::topics {

namespace {

constexpr size_t kNone = std::string_view::npos;

// Past everything below the level that the last '+' matched; without a '+' there is nothing to vary.
ScanStep leap(std::string_view topic, size_t plus_end, std::string& target) {
    if (plus_end == kNone) return ScanStep::done;
    target.assign(topic.substr(0, plus_end));
    target.push_back(kAfterSubtree);
    return ScanStep::seek;
}

ScanStep seek_to(std::string_view before, std::string_view levels, std::string& target) {
    target.assign(before);
    target.append(literal_start(levels));
    return ScanStep::seek;
}

}  // namespace

std::string_view literal_start(std::string_view filter) {
    size_t wildcard = filter.find_first_of("+#");
    if (wildcard == kNone) return filter;
    // Without the separator before it: `a/#` begins with its parent level `a`.
    return filter.substr(0, wildcard == 0 ? 0 : wildcard - 1);
}

ScanStep judge_topic(std::string_view filter, std::string_view topic, std::string& target) {
    // [MQTT-4.7.2-1]
    if (topic.starts_with('$') && (filter.starts_with('+') || filter.starts_with('#'))) {
        target.assign(1, '$' + 1);
        return ScanStep::seek;
    }
    size_t filter_at = 0;
    size_t topic_at = 0;
    size_t plus_end = kNone;  // where in the topic the level of the last '+' ends
    while (filter_at <= filter.size()) {
        size_t filter_stop = level_end(filter, filter_at);
        std::string_view wanted = filter.substr(filter_at, filter_stop - filter_at);
        if (wanted == "#") return ScanStep::match;
        if (topic_at > topic.size()) {
            target.assign(topic).push_back('/');
            target.append(literal_start(filter.substr(filter_at)));
            return ScanStep::seek;
        }
        size_t topic_stop = level_end(topic, topic_at);
        std::string_view level = topic.substr(topic_at, topic_stop - topic_at);
        if (wanted == "+") {
            plus_end = topic_stop;
        } else if (level < wanted) {
            return seek_to(topic.substr(0, topic_at), filter.substr(filter_at), target);
        } else if (wanted < level) {
            return leap(topic, plus_end, target);
        }
        filter_at = filter_stop + 1;
        topic_at = topic_stop + 1;
    }
    return topic_at > topic.size() ? ScanStep::match : leap(topic, plus_end, target);
}

}  // namespace comqtt::topics
