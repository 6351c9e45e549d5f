#pragma once
// comqtt_metrics and MetricsSnapshot, member for member.

#include "base/metrics.hpp"
#include "comqtt.h"

namespace comqtt::capi {

comqtt_metrics to_record(const MetricsSnapshot& snapshot);
MetricsSnapshot to_snapshot(const comqtt_metrics& record);

}  // namespace comqtt::capi
