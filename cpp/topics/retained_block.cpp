#include "topics/retained_block.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "topics/topic_order.hpp"

namespace comqtt::topics {

namespace {

// A byte in the order of topics: '/' is 1, those below it move up by one. The end of the text is 0.
constexpr uint32_t key_byte(char c) {
    auto byte = static_cast<uint8_t>(c);
    return c == '/' ? 1 : byte < '/' ? byte + 1u : byte;
}

// Four bytes of a topic as a number: of two topics that are equal up to `from`, the lower one's is not greater.
uint32_t key_of(std::string_view topic, size_t from) {
    uint32_t key = 0;
    for (size_t at = from; at < from + 4; ++at)
        key = (key << 8) | (at < topic.size() ? key_byte(topic[at]) : 0);
    return key;
}

size_t shared_prefix(std::string_view a, std::string_view b) {
    size_t shorter = std::min(a.size(), b.size());
    size_t at = 0;
    while (at < shorter && a[at] == b[at]) ++at;
    return at;
}

}  // namespace

bool RetainedBlock::starts_above(std::string_view topic) const {
    int order = compare_topics(head(), topic.substr(0, head_size_));
    if (order == 0) order = compare_topics(topic_of(entries_.front()), topic, head_size_);
    return order > 0;
}

size_t RetainedBlock::lower_bound(std::string_view topic) const {
    std::string_view shared =
        shared_ <= head_size_ ? head().substr(0, shared_) : topic_of(entries_.front()).substr(0, shared_);
    int order = compare_topics(topic.substr(0, shared_), shared);
    if (order != 0) return order < 0 ? 0 : entries_.size();
    auto keys = std::equal_range(keys_.begin(), keys_.end(), key_of(topic, shared_));
    auto found = std::lower_bound(entries_.begin() + (keys.first - keys_.begin()),
                                  entries_.begin() + (keys.second - keys_.begin()), topic,
                                  [&](const MessageRef& entry, std::string_view wanted) {
                                      return compare_topics(topic_of(entry), wanted, shared_) < 0;
                                  });
    return static_cast<size_t>(found - entries_.begin());
}

void RetainedBlock::insert(size_t at, MessageRef message) {
    auto offset = static_cast<ptrdiff_t>(at);
    auto entry = entries_.insert(entries_.begin() + offset, std::move(message));
    if (at == 0) note_head();
    // What the outermost topics share, all share; one in the middle cannot make that less.
    bool outermost = at == 0 || at + 1 == entries_.size();
    if (entries_.size() == 1 ||
        (outermost && shared_prefix(topic_of(entries_.front()), topic_of(entries_.back())) < shared_))
        note_keys();
    else
        keys_.insert(keys_.begin() + offset, key_of(topic_of(*entry), shared_));
}

MessageRef RetainedBlock::replace(size_t at, MessageRef message) {
    return std::exchange(entries_[at], std::move(message));
}

MessageRef RetainedBlock::erase(size_t at) {
    auto offset = static_cast<ptrdiff_t>(at);
    MessageRef taken = std::move(entries_[at]);
    entries_.erase(entries_.begin() + offset);
    keys_.erase(keys_.begin() + offset);
    if (at == 0 && !entries_.empty()) note_head();
    return taken;
}

RetainedBlock RetainedBlock::split(size_t at) {
    RetainedBlock upper;
    auto middle = entries_.begin() + static_cast<ptrdiff_t>(at);
    upper.entries_.assign(std::make_move_iterator(middle), std::make_move_iterator(entries_.end()));
    entries_.erase(middle, entries_.end());
    note_keys();
    upper.note_head();
    upper.note_keys();
    return upper;
}

void RetainedBlock::append(RetainedBlock&& next) {
    entries_.insert(entries_.end(), std::make_move_iterator(next.entries_.begin()),
                    std::make_move_iterator(next.entries_.end()));
    note_keys();
}

void RetainedBlock::note_head() {
    std::string_view topic = topic_of(entries_.front());
    head_size_ = static_cast<uint32_t>(std::min(topic.size(), kHead));
    std::memcpy(head_, topic.data(), head_size_);
}

void RetainedBlock::note_keys() {
    shared_ = shared_prefix(topic_of(entries_.front()), topic_of(entries_.back()));
    keys_.clear();
    for (const MessageRef& entry : entries_) keys_.push_back(key_of(topic_of(entry), shared_));
}

}  // namespace comqtt::topics
