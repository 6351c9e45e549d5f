#pragma once

#include <cstdint>

#include "bytes.hpp"
#include "publisher.hpp"

namespace comqtt::bench {

// Builds runs of PUBLISH packets in one buffer that stays in the cache. The buffer is a row of
// equal slots; what a slot already holds for this publisher is not written again, so that a
// lone QoS 0 publisher costs one store per message.
class RunBuilder {
public:
    static constexpr std::size_t kRunBytes = 128u << 10;

    // All publishers have packets of the same layout as `first`.
    explicit RunBuilder(const Publisher& first);

    std::size_t capacity() const { return capacity_; }

    // `count` packets, at most capacity(). `time` goes into every stamp when not 0.
    ByteView build(Publisher& publisher, std::size_t count, std::uint64_t time);

private:
    void refresh_slots(const Publisher& publisher, std::size_t count);

    std::size_t packet_size_;
    std::size_t capacity_;
    std::size_t prefix_size_;  // all that differs between publishers
    Bytes buffer_;
    std::uint32_t owner_;
    std::size_t fresh_;  // slots that hold the owner's prefix
};

}  // namespace comqtt::bench
