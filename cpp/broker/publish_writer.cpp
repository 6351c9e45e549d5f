#include "broker/publish_writer.hpp"

#include <cstring>

#include "mqtt/property.hpp"

namespace comqtt::broker {

namespace {

size_t properties_size(const Publication& publication, const PublishForm& form) {
    size_t size = publication.properties.size;
    if (form.has_expiry) size += 5;
    if (form.alias) size += 3;
    for (const uint32_t identifier : form.identifiers) size += 1 + varint_size(identifier);
    return size;
}

size_t remaining_length(const Publication& publication, const PublishForm& form, size_t properties) {
    size_t size = 2 + (form.send_topic ? publication.topic_name.size : 0) + publication.payload.size;
    if (form.qos) size += 2;
    if (form.version == mqtt::Version::v5)
        size += varint_size(static_cast<uint32_t>(properties)) + properties;
    return size;
}

uint8_t* put(uint8_t* p, ByteView bytes) {
    if (bytes.size) std::memcpy(p, bytes.data, bytes.size);
    return p + bytes.size;
}

uint8_t id_byte(mqtt::PropertyId id) { return static_cast<uint8_t>(id); }

}  // namespace

size_t publish_size(const Publication& publication, const PublishForm& form) {
    const size_t rest = remaining_length(publication, form, properties_size(publication, form));
    return 1 + varint_size(static_cast<uint32_t>(rest)) + rest;
}

void write_publish(ChunkPool& pool, Output& out, Publication& publication, const PublishForm& form) {
    const size_t properties = properties_size(publication, form);
    const size_t rest = remaining_length(publication, form, properties);
    const bool v5 = form.version == mqtt::Version::v5;
    const ByteView topic = form.send_topic ? publication.topic_name : ByteView{};
    const auto is_shared = [&](ByteView part) { return part.size >= kSharedPayload && publication.made; };
    // What is referenced stands between runs of bytes that are copied.
    const bool shared_topic = is_shared(topic), shared_payload = is_shared(publication.payload);
    const bool shared_properties = v5 && is_shared(publication.properties);
    const size_t begin = 1 + varint_size(static_cast<uint32_t>(rest)) + 2 + (shared_topic ? 0 : topic.size);
    const size_t middle = rest - 2 - topic.size - publication.payload.size -
                          (shared_properties ? publication.properties.size : 0);
    // A large payload that is copied may go on in the next chunk.
    const bool small = publication.payload.size < kSharedPayload;
    const size_t end = small && !shared_properties ? publication.payload.size : 0;

    uint8_t* p = out.extend(pool, shared_topic ? begin : begin + middle + end);
    *p++ = static_cast<uint8_t>(0x30 | (form.dup ? 8 : 0) | (form.qos << 1) | (form.retain ? 1 : 0));
    p = store_varint(p, static_cast<uint32_t>(rest));
    store_u16(p, static_cast<uint16_t>(topic.size));
    p += 2;
    if (shared_topic) {
        out.append_shared(publication.made, Output::Part::topic_name);
        p = out.extend(pool, middle + end);
    } else {
        p = put(p, topic);
    }
    if (form.qos) {
        store_u16(p, form.packet_id);
        p += 2;
    }
    if (v5) {
        p = store_varint(p, static_cast<uint32_t>(properties));
        if (form.has_expiry) {
            *p++ = id_byte(mqtt::PropertyId::message_expiry_interval);
            store_u32(p, form.expiry);
            p += 4;
        }
        if (form.alias) {
            *p++ = id_byte(mqtt::PropertyId::topic_alias);
            store_u16(p, form.alias);
            p += 2;
        }
        for (const uint32_t identifier : form.identifiers) {
            *p++ = id_byte(mqtt::PropertyId::subscription_identifier);
            p = store_varint(p, identifier);
        }
        if (shared_properties) {
            out.append_shared(publication.made, Output::Part::properties);
        } else {
            p = put(p, publication.properties);
        }
    }
    if (end) {
        put(p, publication.payload);
    } else if (shared_payload) {
        out.append_shared(publication.made, Output::Part::payload);
    } else {
        out.append(pool, publication.payload);
    }
}

}  // namespace comqtt::broker
