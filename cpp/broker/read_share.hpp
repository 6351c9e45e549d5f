#pragma once
// The share that a filter's text names.

#include "session/share_name.hpp"
#include "topics/filter.hpp"

namespace comqtt::broker {

/// Null when the text is not that of a shared subscription.
inline Ref<session::ShareName> read_share(std::string_view text) {
    topics::ParsedFilter parsed;
    if (topics::parse_filter(text, parsed) != topics::FilterError::none || !parsed.shared) return {};
    return session::ShareName::make(parsed.share_name, parsed.topic_filter);
}

}  // namespace comqtt::broker
