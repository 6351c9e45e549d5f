#include "mqtt/codec.hpp"
#include "mqtt/fast.hpp"

namespace comqtt::mqtt {

FrameState read_fixed_header(ByteView bytes, FixedHeader& out) {
    return read_fixed_header_inline(bytes, out);
}

}  // namespace comqtt::mqtt
