#pragma once

namespace comqtt {

inline constexpr char kVersionText[] = "1.0.0";

}  // namespace comqtt
