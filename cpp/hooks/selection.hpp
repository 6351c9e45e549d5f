#pragma once
// Selection: the receivers of one message, as on_select_subscribers may change them.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace comqtt::hooks {

struct SelectedReceiver {
    std::string client_id;
    std::string filter;  ///< full filter text, `$share/...` included
    bool shared = false;
    bool chosen = false;      ///< shared: this member's turn; ordinary: receives. A hook may change it
    uint64_t subscriber = 0;  ///< SubscriberId value, 0 = added by a hook
    uint8_t qos = 0;
};

struct Selection {
    /// One more receiver, subscribed or not; one that receives already keeps the greater QoS.
    void add(std::string_view client_id, uint8_t qos) {
        for (SelectedReceiver& receiver : receivers) {
            if (receiver.shared || receiver.client_id != client_id) continue;
            receiver.qos = receiver.chosen && receiver.qos > qos ? receiver.qos : qos;
            receiver.chosen = true;
            return;
        }
        SelectedReceiver& added = receivers.emplace_back();
        added.client_id = client_id;
        added.chosen = true;
        added.qos = qos;
    }

    std::vector<SelectedReceiver> receivers;
};

}  // namespace comqtt::hooks
