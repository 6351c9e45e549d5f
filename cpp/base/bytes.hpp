#pragma once
// Borrowed bytes, and a reader and a writer over them that never go past their ends.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace comqtt {

/// A borrowed run of bytes. Valid as long as its owner.
struct ByteView {
    const uint8_t* data = nullptr;
    size_t size = 0;

    constexpr ByteView() = default;
    constexpr ByteView(const uint8_t* bytes, size_t count) : data(bytes), size(count) {}
    ByteView(std::string_view text)
        : data(reinterpret_cast<const uint8_t*>(text.data())), size(text.size()) {}
    ByteView(const std::vector<uint8_t>& bytes) : data(bytes.data()), size(bytes.size()) {}

    const uint8_t* begin() const { return data; }
    const uint8_t* end() const { return data + size; }
    bool empty() const { return size == 0; }
    uint8_t operator[](size_t index) const { return data[index]; }
    ByteView subview(size_t offset, size_t count) const { return {data + offset, count}; }
    ByteView from(size_t offset) const { return {data + offset, size - offset}; }
    std::string_view text() const { return {reinterpret_cast<const char*>(data), size}; }
};

inline bool operator==(ByteView a, ByteView b) {
    return a.size == b.size && (a.size == 0 || std::memcmp(a.data, b.data, a.size) == 0);
}

inline uint16_t load_u16(const uint8_t* p) { return static_cast<uint16_t>((p[0] << 8) | p[1]); }
inline uint32_t load_u32(const uint8_t* p) {
    return (uint32_t{p[0]} << 24) | (uint32_t{p[1]} << 16) | (uint32_t{p[2]} << 8) | p[3];
}
inline void store_u16(uint8_t* p, uint16_t v) {
    p[0] = static_cast<uint8_t>(v >> 8);
    p[1] = static_cast<uint8_t>(v);
}
inline void store_u32(uint8_t* p, uint32_t v) {
    p[0] = static_cast<uint8_t>(v >> 24);
    p[1] = static_cast<uint8_t>(v >> 16);
    p[2] = static_cast<uint8_t>(v >> 8);
    p[3] = static_cast<uint8_t>(v);
}

/// Appends big-endian MQTT fields to a vector.
class ByteWriter {
public:
    explicit ByteWriter(std::vector<uint8_t>& out) : out_(out) {}

    void u8(uint8_t v) { out_.push_back(v); }
    void u16(uint16_t v) {
        out_.push_back(static_cast<uint8_t>(v >> 8));
        out_.push_back(static_cast<uint8_t>(v));
    }
    void u32(uint32_t v) {
        u16(static_cast<uint16_t>(v >> 16));
        u16(static_cast<uint16_t>(v));
    }
    void raw(ByteView v) { out_.insert(out_.end(), v.begin(), v.end()); }
    /// Two-byte length and the bytes; the caller has checked that they are at most 65,535.
    void string(ByteView v) {
        u16(static_cast<uint16_t>(v.size));
        raw(v);
    }
    /// Variable Byte Integer, at most 268,435,455.
    void varint(uint32_t v) {
        do {
            uint8_t byte = v & 0x7F;
            v >>= 7;
            out_.push_back(v ? byte | 0x80 : byte);
        } while (v);
    }
    size_t size() const { return out_.size(); }

private:
    std::vector<uint8_t>& out_;
};

/// Encoded length of a Variable Byte Integer.
constexpr size_t varint_size(uint32_t v) { return v < 128 ? 1 : v < 16384 ? 2 : v < 2097152 ? 3 : 4; }
/// Writes a Variable Byte Integer at p; returns the byte after it.
inline uint8_t* store_varint(uint8_t* p, uint32_t v) {
    while (v >= 128) {
        *p++ = static_cast<uint8_t>(v | 0x80);
        v >>= 7;
    }
    *p++ = static_cast<uint8_t>(v);
    return p;
}

}  // namespace comqtt
