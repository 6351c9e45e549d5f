// Reading a stream packet by packet: the fixed header never reads ahead, does not change its mind when
// more bytes come, and says the shortest form of the length.

#include <cstdlib>

#include "mqtt/codec.hpp"

using namespace comqtt;
using namespace comqtt::mqtt;

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

/// Every shorter piece of a header asks for more; the answer does not depend on what follows.
void check_pieces(ByteView stream, FrameState state, const FixedHeader& header) {
    for (size_t size = 0; size <= stream.size && size <= 6; ++size) {
        const std::vector<uint8_t> piece(stream.begin(), stream.begin() + size);
        FixedHeader partial;
        const FrameState seen = read_fixed_header(piece, partial);
        if (seen == FrameState::need_more) continue;
        require(seen == state);
        if (seen != FrameState::complete_header) continue;
        require(size >= header.header_size && partial.packet_size() == header.packet_size());
    }
}

void check_header(ByteView stream, const FixedHeader& header) {
    require(header.header_size >= 2 && header.header_size <= 5);
    require(header.header_size == 1 + varint_size(header.remaining_length));
    require(header.remaining_length <= kMaxRemainingLength);
    require(static_cast<uint8_t>(static_cast<unsigned>(header.type) << 4 | header.flags) == stream[0]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    for (ByteView stream{data, size};;) {
        FixedHeader header;
        const FrameState state = read_fixed_header(stream, header);
        check_pieces(stream, state, header);
        if (state == FrameState::need_more) require(stream.size < 5);
        if (state != FrameState::complete_header) return 0;
        check_header(stream, header);
        if (header.packet_size() > stream.size) return 0;
        Packet packet;
        (void)decode_packet(stream.subview(0, header.packet_size()), Version::v5, true, {}, packet);
        stream = stream.from(header.packet_size());
    }
}
