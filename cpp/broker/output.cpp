#include "broker/output.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace comqtt::broker {

namespace {

Chunk* make_chunk(size_t capacity) {
    void* memory = std::malloc(sizeof(Chunk) + capacity);
    if (!memory) throw std::bad_alloc();
    auto* chunk = new (memory) Chunk;
    chunk->data = reinterpret_cast<uint8_t*>(chunk + 1);
    chunk->capacity = static_cast<uint32_t>(capacity);
    return chunk;
}

void free_chunk(Chunk* chunk) {
    chunk->~Chunk();
    std::free(chunk);
}

}  // namespace

ChunkPool::~ChunkPool() {
    while (free_) free_chunk(std::exchange(free_, free_->next));
}

Chunk* ChunkPool::get(size_t at_least, size_t held) {
    if (at_least > chunk_size_) return make_chunk(at_least);
    size_t size = chunk_size_;
    if (!free_ && lent_ >= kKeep) size = std::min(size, std::max({at_least, 2 * held, kLeast}));
    if (size < chunk_size_) return make_chunk(size);
    if (!free_) {
        Chunk* made = make_chunk(size);
        ++lent_;
        return made;
    }
    ++lent_;
    Chunk* chunk = std::exchange(free_, free_->next);
    --kept_;
    chunk->next = nullptr;
    chunk->begin = chunk->end = 0;
    return chunk;
}

void ChunkPool::put(Chunk* chunk) {
    const bool whole = !chunk->owner && chunk->capacity == chunk_size_;
    lent_ -= whole;
    if (!whole || kept_ >= kKeep) {
        free_chunk(chunk);
        return;
    }
    chunk->next = free_;
    free_ = chunk;
    ++kept_;
}

void Output::add_chunk(ChunkPool& pool, size_t size) {
    Chunk* chunk = pool.get(size, bytes_);
    (last_ ? last_->next : first_) = chunk;
    last_ = chunk;
}

void Output::append(ChunkPool& pool, ByteView bytes) {
    while (bytes.size) {
        if (!last_ || last_->end == last_->capacity) add_chunk(pool, 1);
        const size_t take = std::min<size_t>(bytes.size, last_->capacity - last_->end);
        std::memcpy(last_->data + last_->end, bytes.data, take);
        last_->end += static_cast<uint32_t>(take);
        bytes_ += take;
        bytes = bytes.from(take);
    }
}

size_t Output::copied() const {
    size_t bytes = 0;
    for (const Chunk* chunk = first_; chunk; chunk = chunk->next)
        if (!chunk->owner) bytes += chunk->end - chunk->begin;
    return bytes;
}

void Output::append_shared(mqtt::MessageRef message, Part part) {
    const ByteView bytes = part == Part::payload      ? message->payload()
                           : part == Part::properties ? message->properties()
                                                      : message->topic_name();
    Chunk* chunk = make_chunk(0);
    chunk->owner = std::move(message);
    chunk->data = const_cast<uint8_t*>(bytes.data);
    chunk->capacity = chunk->end = static_cast<uint32_t>(bytes.size);
    (last_ ? last_->next : first_) = chunk;
    last_ = chunk;
    bytes_ += bytes.size;
}

void Output::drop_first(ChunkPool& pool) {
    Chunk* chunk = std::exchange(first_, first_->next);
    if (!first_) last_ = nullptr;
    pool.put(chunk);
}

size_t Output::flush(ChunkPool& pool, Link& link) {
    constexpr int kParts = 32;
    size_t total = 0;
    while (bytes_) {
        iovec parts[kParts];
        int count = 0;
        size_t offered = 0;
        for (Chunk* chunk = first_; chunk && count < kParts; chunk = chunk->next) {
            parts[count++] = {chunk->data + chunk->begin, chunk->end - chunk->begin};
            offered += chunk->end - chunk->begin;
        }
        const size_t written = link.write(parts, count);
        bytes_ -= written;
        total += written;
        for (size_t left = written; first_;) {
            const size_t size = first_->end - first_->begin;
            if (size > left) {
                first_->begin += static_cast<uint32_t>(left);
                break;
            }
            left -= size;
            drop_first(pool);
        }
        if (written < offered) break;
    }
    return total;
}

void Output::shrink(ChunkPool& pool) {
    if (!first_ || first_ != last_ || first_->owner || first_->capacity != pool.chunk_size()) return;
    const size_t size = first_->end - first_->begin;
    if (size * 4 > first_->capacity) return;
    Chunk* small = make_chunk(size);
    std::memcpy(small->data, first_->data + first_->begin, size);
    small->end = static_cast<uint32_t>(size);
    pool.put(first_);
    first_ = last_ = small;
}

void Output::clear(ChunkPool& pool) {
    while (first_) drop_first(pool);
    bytes_ = 0;
}

}  // namespace comqtt::broker
