#pragma once
// The order of topic names in the retained store: bytewise, but '/' below every other byte, so that it is
// the order of a depth-first walk, level by level: a, a/b, a/b/c, a/c, a!, b.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace comqtt::topics {

/// Rank of a byte; 0 is the end of the text.
constexpr unsigned topic_rank(char c) {
    return c == '/' ? 1 : static_cast<unsigned>(static_cast<uint8_t>(c)) + 2;
}

/// Negative, zero or positive, as memcmp. The first `same` bytes are known to be equal.
inline int compare_topics(std::string_view a, std::string_view b, size_t same = 0) {
    size_t shorter = std::min(a.size(), b.size());
    size_t at = same;
    while (at + 8 <= shorter && std::memcmp(a.data() + at, b.data() + at, 8) == 0) at += 8;
    while (at < shorter && a[at] == b[at]) ++at;
    unsigned rank_a = at < a.size() ? topic_rank(a[at]) : 0;
    unsigned rank_b = at < b.size() ? topic_rank(b[at]) : 0;
    return static_cast<int>(rank_a) - static_cast<int>(rank_b);
}

/// The least text above `topic` and everything below it in the tree. (No topic has U+0000.)
inline constexpr char kAfterSubtree = '\1';

}  // namespace comqtt::topics
