#pragma once

#include <bitset>
#include <cstdint>

namespace comqtt::bench {

// The packet identifiers of one publisher: 1 to 65535 in turn, none twice at a time.
class PacketIds {
public:
    // The caller keeps fewer than 65535 in use.
    std::uint16_t take() {
        while (next_ == 0 || used_[next_]) ++next_;
        used_.set(next_);
        ++in_use_;
        return next_++;
    }

    // False when that identifier was not in use: the broker acknowledged something unknown.
    bool release(std::uint16_t id) {
        if (!used_[id]) return false;
        used_.reset(id);
        --in_use_;
        return true;
    }

    bool is_used(std::uint16_t id) const { return used_[id]; }
    std::uint32_t in_use() const { return in_use_; }

private:
    std::bitset<65536> used_;
    std::uint16_t next_ = 1;
    std::uint32_t in_use_ = 0;
};

}  // namespace comqtt::bench
