// Topic filters: whatever parse_filter accepts, matches(), the subscription index and the retained store
// agree on. Input: lines; the first is the topic name, the others are filters.

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "topics/filter.hpp"
#include "topics/retained_store.hpp"
#include "topics/subscription_index.hpp"

using namespace comqtt;
using namespace comqtt::mqtt;
using namespace comqtt::topics;

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (lines.size() < 64) {
        size_t end = text.find('\n');
        lines.push_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return lines;
}

void check_parsed(std::string_view filter, const ParsedFilter& parsed) {
    require(!parsed.topic_filter.empty());
    require(parsed.shared == filter.starts_with("$share/"));
    require(parsed.shared || parsed.topic_filter == filter);
    require(parsed.levels == level_count(parsed.topic_filter));
    require(parsed.has_wildcard || matches(parsed.topic_filter, parsed.topic_filter));
}

bool retained_agrees(const RetainedStore& store, std::string_view filter, bool expected) {
    RetainedStore::Cursor cursor;
    std::vector<MessageRef> out;
    for (int calls = 0; !cursor.done; ++calls) {
        if (calls > 100) return false;
        store.scan(filter, cursor, 1, 1, out);
    }
    return out.size() == (expected ? 1u : 0u);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    // The callers have refused U+0000, and wildcards in a topic name.
    if (text.find('\0') != std::string_view::npos) return 0;
    auto lines = lines_of(text);
    std::string_view topic = lines.front();
    if (topic.empty() || topic.size() > UINT16_MAX || topic.find_first_of("+#") != std::string_view::npos)
        return 0;

    RetainedStore store;
    MessageFields fields;
    fields.topic_name = ByteView(topic);
    fields.payload = ByteView(std::string_view("x"));
    store.store(Message::make(fields));

    SubscriptionIndex index;
    std::vector<ParsedFilter> parsed(lines.size());
    size_t plain = 0;
    size_t groups = 0;
    for (size_t i = 1; i < lines.size(); ++i) {
        if (parse_filter(lines[i], parsed[i]) != FilterError::none) {
            parsed[i] = {};
            continue;
        }
        check_parsed(lines[i], parsed[i]);
        // One subscriber per line: each matching line counts, and a shared one is a group of its own name.
        auto outcome = index.subscribe(parsed[i].topic_filter, parsed[i].share_name, {i}, {});
        bool expected = matches(parsed[i].topic_filter, topic);
        require(retained_agrees(store, parsed[i].topic_filter, expected));
        if (!expected) continue;
        if (!parsed[i].shared)
            ++plain;
        else if (outcome.subscribers == 1)
            ++groups;
    }
    Matches found;
    index.match(topic, found);
    require(found.plain.size() == plain);
    require(found.groups.size() == groups);
    for (size_t i = 1; i < lines.size(); ++i)
        if (!parsed[i].topic_filter.empty())
            require(index.unsubscribe(parsed[i].topic_filter, parsed[i].share_name, {i}).existed);
    require(index.filter_count() == 0 && index.subscription_count() == 0);
    index.match(topic, found);
    require(found.plain.empty() && found.groups.empty());
    return 0;
}
