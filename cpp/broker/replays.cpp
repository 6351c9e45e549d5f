#include "broker/replays.hpp"

namespace comqtt::broker {

void Replays::enlist(uint64_t session, SessionReplays& of, unsigned store) {
    const uint64_t bit = uint64_t{1} << store;
    if (of.listed_ & bit) return;
    of.listed_ |= bit;
    queues_[store].push_back(session);
}

void Replays::add(uint64_t session, Holder& of, Replay replay) {
    if (!of) of = std::make_unique<SessionReplays>(queues_.size());
    auto& list = of->todo_[replay.store];
    list.push_back(std::move(replay));
    const auto at = std::prev(list.end());
    of->by_filter_.emplace(at->topic_filter, at);
    ++count_;
    enlist(session, *of, at->store);
}

bool Replays::stop(Holder& of, std::string_view topic_filter) {
    if (!of) return false;
    const auto found = of->by_filter_.find(topic_filter);
    if (found == of->by_filter_.end()) return false;
    const auto replay = found->second;
    of->by_filter_.erase(found);
    auto& list = replay->asked ? of->asked_ : of->todo_[replay->store];
    list.erase(replay);
    --count_;
    forget_if_empty(of);
    return true;
}

void Replays::stop_all(Holder& of) {
    if (!of) return;
    count_ -= of->count();
    stopped_.push_back(std::move(of));
}

void Replays::wake(uint64_t session, SessionReplays& of) {
    for (unsigned store = 0; store < of.todo_.size(); ++store)
        if (!of.todo_[store].empty()) enlist(session, of, store);
}

bool Replays::next_session(unsigned store, uint64_t& session) {
    auto& queue = queues_[store];
    if (queue.empty()) return false;
    session = queue.front();
    queue.pop_front();
    return true;
}

void Replays::advance_front(uint64_t session, Holder& of, unsigned store) {
    auto& list = of->todo_[store];
    move_on(session, of, list, list.begin());
}

ReplayAsk Replays::ask_front(uint64_t session, SessionReplays& of, unsigned store) {
    auto& list = of.todo_[store];
    Replay& replay = list.front();
    replay.asked = true;
    ReplayAsk ask;
    ask.session = session;
    ask.number = replay.number;
    ask.topic_filter = replay.topic_filter;
    ask.cursor = replay.cursor;
    of.asked_.splice(of.asked_.end(), list, list.begin());
    return ask;
}

Replay* Replays::find(SessionReplays& of, const ReplayAsk& ask) {
    const auto found = of.by_filter_.find(ask.topic_filter);
    if (found == of.by_filter_.end() || found->second->number != ask.number || !found->second->asked)
        return nullptr;
    return &*found->second;
}

void Replays::answered(uint64_t session, Holder& of, ReplayAsk& ask) {
    if (!find(*of, ask)) return;
    const auto replay = of->by_filter_.find(ask.topic_filter)->second;
    replay->asked = false;
    if (ask.answered) {
        replay->cursor = std::move(ask.cursor);
        move_on(session, of, of->asked_, replay);
        return;
    }
    of->todo_[replay->store].splice(of->todo_[replay->store].begin(), of->asked_, replay);
    enlist(session, *of, replay->store);
}

void Replays::move_on(uint64_t session, Holder& of, SessionReplays::List& from,
                      SessionReplays::List::iterator replay) {
    if (replay->cursor.done) {
        replay->stores &= ~(uint64_t{1} << replay->store);
        replay->cursor = {};
        if (!replay->stores) {
            of->by_filter_.erase(replay->topic_filter);
            from.erase(replay);
            --count_;
            forget_if_empty(of);
            return;
        }
        replay->store = static_cast<unsigned>(__builtin_ctzll(replay->stores));
    }
    auto& list = of->todo_[replay->store];
    list.splice(list.end(), from, replay);
    enlist(session, *of, replay->store);
}

void Replays::forget_if_empty(Holder& of) {
    if (of->count() == 0) of.reset();
}

bool Replays::busy() const {
    if (!stopped_.empty()) return true;
    for (size_t store = 0; store < queues_.size(); ++store)
        if (!queues_[store].empty() && !waiting_[store]) return true;
    return false;
}

void Replays::free_some() {
    for (size_t freed = 0; freed < kFreedPerRound && !stopped_.empty();) {
        SessionReplays& of = *stopped_.front();
        SessionReplays::List* list = of.asked_.empty() ? nullptr : &of.asked_;
        for (size_t i = 0; !list && i < of.todo_.size(); ++i)
            if (!of.todo_[i].empty()) list = &of.todo_[i];
        for (; list && !list->empty() && freed < kFreedPerRound; ++freed) {
            of.by_filter_.erase(list->front().topic_filter);
            list->pop_front();
        }
        if (of.count() == 0) {
            stopped_.pop_front();
            ++freed;
        }
    }
}

}  // namespace comqtt::broker
