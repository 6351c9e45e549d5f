#pragma once
// Writes persistence files as mosquitto does, for tests.

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/tools/mosquitto_file.hpp"

namespace tools_test {

class MosquittoBuilder {
public:
    using State = comqtt::storage::tools::MosquittoFile::State;

    explicit MosquittoBuilder(uint32_t version = 6) : version_(version) {
        bytes_ = std::string(comqtt::storage::tools::kMosquittoMagic) + big(4, 0) + big(4, version);
        if (old())
            chunk(1, big(1, 1) + big(1, 8) + native(5));
        else
            chunk(1, native(5) + big(1, 1) + big(1, 8) + std::string(6, '\0'));
    }

    MosquittoBuilder& chunk(uint32_t type, const std::string& body) {
        bytes_ += big(old() ? 2 : 4, type) + big(4, body.size()) + body;
        return *this;
    }
    MosquittoBuilder& client(const std::string& id, uint32_t expiry = 0xFFFFFFFF, int64_t expires_s = 0) {
        if (old()) return chunk(6, text(id) + big(2, 1) + native(0));
        std::string body =
            native(static_cast<uint64_t>(expires_s)) + big(4, expiry) + big(2, 1) + big(2, id.size());
        if (version_ == 6) body += big(2, 1883) + big(2, 4) + big(4, 0);
        return chunk(6, body + id + (version_ == 6 ? "user" : ""));
    }
    MosquittoBuilder& subscription(const std::string& id, const std::string& filter, uint8_t options,
                                   uint32_t identifier = 0) {
        if (old()) return chunk(5, text(id) + text(filter) + big(1, options & 3u));
        return chunk(5, big(4, identifier) + big(2, id.size()) + big(2, filter.size()) +
                            big(1, options & 3u) + big(1, options & ~3u) + big(2, 0) + id + filter);
    }
    MosquittoBuilder& message(uint64_t number, const std::string& topic, const std::string& payload,
                              uint8_t qos, bool retain = false, int64_t expires_s = 0,
                              const std::string& properties = "") {
        const std::string source = "source";
        if (old())
            return chunk(2, native(number) + text(source) +
                                (version_ == 4 ? text("name") + big(2, 1883) : "") + big(2, 1) + big(2, 0) +
                                text(topic) + big(1, qos) + big(1, retain) + big(4, payload.size()) +
                                payload);
        return chunk(2, native(number) + native(static_cast<uint64_t>(expires_s)) + big(4, payload.size()) +
                            big(2, 1) + big(2, source.size()) + big(2, 0) + big(2, topic.size()) +
                            big(2, 1883) + big(1, qos) + big(1, retain) + source + topic + payload +
                            (properties.empty() ? "" : big(1, properties.size()) + properties));
    }
    MosquittoBuilder& holds(const std::string& id, uint64_t number, uint16_t packet_id, uint8_t qos,
                            State state, bool out = true, const std::string& properties = "") {
        const auto code = static_cast<uint8_t>(state);
        if (old())
            return chunk(3, text(id) + native(number) + big(2, packet_id) + big(1, qos) + big(1, 0) +
                                big(1, out) + big(1, code) + big(1, 0));
        return chunk(3, native(number) + big(2, packet_id) + big(2, id.size()) + big(1, qos) + big(1, code) +
                            big(1, 0) + big(1, out) + id +
                            (properties.empty() ? "" : big(1, properties.size()) + properties));
    }
    MosquittoBuilder& retained(uint64_t number) { return chunk(4, native(number)); }

    const std::string& bytes() const { return bytes_; }

    static std::string big(int size, uint64_t number) {
        std::string out;
        for (int i = size - 1; i >= 0; --i) out += static_cast<char>(number >> (8 * i) & 0xFF);
        return out;
    }
    static std::string native(uint64_t number) {
        std::string out;
        for (int i = 0; i < 8; ++i) out += static_cast<char>(number >> (8 * i) & 0xFF);
        return out;
    }
    static std::string text(const std::string& text) { return big(2, text.size()) + text; }

private:
    bool old() const { return version_ <= 4; }

    uint32_t version_;
    std::string bytes_;
};

}  // namespace tools_test
