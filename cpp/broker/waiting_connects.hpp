#pragma once
// WaitingConnects: CONNECTs of one shard that are not finished, by client id and the order they came in. The connections
// are the shard's; the keys view their clients' ids.

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

namespace comqtt::broker {

struct Connection;

struct WaitingConnects {
    using Table = std::map<std::pair<std::string_view, uint64_t>, Connection*>;
    Table all;
    Table takers;       ///< of these: wait for the connection that has their session
    uint64_t last = 0;  ///< place in the order
};

}  // namespace comqtt::broker
