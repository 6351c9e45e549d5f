#pragma once
// Topic aliases of one connection (3.3.2.3.4), both directions.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.hpp"

namespace comqtt::topics {

/// Aliases the client sets. Memory grows with the aliases used, not with the maximum; the total bytes of
/// stored topics are bounded by `maximum_bytes`.
class InboundAliases {
public:
    enum class Result : uint8_t { ok, out_of_range, unknown, too_many_bytes };
    Result set(uint16_t alias, std::string_view topic, uint16_t maximum, size_t maximum_bytes);
    Result find(uint16_t alias, uint16_t maximum, std::string_view& topic) const;

private:
    std::unordered_map<uint16_t, std::string> topics_;
    size_t bytes_ = 0;
};

/// Aliases the server sets, given by use: when all are taken, a topic that is used more than twice as often takes
/// the alias of one used less. How often is kept in a small table of counts that fade, so that a call costs the
/// same whatever the maximum, and a rotation of more topics than aliases leaves the aliases where they are.
class OutboundAliases {
public:
    explicit OutboundAliases(uint16_t maximum);
    struct Choice {
        uint16_t alias = 0;  ///< 0 = send the topic without an alias
        bool send_topic = true;
    };
    /// Called once per PUBLISH that is certainly sent.
    Choice use(std::string_view topic);

private:
    struct Entry {
        std::string topic;
        uint8_t uses = 0;
    };

    Choice give(uint16_t alias, std::string_view topic, uint8_t uses);
    uint8_t count_other(std::string_view topic);
    void fade();

    std::vector<std::unique_ptr<Entry>> entries_;  ///< index + 1 = alias
    std::unordered_map<std::string_view, uint16_t, TextHash> by_topic_;
    std::vector<uint8_t>
        others_;  ///< uses of topics without alias, by hash; made when the aliases are used up
    uint16_t maximum_;
    uint16_t fading_ = 0;  ///< next count to be halved
    uint16_t calls_ = 0;
    uint32_t dice_ = 1;  ///< picks the alias to be challenged; a fixed turn could fall in step with use
};

}  // namespace comqtt::topics
