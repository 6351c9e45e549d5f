#include "mqtt/message.hpp"

#include <cassert>
#include <cstring>
#include <new>

#include "base/block_cache.hpp"

namespace comqtt::mqtt {

namespace {

uint8_t* append(uint8_t* to, ByteView bytes) {
    if (bytes.size) std::memcpy(to, bytes.data, bytes.size);
    return to + bytes.size;
}

}  // namespace

Ref<Message> Message::make(const MessageFields& fields) {
    assert(fields.topic_name.size <= UINT16_MAX && fields.origin_id.size <= UINT16_MAX);
    assert(fields.payload.size <= UINT32_MAX && fields.properties.size <= UINT32_MAX);
    size_t body =
        2 + fields.topic_name.size + fields.payload.size + fields.properties.size + fields.origin_id.size;
    auto* message = new (BlockCache::allocate(sizeof(Message) + body)) Message;
    message->topic_size_ = static_cast<uint16_t>(fields.topic_name.size);
    message->payload_size_ = static_cast<uint32_t>(fields.payload.size);
    message->properties_size_ = static_cast<uint32_t>(fields.properties.size);
    message->origin_size_ = static_cast<uint16_t>(fields.origin_id.size);
    message->expiry_interval_ = fields.expiry_interval;
    message->created_ms_ = fields.created_ms;
    message->born_ms_ = fields.born_ms;
    message->origin_ = fields.origin;
    message->qos_ = fields.qos;
    message->retain_ = fields.retain;
    message->has_expiry_ = fields.has_expiry;

    auto* to = reinterpret_cast<uint8_t*>(message + 1);
    store_u16(to, message->topic_size_);
    to = append(to + 2, fields.topic_name);
    to = append(to, fields.payload);
    to = append(to, fields.properties);
    append(to, fields.origin_id);
    return Ref<Message>::adopt(message);
}

void Message::destroy(Message* message) {
    const size_t size = message->footprint();
    message->~Message();
    BlockCache::free(message, size);
}

}  // namespace comqtt::mqtt
