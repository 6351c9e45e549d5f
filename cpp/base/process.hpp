#pragma once
// Facts about the process.

#include <cstdint>

namespace comqtt {

/// Resident bytes, 0 when they cannot be told.
int64_t resident_bytes();

}  // namespace comqtt
