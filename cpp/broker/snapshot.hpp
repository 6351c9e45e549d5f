#pragma once
// The counters of all shards added up.

#include "base/metrics.hpp"

namespace comqtt::broker {

struct Core;
MetricsSnapshot take_snapshot(const Core& core);

}  // namespace comqtt::broker
