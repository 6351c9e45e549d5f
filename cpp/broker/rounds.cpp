#include "broker/rounds.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace comqtt::broker {

Round& Rounds::close(int64_t now_ms) {
    Round& round = open();
    round.closed = true;
    round.since_ms = now_ms;
    round.footprint = footprint_;
    if (!changes_.empty()) {
        const size_t usual = changes_.size();
        round.changes = std::make_shared<hooks::Changes::List>(std::move(changes_));
        changes_ = hooks::Changes::List();
        changes_.reserve(std::min<size_t>(usual, 1024));
    }
    uncommitted_ += footprint_;
    footprint_ = 0;
    ++open_number_;
    return round;
}

void Rounds::take_changes(Rounds& other) {
    std::move(other.changes_.begin(), other.changes_.end(), std::back_inserter(changes_));
    other.changes_.clear();
    footprint_ += std::exchange(other.footprint_, 0);
}

Round* Rounds::find(uint64_t number) {
    if (rounds_.empty() || number < rounds_.front().number) return nullptr;
    const uint64_t offset = number - rounds_.front().number;
    // Rounds are numbered without gaps from the first one on.
    return offset < rounds_.size() ? &rounds_[offset] : nullptr;
}

Round Rounds::take_ended() {
    Round round = std::move(rounds_.front());
    rounds_.pop_front();
    uncommitted_ -= round.footprint;
    return round;
}

bool Rounds::take_held(uint64_t round, Held& out) {
    if (held_.empty() || held_.front().round != round) return false;
    out = std::move(held_.front());
    held_.pop_front();
    return true;
}

}  // namespace comqtt::broker
