#pragma once
// LogLimiters: what keeps one shard's lines that peers can cause from filling the log, a limit for each kind.

#include "base/log.hpp"

namespace comqtt::broker {

struct LogLimiters {
    LogLimiter refusals;  ///< ends of connections at warn and above
    LogLimiter ends;      ///< at info
    LogLimiter retained;
    LogLimiter failures;
    LogLimiter drops;
    LogLimiter encoding;  ///< packets that hooks made too large to be any
    LogLimiter idle;      ///< receivers that are not waited for
};

}  // namespace comqtt::broker
