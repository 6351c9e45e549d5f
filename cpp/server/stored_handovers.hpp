#pragma once
// StoredHandovers: messages that were on their way between the threads of a server when it ended, as the stores kept
// them. Collected while stored state is restored, and delivered before the threads run.

#include <vector>

#include "base/result.hpp"
#include "broker/core.hpp"
#include "hooks/records.hpp"

namespace comqtt::server {

class StoredHandovers {
public:
    explicit StoredHandovers(broker::Core& core) : core_(core) {}

    /// False when the record is a client's.
    bool add(const hooks::StoredClient& log);
    /// A message that was pushed; those that were not are asked for.
    bool add(hooks::StoredMessage& message);
    /// After everything else was restored.
    Result<void> deliver();

private:
    Result<void> deliver_page_by_page(const hooks::StoredClient& log);

    broker::Core& core_;
    std::vector<hooks::StoredClient> logs_;
    std::vector<hooks::StoredMessage> messages_;
};

}  // namespace comqtt::server
