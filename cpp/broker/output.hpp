#pragma once
// Output: the bytes a connection still has to write, as a list of chunks. Small packets are copied into the last
// chunk, large payloads are referenced. An empty output owns no memory.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "broker/link.hpp"
#include "mqtt/message.hpp"

namespace comqtt::broker {

struct Chunk {
    Chunk* next = nullptr;
    mqtt::MessageRef owner;  ///< set when `data` is a part of it
    uint8_t* data = nullptr;
    uint32_t capacity = 0;
    uint32_t begin = 0;
    uint32_t end = 0;
};

/// Chunks of one shard. Few outputs at a time get large ones, which are kept for the next; when very many hold something,
/// what is lent beyond that is as large as they need.
class ChunkPool {
public:
    explicit ChunkPool(uint32_t chunk_size) : chunk_size_(chunk_size) {}
    ~ChunkPool();
    ChunkPool(const ChunkPool&) = delete;
    ChunkPool& operator=(const ChunkPool&) = delete;
    uint32_t chunk_size() const { return chunk_size_; }
    /// For an output that holds so many bytes already.
    Chunk* get(size_t at_least, size_t held);
    void put(Chunk* chunk);

private:
    static constexpr size_t kKeep = 256;
    static constexpr size_t kLeast = 512;
    uint32_t chunk_size_;
    Chunk* free_ = nullptr;
    size_t kept_ = 0;
    size_t lent_ = 0;  ///< of full size
};

class Output {
public:
    Output() = default;
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    bool empty() const { return bytes_ == 0; }
    size_t bytes() const { return bytes_; }

    /// `size` bytes in one run to be filled by the caller now; they count as appended.
    uint8_t* extend(ChunkPool& pool, size_t size) {
        if (!last_ || last_->capacity - last_->end < size) add_chunk(pool, size);
        uint8_t* at = last_->data + last_->end;
        last_->end += static_cast<uint32_t>(size);
        bytes_ += size;
        return at;
    }
    void append(ChunkPool& pool, ByteView bytes);
    /// Of bytes(), those that it holds a copy of. Looks at each chunk.
    size_t copied() const;
    /// A part of a message that may be referenced.
    enum class Part : uint8_t { topic_name, properties, payload };
    /// References it. There is no other way to reference bytes: whatever else is written is copied.
    void append_shared(mqtt::MessageRef message, Part part);

    /// Writes as much as the link takes; returns the number of bytes.
    size_t flush(ChunkPool& pool, Link& link);
    /// A backlog that stays moves out of its large chunk when it is small.
    void shrink(ChunkPool& pool);
    void clear(ChunkPool& pool);

private:
    void add_chunk(ChunkPool& pool, size_t size);
    void drop_first(ChunkPool& pool);

    Chunk* first_ = nullptr;
    Chunk* last_ = nullptr;
    size_t bytes_ = 0;
};

}  // namespace comqtt::broker
