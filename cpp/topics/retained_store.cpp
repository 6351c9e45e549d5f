#include "topics/retained_store.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "topics/retained_scan.hpp"
#include "topics/topic_order.hpp"

namespace comqtt::topics {

namespace {

bool newer(const Origin& a, const Origin& b) {
    return a.clock != b.clock ? a.clock > b.clock : a.node > b.node;
}

}  // namespace

// From one past the last entry of a block to the first of the next.
RetainedStore::Place RetainedStore::settle(Place place) const {
    if (!at_end(place) && place.entry == blocks_[place.block].size()) return {place.block + 1, 0};
    return place;
}

// The first entry not below the topic; it may be one past the end of a block, where an insertion goes.
RetainedStore::Place RetainedStore::lower_bound(std::string_view topic) const {
    auto above = std::upper_bound(
        blocks_.begin(), blocks_.end(), topic,
        [](std::string_view wanted, const RetainedBlock& block) { return block.starts_above(wanted); });
    if (above == blocks_.begin()) return {};
    auto block = std::prev(above);
    return {static_cast<size_t>(block - blocks_.begin()), block->lower_bound(topic)};
}

// As lower_bound, for a topic above `from` and probably near.
RetainedStore::Place RetainedStore::seek(Place from, std::string_view topic) const {
    const RetainedBlock& block = blocks_[from.block];
    size_t near = std::min(from.entry + 4, block.size());
    for (size_t entry = from.entry + 1; entry < near; ++entry)
        if (compare_topics(topic_of(block[entry]), topic) >= 0) return {from.block, entry};
    if (compare_topics(topic_of(block.back()), topic) < 0) return settle(lower_bound(topic));
    return {from.block, block.lower_bound(topic)};
}

bool RetainedStore::holds(Place place, std::string_view topic) const {
    return !at_end(place) && place.entry < blocks_[place.block].size() && topic_of(at(place)) == topic;
}

RetainedStore::Outcome RetainedStore::store(MessageRef message) {
    std::string_view topic = message->topic_name().text();
    Place place = lower_bound(topic);
    bool held = holds(place, topic);
    if (held && newer(at(place)->origin(), message->origin())) return {};
    if (message->payload().empty()) {
        if (!held) return {};
        return {Change::removed, take(place)};
    }
    bytes_ += message->footprint();
    if (held) {
        bytes_ -= at(place)->footprint();
        return {Change::stored, blocks_[place.block].replace(place.entry, std::move(message))};
    }
    insert(place, std::move(message));
    ++count_;
    return {Change::stored, {}};
}

RetainedStore::Outcome RetainedStore::remove(std::string_view topic_name) {
    Place place = lower_bound(topic_name);
    if (!holds(place, topic_name)) return {};
    return {Change::removed, take(place)};
}

MessageRef RetainedStore::find(std::string_view topic_name) const {
    Place place = lower_bound(topic_name);
    return holds(place, topic_name) ? at(place) : MessageRef{};
}

void RetainedStore::insert(Place place, MessageRef message) {
    if (blocks_.empty()) blocks_.emplace_back();
    if (blocks_[place.block].full()) {
        auto next = blocks_.begin() + static_cast<ptrdiff_t>(place.block) + 1;
        // Topics often arrive in order: then the full block stays full and a new one begins.
        if (place.entry == RetainedBlock::kMaximum && next == blocks_.end()) {
            blocks_.emplace_back();
            place = {place.block + 1, 0};
        } else {
            size_t keep = RetainedBlock::kMaximum / 2;
            blocks_.insert(next, blocks_[place.block].split(keep));
            if (place.entry > keep) place = {place.block + 1, place.entry - keep};
        }
    }
    blocks_[place.block].insert(place.entry, std::move(message));
}

MessageRef RetainedStore::take(Place place) {
    RetainedBlock& block = blocks_[place.block];
    MessageRef taken = block.erase(place.entry);
    --count_;
    bytes_ -= taken->footprint();
    if (block.size() == 0)
        blocks_.erase(blocks_.begin() + static_cast<ptrdiff_t>(place.block));
    else
        join_small(place.block);
    return taken;
}

void RetainedStore::join_small(size_t block) {
    auto joins = [&](size_t left) {
        return left + 1 < blocks_.size() &&
               blocks_[left].size() + blocks_[left + 1].size() <= RetainedBlock::kMaximum / 2;
    };
    if (block > 0 && joins(block - 1))
        --block;
    else if (!joins(block))
        return;
    blocks_[block].append(std::move(blocks_[block + 1]));
    blocks_.erase(blocks_.begin() + static_cast<ptrdiff_t>(block) + 1);
}

void RetainedStore::scan(std::string_view topic_filter, Cursor& cursor, Budget& budget,
                         std::vector<MessageRef>& out) const {
    if (cursor.done || budget.spent()) return;
    Place place;
    if (cursor.started) {
        place = lower_bound(cursor.last_topic);
        if (holds(place, cursor.last_topic)) ++place.entry;
    } else {
        place = lower_bound(literal_start(topic_filter));
        cursor.started = true;
    }
    place = settle(place);

    bool exact = topic_filter.find_first_of("+#") == std::string_view::npos;
    std::string target;
    std::string_view last;
    while (!at_end(place)) {
        last = topic_of(at(place));
        ScanStep step = judge_topic(topic_filter, last, target);
        --budget.topics;
        if (step == ScanStep::match) {
            out.push_back(at(place));
            --budget.messages;
            budget.bytes -= std::min(budget.bytes, at(place)->footprint());
        }
        if (step == ScanStep::done || (exact && step == ScanStep::match)) {
            cursor.done = true;
            return;
        }
        place = step == ScanStep::seek ? seek(place, target) : settle({place.block, place.entry + 1});
        if (budget.spent()) break;
    }
    cursor.done = at_end(place);
    if (!cursor.done) cursor.last_topic.assign(last);
}

void RetainedStore::clear() {
    blocks_.clear();
    count_ = 0;
    bytes_ = 0;
}

}  // namespace comqtt::topics
