#pragma once
// IdleReceivers: client ids, users and addresses of receivers that took nothing while others waited for them. Whoever is
// known here is waited for a moment only, until it takes something. One for the server; asked when a receiver becomes full or
// stops, never per message. Thread-safe.

#include <array>
#include <cstdint>
#include <deque>
#include <string_view>
#include <unordered_map>

#include "base/mutex.hpp"
#include "hooks/client.hpp"

namespace comqtt::broker {

class IdleReceivers {
public:
    explicit IdleReceivers(uint64_t seed) : seed_(seed) {}

    bool knows(const hooks::Client& client, int64_t now_ms) const;
    /// Remembers it for `for_ms`, and at most `limit` names; the oldest give way.
    void note(const hooks::Client& client, int64_t now_ms, int64_t for_ms, size_t limit);
    size_t count() const;

    /// The part of "address:port" that another connection of the same host shares; empty when there is none.
    static std::string_view address_of(std::string_view remote);

private:
    static constexpr size_t kNames = 3;
    std::array<uint64_t, kNames> names_of(const hooks::Client& client) const;
    void forget_front() COMQTT_REQUIRES(mutex_);

    const uint64_t seed_;
    mutable Mutex mutex_;
    std::unordered_map<uint64_t, int64_t> until_ms_ COMQTT_GUARDED_BY(mutex_);  ///< by hash of the name
    std::deque<std::pair<uint64_t, int64_t>> in_order_
        COMQTT_GUARDED_BY(mutex_);  ///< name, time; of a name noted again the last one counts
};

}  // namespace comqtt::broker
