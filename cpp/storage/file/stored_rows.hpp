#pragma once
// How the records of hooks/records.hpp look in columns, both ways.

#include <string_view>
#include <vector>

#include "hooks/records.hpp"
#include "storage/file/sqlite_db.hpp"

namespace comqtt::storage {

/// A PUBLISH in its MQTT 5.0 form, without the will delay. False when it has none.
bool encode_will(const mqtt::Will& will, std::vector<uint8_t>& out);
/// False when the bytes are none.
bool decode_will(ByteView bytes, uint32_t delay_s, mqtt::Will& out);

/// The options of SUBSCRIBE in their byte.
uint8_t options_byte(const mqtt::TopicFilterEntry& entry);
mqtt::TopicFilterEntry entry_of(std::string_view filter, uint8_t options);

/// The columns of a message beside those of its queue row.
struct MessageColumns {
    std::string_view topic;
    ByteView payload;
    ByteView properties;
    bool has_expiry = false;
    uint32_t expiry = 0;
    std::vector<uint32_t> identifiers;
};

/// A PUBLISH in version 5.0 with these contents; QoS, RETAIN and packet id are left.
mqtt::Packet publish_of(const MessageColumns& columns);
/// Four bytes each, big endian.
std::vector<uint32_t> identifiers_of(ByteView bytes);

}  // namespace comqtt::storage
