#include "session/share_name.hpp"

#include "topics/filter.hpp"

namespace comqtt::session {

Ref<ShareName> ShareName::read(std::string_view text) {
    topics::ParsedFilter parsed;
    if (topics::parse_filter(text, parsed) != topics::FilterError::none || !parsed.shared) return {};
    return make(parsed.share_name, parsed.topic_filter);
}

}  // namespace comqtt::session
