#include "broker/idle_receivers.hpp"

#include "base/hash.hpp"

namespace comqtt::broker {

std::string_view IdleReceivers::address_of(std::string_view remote) {
    if (remote.starts_with("unix")) return {};  // says nothing about who it is
    const size_t colon = remote.rfind(':');
    return colon == std::string_view::npos ? std::string_view() : remote.substr(0, colon);
}

/// Hashes, 0 = it has no such name: the names themselves need not be kept.
std::array<uint64_t, IdleReceivers::kNames> IdleReceivers::names_of(const hooks::Client& client) const {
    const std::array<std::string_view, kNames> texts{client.id, client.username, address_of(client.remote)};
    std::array<uint64_t, kNames> names{};
    for (size_t i = 0; i < kNames; ++i)
        if (!texts[i].empty()) names[i] = hash_bytes(ByteView(texts[i]), seed_ + i) | 1;
    return names;
}

bool IdleReceivers::knows(const hooks::Client& client, int64_t now_ms) const {
    const auto names = names_of(client);
    const Lock lock(mutex_);
    for (const uint64_t name : names)
        if (const auto at = until_ms_.find(name); at != until_ms_.end() && at->second > now_ms) return true;
    return false;
}

void IdleReceivers::note(const hooks::Client& client, int64_t now_ms, int64_t for_ms, size_t limit) {
    const auto names = names_of(client);
    const Lock lock(mutex_);
    for (const uint64_t name : names) {
        if (!name) continue;
        until_ms_[name] = now_ms + for_ms;
        in_order_.emplace_back(name, now_ms + for_ms);
    }
    while (!in_order_.empty() && (in_order_.size() > limit || in_order_.front().second <= now_ms))
        forget_front();
}

void IdleReceivers::forget_front() {
    const auto [name, until_ms] = in_order_.front();
    in_order_.pop_front();
    if (const auto at = until_ms_.find(name); at != until_ms_.end() && at->second == until_ms)
        until_ms_.erase(at);
}

size_t IdleReceivers::count() const {
    const Lock lock(mutex_);
    return until_ms_.size();
}

}  // namespace comqtt::broker
