#pragma once
// DeliveryShare: how many receivers the messages that are handled in one go may have. One message more is begun while
// some of it is left; then it is others' turn. One for each shard, on its thread.

#include <cstddef>
#include <cstdint>

namespace comqtt::broker {

/// How much of a kind a shard does in one go.
struct Shares {
    size_t deliveries = 8'192;  ///< receivers of messages
    size_t flushes = 512;       ///< outputs written to their links, of messages to more receivers than that
};

class DeliveryShare final {
public:
    explicit DeliveryShare(size_t receivers) : size_(receivers) {}

    /// Something else begins.
    void renew() { used_ = 0; }
    /// A message is offered to, or its route made of, so many. A few are free: what they cost is bounded by how much of a
    /// client is read at a time.
    void use(size_t receivers) {
        if (few(receivers)) return;
        used_ += receivers;
        total_ += receivers;
    }
    size_t size() const { return size_; }
    /// So many cost nothing of it.
    bool few(size_t receivers) const { return receivers <= size_ / 512; }
    bool used_up() const { return used_ >= size_; }
    /// Ever used: what did not change it has cost nothing of the share.
    uint64_t total() const { return total_; }

private:
    const size_t size_;
    size_t used_ = 0;
    uint64_t total_ = 0;
};

}  // namespace comqtt::broker
