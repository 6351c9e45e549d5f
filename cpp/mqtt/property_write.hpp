#pragma once
// Writers for the encoder: the same body function runs once over a SizeCounter, which finds the length
// and whether all fits, and once over a BodyWriter, which then cannot fail. Internal to the codec.

#include "base/bytes.hpp"
#include "mqtt/property_table.hpp"

namespace comqtt::mqtt {

/// Counts bytes and notes what has no wire form.
class SizeCounter {
public:
    void u8(uint8_t) { size_ += 1; }
    void u16(uint16_t) { size_ += 2; }
    void u32(uint32_t) { size_ += 4; }
    void raw(ByteView bytes) { size_ += bytes.size; }
    void string(ByteView bytes) {
        require(bytes.size <= 65'535);
        size_ += 2 + bytes.size;
    }
    void varint(uint32_t value) {
        require(value <= kMaxRemainingLength);
        size_ += varint_size(value);
    }
    void require(bool condition) { fits_ = fits_ && condition; }
    bool fits() const { return fits_; }
    size_t size() const { return size_; }

private:
    size_t size_ = 0;
    bool fits_ = true;
};

/// Writes to memory that a SizeCounter has measured.
class BodyWriter {
public:
    explicit BodyWriter(uint8_t* at) : at_(at) {}

    void u8(uint8_t value) { *at_++ = value; }
    void u16(uint16_t value) {
        store_u16(at_, value);
        at_ += 2;
    }
    void u32(uint32_t value) {
        store_u32(at_, value);
        at_ += 4;
    }
    void raw(ByteView bytes) {
        if (bytes.size) std::memcpy(at_, bytes.data, bytes.size);
        at_ += bytes.size;
    }
    void string(ByteView bytes) {
        u16(static_cast<uint16_t>(bytes.size));
        raw(bytes);
    }
    void varint(uint32_t value) { at_ = store_varint(at_, value); }
    void require(bool) {}

private:
    uint8_t* at_;
};

/// SizeCounter learns of numbers that are too large; the others write what fits.
template <typename Out>
void require_at_most(Out& out, uint32_t value, uint32_t most) {
    if constexpr (requires { out.require(true); }) out.require(value <= most);
}

template <typename Out>
void write_property(Out& out, const Property& property) {
    const PropertyInfo* info = lookup_property(static_cast<uint8_t>(property.id));
    if (!info) return require_at_most(out, 1, 0);  // no wire form
    out.u8(static_cast<uint8_t>(property.id));
    switch (info->type) {
        case PropertyType::byte:
            require_at_most(out, property.number, 0xFF);
            return out.u8(static_cast<uint8_t>(property.number));
        case PropertyType::two_byte:
            require_at_most(out, property.number, 0xFFFF);
            return out.u16(static_cast<uint16_t>(property.number));
        case PropertyType::four_byte: return out.u32(property.number);
        case PropertyType::varint: return out.varint(property.number);
        case PropertyType::utf8_pair:
            out.string(std::string_view(property.text));
            return out.string(std::string_view(property.value));
        case PropertyType::utf8:
        case PropertyType::binary: return out.string(std::string_view(property.text));
    }
}

/// The list without its length prefix.
template <typename Out>
void write_property_list(Out& out, const Properties& properties) {
    for (const Property& property : properties.items()) write_property(out, property);
}

/// Length prefix and list.
template <typename Out>
void write_properties(Out& out, const Properties& properties) {
    const size_t size = encoded_size(properties);
    out.require(size <= kMaxRemainingLength);
    out.varint(static_cast<uint32_t>(size));
    write_property_list(out, properties);
}

}  // namespace comqtt::mqtt
