#pragma once

#include "bytes.hpp"

namespace comqtt::bench {

// The first 24 bytes of every payload: who sent it, which one it is, when it was due.
// Written in the byte order of this machine: both ends are this program.
//   0  stream key: magic << 32 | publisher
//   8  sequence number within the stream (publisher to subscriber)
//  16  intended send time, ns of the monotonic clock (only where latency is measured)
constexpr std::size_t kStampSize = 24;
constexpr std::size_t kStampSeq = 8;
constexpr std::size_t kStampTime = 16;

constexpr std::uint64_t kLiveMagic = 0x434d5142;      // measured traffic
constexpr std::uint64_t kRetainedMagic = 0x434d5152;  // retained messages of `retained`

inline std::uint64_t stream_key(std::uint64_t magic, std::uint32_t publisher) {
    return magic << 32 | publisher;
}

inline std::uint64_t key_magic(std::uint64_t key) { return key >> 32; }

inline std::uint32_t key_publisher(std::uint64_t key) { return static_cast<std::uint32_t>(key); }

inline void write_stamp(std::uint8_t* p, std::uint64_t key, std::uint64_t seq, std::uint64_t time) {
    store_u64(p, key);
    store_u64(p + kStampSeq, seq);
    store_u64(p + kStampTime, time);
}

}  // namespace comqtt::bench
