#pragma once
// SessionIds: the row ids of the stored sessions by client id. As the last transaction made from changes leaves them,
// committed or not yet. The writer thread changes it; any thread may ask `contains`.

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.hpp"

namespace comqtt::storage {

class SessionIds {
public:
    /// 0 = no such session. Writer.
    int64_t find(std::string_view client_id) const {
        const auto at = ids_.find(client_id);
        return at == ids_.end() ? 0 : at->second;
    }
    /// A new session; ids are not used again. Writer.
    int64_t add(std::string_view client_id) {
        const std::lock_guard lock(mutex_);
        ids_.emplace(client_id, next_);
        return next_++;
    }
    /// Writer.
    void remove(std::string_view client_id) {
        const std::lock_guard lock(mutex_);
        if (const auto at = ids_.find(client_id); at != ids_.end()) ids_.erase(at);
    }
    bool contains(std::string_view client_id) const {
        const std::lock_guard lock(mutex_);
        return ids_.contains(client_id);
    }

    // At start.
    void restore(std::string_view client_id, int64_t id) {
        ids_.emplace(client_id, id);
        use_above(id);
    }
    void use_above(int64_t id) { next_ = id >= next_ ? id + 1 : next_; }
    int64_t next() const { return next_; }

private:
    mutable std::mutex mutex_;
    std::unordered_map<std::string, int64_t, TextHash, std::equal_to<>> ids_;
    int64_t next_ = 1;
};

}  // namespace comqtt::storage
