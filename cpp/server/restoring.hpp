#pragma once
// Restoring: what the stores push at the start, put where it belongs, before the threads run.

#include "base/result.hpp"
#include "broker/core.hpp"

namespace comqtt::server {

/// Sessions, subscriptions, messages, blocked clients; what was on its way between threads last. Of several stores the
/// first that has something of a kind counts.
Result<void> restore_stored_state(broker::Core& core);

}  // namespace comqtt::server
