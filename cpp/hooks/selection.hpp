#pragma once
// Selection: the receivers of one message, as on_select_subscribers may change them.

#include <cstdint>
#include <string>
#include <vector>

namespace comqtt::hooks {

struct SelectedReceiver {
    std::string client_id;
    std::string filter;      ///< full filter text, `$share/...` included
    bool shared = false;
    bool chosen = false;     ///< shared: this member's turn; ordinary: receives. A hook may change it
    uint64_t subscriber = 0; ///< SubscriberId value
    uint8_t qos = 0;
};

struct Selection {
    std::vector<SelectedReceiver> receivers;
};

}  // namespace comqtt::hooks
