#pragma once
// Views in and out, and records whose size the caller states.

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "comqtt.h"

namespace comqtt::capi {

inline std::string_view text(comqtt_str view) {
    return view.ptr ? std::string_view(view.ptr, view.len) : std::string_view();
}
inline std::string_view text(comqtt_bytes view) {
    return view.ptr ? std::string_view(reinterpret_cast<const char*>(view.ptr), view.len)
                    : std::string_view();
}
inline ByteView bytes(comqtt_bytes view) { return {view.ptr, view.ptr ? view.len : 0}; }

/// A view that is never absent.
inline comqtt_str to_str(std::string_view view) { return {view.data() ? view.data() : "", view.size()}; }
inline comqtt_bytes to_bytes(std::string_view view) {
    return {reinterpret_cast<const uint8_t*>(view.data() ? view.data() : ""), view.size()};
}
inline comqtt_bytes to_bytes(ByteView view) { return to_bytes(view.text()); }

/// Longest string and binary value of the protocol.
inline constexpr size_t kMaxText = 65'535;

/// Copies a caller's record of any version. Members this library does not know must be zero.
template <typename Record>
Result<void> read_record(const Record* theirs, size_t smallest, Record& ours, const char* name) {
    if (!theirs) return Error{Status::invalid_argument, std::string(name) + " is NULL"};
    const size_t size = theirs->struct_size;
    if (size < smallest)
        return Error{Status::invalid_argument, std::string(name) + ": struct_size is not set"};
    const auto* raw = reinterpret_cast<const unsigned char*>(theirs);
    for (size_t i = sizeof(Record); i < size; ++i)
        if (raw[i] != 0)
            return Error{Status::unsupported, std::string(name) + " asks for more than this library knows"};
    std::memset(static_cast<void*>(&ours), 0, sizeof ours);
    std::memcpy(static_cast<void*>(&ours), theirs, std::min(size, sizeof ours));
    ours.struct_size = sizeof ours;
    return {};
}

/// Fills a caller's record of any version; members this library does not know become zero.
template <typename Record>
Result<void> write_record(const Record& ours, Record* theirs, const char* name) {
    if (!theirs) return Error{Status::invalid_argument, std::string(name) + " is NULL"};
    const size_t size = theirs->struct_size;
    if (size < sizeof(size_t))
        return Error{Status::invalid_argument, std::string(name) + ": struct_size is not set"};
    auto* raw = reinterpret_cast<unsigned char*>(theirs);
    const size_t common = std::min(size, sizeof ours);
    std::memcpy(raw, &ours, common);
    std::memset(raw + common, 0, size - common);
    theirs->struct_size = size;
    return {};
}

/// Copy-out: the length always, the content when it fits. A null buffer asks for the length.
inline Status copy_out(std::string_view from, void* buffer, size_t capacity, size_t* out_len) {
    if (out_len) *out_len = from.size();
    if (!buffer) return Status::ok;
    if (capacity < from.size()) return Status::buffer_too_small;
    std::memcpy(buffer, from.data(), from.size());
    return Status::ok;
}

}  // namespace comqtt::capi
