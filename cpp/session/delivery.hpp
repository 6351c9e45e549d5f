#pragma once
// Delivery: one message on its way to one session.

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/ref.hpp"
#include "mqtt/message.hpp"
#include "session/share_name.hpp"

namespace comqtt::session {

/// Subscription identifiers of the subscriptions that matched, shared by all deliveries of a route. Never empty.
struct IdentifierList : RefCounted<IdentifierList> {
    std::vector<uint32_t> identifiers;  ///< ascending, each once, when complete
    bool complete = true;
};

/// Adds an identifier to a list made when first needed; 0 = none. Whoever adds more than one completes the list.
inline void add_identifier(Ref<IdentifierList>& list, uint32_t identifier) {
    if (!identifier) return;
    if (!list) list = Ref<IdentifierList>::adopt(new IdentifierList);
    auto& all = list->identifiers;
    if (!all.empty() && all.back() == identifier) return;
    list->complete &= all.empty() || all.back() < identifier;
    all.push_back(identifier);
}
/// How many there are.
inline size_t complete_identifiers(const Ref<IdentifierList>& list) {
    if (!list) return 0;
    auto& all = list->identifiers;
    if (!std::exchange(list->complete, true)) {
        std::sort(all.begin(), all.end());
        all.erase(std::unique(all.begin(), all.end()), all.end());
    }
    return all.size();
}

struct Delivery {
    mqtt::MessageRef message;
    Ref<IdentifierList> identifiers;  ///< null = none
    Ref<ShareName> share;             ///< null = an ordinary subscription
    uint64_t position = 0;            ///< under which the store has it; 0 = it has not
    uint8_t qos = 0;                  ///< as delivered
    bool retain = false;              ///< RETAIN flag as delivered
    bool check_read = false;          ///< the read verdict is not known yet
    bool sent = false;                ///< was put on a wire: DUP when sent again

    /// Lets go of what it holds.
    void clear() {
        message = {};
        if (identifiers) identifiers = {};
        if (share) share = {};
    }
};

}  // namespace comqtt::session
