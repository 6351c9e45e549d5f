#pragma once
// Reader: walks the fields of one packet and remembers the first rule that was broken. Lives on the
// stack of one decode. Internal to the codec.

#include <cstdint>

#include "base/bytes.hpp"
#include "mqtt/codec.hpp"
#include "mqtt/utf8.hpp"

namespace comqtt::mqtt {

/// Every read answers false after a failure has been noted in `error()`; outputs are then unset.
class Reader {
public:
    /// `truncated_statement` is what a field that does not fit is reported under.
    Reader(ByteView frame, size_t offset, const char* truncated_statement = "2.1.4")
        : begin_(frame.data),
          at_(frame.data + offset),
          end_(frame.end()),
          truncated_statement_(truncated_statement) {}

    size_t offset() const { return static_cast<size_t>(at_ - begin_); }
    size_t left() const { return static_cast<size_t>(end_ - at_); }
    bool empty() const { return at_ == end_; }
    const DecodeError& error() const { return error_; }

    bool u8(uint8_t& out) {
        if (left() < 1) return truncated();
        out = *at_++;
        return true;
    }
    bool u16(uint16_t& out) {
        if (left() < 2) return truncated();
        out = load_u16(at_);
        at_ += 2;
        return true;
    }
    bool u32(uint32_t& out) {
        if (left() < 4) return truncated();
        out = load_u32(at_);
        at_ += 4;
        return true;
    }
    bool bytes(size_t count, ByteView& out) {
        if (left() < count) return truncated();
        out = {at_, count};
        at_ += count;
        return true;
    }
    /// All that is left, without reading it.
    ByteView ahead() const { return {at_, left()}; }
    /// All that is left.
    ByteView rest() {
        const ByteView all = ahead();
        at_ = end_;
        return all;
    }
    /// Variable Byte Integer, in as few bytes as possible [MQTT-1.5.5-1].
    bool varint(uint32_t& out);
    /// Two-byte length and the bytes.
    bool binary(ByteView& out) {
        if (left() < 2) return truncated();
        const size_t count = load_u16(at_);
        if (left() - 2 < count) return truncated();
        out = {at_ + 2, count};
        at_ += 2 + count;
        return true;
    }
    /// UTF-8 Encoded String; ill-formed text is reported under `statement`.
    bool utf8(ByteView& out, const char* statement = "MQTT-1.5.4-1");
    /// Non-zero Packet Identifier.
    bool packet_id(PacketId& out, const char* statement);

    /// The next `count` bytes become all there is until widen(). False when they are not there.
    bool narrow(size_t count, const uint8_t*& outer_end) {
        if (left() < count) return truncated();
        outer_end = end_;
        end_ = at_ + count;
        return true;
    }
    void widen(const uint8_t* outer_end) { end_ = outer_end; }

    /// Fails unless every byte has been read.
    bool at_end() {
        return empty() || fail(Reason::malformed_packet, truncated_statement_, "bytes after the last field");
    }

    [[gnu::cold]] bool fail(Reason reason, const char* statement, const char* what) {
        return fail_at(offset(), reason, statement, what);
    }
    [[gnu::cold]] bool fail_at(size_t where, Reason reason, const char* statement, const char* what) {
        error_ = {reason, statement, what, where};
        return false;
    }
    [[gnu::cold]] bool truncated() {
        return fail(Reason::malformed_packet, truncated_statement_, "field longer than the packet");
    }
    [[gnu::cold]] bool bad_text(TextFlaw flaw, size_t where, const char* statement);

private:
    const uint8_t* begin_;
    const uint8_t* at_;
    const uint8_t* end_;
    const char* truncated_statement_;
    DecodeError error_;
};

}  // namespace comqtt::mqtt
