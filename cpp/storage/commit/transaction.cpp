#include "storage/commit/transaction.hpp"

#include <algorithm>
#include <tuple>

namespace comqtt::storage {

using Kind = hooks::Change::Kind;

void Transaction::clear() {
    changes_ = ignored_ = 0;
    first_new_ = sessions_.next();
    last_client_ = nullptr;
    removed.clear();
    sessions.clear();
    subscriptions.clear();
    queue.clear();
    received.clear();
    retained.clear();
    blocked.clear();
    ended_.clear();
    message_steps_.clear();
    received_steps_.clear();
    subscription_steps_.clear();
    retained_steps_.clear();
    blocked_steps_.clear();
}

void Transaction::add(const hooks::Changes::List& changes) {
    if (changes_ == 0) first_new_ = sessions_.next();
    last_client_ = nullptr;  // another batch may have another client at the same address
    for (const Change& change : changes) add(change);
    changes_ += changes.size();
}

void Transaction::add(const Change& change) {
    const bool with_details = change.details != nullptr;
    switch (change.kind) {
        case Kind::session_saved:
            if (with_details) return save_session(change);
            break;
        case Kind::session_removed: return remove_session(change);
        case Kind::subscription_saved:
        case Kind::subscription_removed:
            if (!with_details) break;
            return step(subscription_steps_, change, session_of(change),
                        change.kind == Kind::subscription_saved ? change.details->subscription.entry.filter
                                                                : change.details->text);
        case Kind::message_queued:
            if (!change.message) break;
            [[fallthrough]];
        case Kind::message_sent:
        case Kind::message_released:
        case Kind::message_removed: return step(message_steps_, change, change.position);
        case Kind::received_added:
        case Kind::received_removed: return step(received_steps_, change, change.packet_id);
        case Kind::retained_saved:
            if (change.message) return step(retained_steps_, change, -1, change.message->topic_name().text());
            break;
        case Kind::retained_removed:
            if (with_details) return step(retained_steps_, change, -1, change.details->text);
            break;
        case Kind::client_blocked:
        case Kind::client_unblocked:
            if (with_details) return step(blocked_steps_, change, -1, change.details->text);
            break;
    }
    ++ignored_;
}

void Transaction::save_session(const Change& change) {
    const hooks::StoredClient& client = change.details->client;
    int64_t id = sessions_.find(client.id);
    if (!id) id = sessions_.add(client.id);
    last_client_ = nullptr;
    sessions.push_back({id, &client});
}

void Transaction::remove_session(const Change& change) {
    const int64_t id = session_of(change);
    if (!id) {
        ++ignored_;
        return;
    }
    sessions_.remove(change.client->id);
    last_client_ = nullptr;
    ended_.push_back(id);
    if (id < first_new_) removed.push_back(id);
}

/// 0 = none. Changes of one client mostly come in a row.
int64_t Transaction::session_of(const Change& change) {
    if (!change.client) return 0;
    if (change.client.get() == last_client_) return last_session_;
    last_client_ = change.client.get();
    last_session_ = sessions_.find(last_client_->id);
    return last_session_;
}

void Transaction::step(std::vector<Step>& steps, const Change& change, uint64_t key) {
    const int64_t session = session_of(change);
    if (session)
        steps.push_back({session, key, static_cast<uint32_t>(steps.size()), &change});
    else
        ++ignored_;
}

void Transaction::step(std::vector<TextStep>& steps, const Change& change, int64_t session,
                       std::string_view key) {
    if (session)
        steps.push_back({session, key, static_cast<uint32_t>(steps.size()), &change});
    else
        ++ignored_;
}

bool Transaction::ended(int64_t session) const {
    return !ended_.empty() && std::binary_search(ended_.begin(), ended_.end(), session);
}

namespace {

/// Calls fn(first, last) for the steps of each row, in the order of keys and, in each, of time.
template <typename S, typename F>
void each_row(std::vector<S>& steps, F&& fn) {
    std::sort(steps.begin(), steps.end(), [](const S& a, const S& b) {
        return std::tie(a.session, a.key, a.order) < std::tie(b.session, b.key, b.order);
    });
    for (auto first = steps.begin(); first != steps.end();) {
        auto last = first + 1;
        while (last != steps.end() && last->session == first->session && last->key == first->key) ++last;
        fn(first, last);
        first = last;
    }
}

}  // namespace

void Transaction::finish() {
    finish_sessions();
    finish_messages();
    finish_received();
    finish_texts();
}

/// The last state of each session that goes on.
void Transaction::finish_sessions() {
    std::sort(ended_.begin(), ended_.end());
    std::sort(removed.begin(), removed.end());
    std::stable_sort(sessions.begin(), sessions.end(),
                     [](const SessionRow& a, const SessionRow& b) { return a.id < b.id; });
    size_t kept = 0;
    for (size_t i = 0; i < sessions.size(); ++i)
        if ((i + 1 == sessions.size() || sessions[i + 1].id != sessions[i].id) && !ended(sessions[i].id))
            sessions[kept++] = sessions[i];
    sessions.resize(kept);
}

void Transaction::finish_messages() {
    each_row(message_steps_, [this](auto first, auto last) {
        if (ended(first->session)) return;
        QueueRow row{first->session,       static_cast<int64_t>(first->key), nullptr, 0, false,
                     QueueRow::Act::update};
        for (auto at = first; at != last; ++at) {
            const Change& change = *at->change;
            switch (change.kind) {
                case Kind::message_queued:
                    row.queued = &change;
                    row.act = QueueRow::Act::insert;
                    row.packet_id = change.packet_id;
                    break;
                case Kind::message_sent: row.packet_id = change.packet_id; break;
                case Kind::message_released: row.released = true; break;
                default:
                    if (row.queued) return;  // came and went
                    row.act = QueueRow::Act::remove;
            }
        }
        queue.push_back(row);
    });
}

void Transaction::finish_received() {
    each_row(received_steps_, [this](auto first, auto last) {
        if (ended(first->session)) return;
        const bool added = (last - 1)->change->kind == Kind::received_added;
        if (!added && first->change->kind == Kind::received_added) return;  // came and went
        received.push_back({first->session, static_cast<mqtt::PacketId>(first->key), added});
    });
}

void Transaction::finish_texts() {
    each_row(subscription_steps_, [this](auto first, auto last) {
        if (ended(first->session)) return;
        const Change& change = *(last - 1)->change;
        subscriptions.push_back(
            {first->session, first->key,
             change.kind == Kind::subscription_saved ? &change.details->subscription : nullptr});
    });
    each_row(retained_steps_, [this](auto first, auto last) {
        const Change& change = *(last - 1)->change;
        retained.push_back(
            {first->key, change.kind == Kind::retained_saved ? change.message.get() : nullptr});
    });
    each_row(blocked_steps_, [this](auto first, auto last) {
        blocked.push_back({first->key, (last - 1)->change->kind == Kind::client_blocked});
    });
}

}  // namespace comqtt::storage
