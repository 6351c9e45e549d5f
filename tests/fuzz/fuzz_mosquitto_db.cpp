// mosquitto.db: whatever the bytes are, the parser answers with records inside them or with an error that says where.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "storage/tools/mosquitto_file.hpp"

using namespace comqtt;
using namespace comqtt::storage::tools;

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const ByteView bytes(data, size);
    const auto inside = [&](std::string_view text) {
        const auto* begin = reinterpret_cast<const uint8_t*>(text.data());
        require(text.empty() || (begin >= bytes.begin() && begin + text.size() <= bytes.end()));
    };
    const auto file = parse_mosquitto_file(bytes);
    if (!file) {
        require(!file.error().message.empty());
        return 0;
    }
    for (const auto& client : file->clients) {
        require(client.offset < size);
        inside(client.id);
        inside(client.username);
    }
    for (const auto& subscription : file->subscriptions) {
        inside(subscription.client_id);
        inside(subscription.filter);
    }
    for (const auto& message : file->messages) {
        require(message.qos <= 2);
        inside(message.source_id);
        inside(message.topic);
        inside(message.payload.text());
        inside(message.properties.text());
    }
    for (const auto& message : file->client_messages) {
        require(message.qos <= 2);
        inside(message.client_id);
    }
    return 0;
}
