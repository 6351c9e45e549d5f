#pragma once
// Short hands of the broker tests: a link that takes as much as it is told to, and messages.

#include <algorithm>
#include <string>
#include <string_view>

#include "broker/link.hpp"
#include "mqtt/message.hpp"

namespace comqtt::broker::test {

class FakeLink final : public Link {
public:
    size_t write(const iovec* parts, int count) override {
        ++calls;
        size_t written = 0;
        for (int i = 0; i < count && room; ++i) {
            const size_t size = std::min(room, parts[i].iov_len);
            const auto* bytes = static_cast<const char*>(parts[i].iov_base);
            taken.append(bytes, size);
            last_part = bytes;
            room -= size;
            written += size;
        }
        return written;
    }
    void pause_reading() override {}
    void resume_reading() override {}
    Arrived read_arrived(size_t) override { return {}; }
    void finish(int64_t) override {}
    void abort() override {}
    void move_to(unsigned, PeerInfo, std::vector<uint8_t>) override {}

    size_t room = SIZE_MAX;  ///< bytes it takes from now on
    std::string taken;
    const void* last_part = nullptr;  ///< where the last bytes that it took stood
    int calls = 0;
};

inline mqtt::MessageRef make_message(std::string_view payload, std::string_view topic = "t") {
    mqtt::MessageFields fields;
    fields.topic_name = topic;
    fields.payload = payload;
    return mqtt::Message::make(fields);
}

}  // namespace comqtt::broker::test
