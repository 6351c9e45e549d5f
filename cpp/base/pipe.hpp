#pragma once
// Pipe: an application's end of an in-memory connection to the broker.

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/ref.hpp"
#include "base/result.hpp"

namespace comqtt {

/// Thread-safe and counted.
class Pipe : public RefCounted<Pipe> {
public:
    virtual ~Pipe() = default;
    /// Bytes to the broker, all or nothing. `closed` when the broker has closed; queue_full when too much waits to be
    /// read by it: write less, later.
    virtual Status write(ByteView bytes) = 0;
    /// Bytes from the broker: at most `capacity`, the number in `count`. Waits up to timeout_ms for the first byte
    /// (0 = does not wait, < 0 = for ever): timeout; `closed` when the broker has closed and everything was read.
    virtual Status read(uint8_t* buffer, size_t capacity, int64_t timeout_ms, size_t& count) = 0;
    virtual void close() = 0;
};

}  // namespace comqtt
