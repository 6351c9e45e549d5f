#pragma once
// Text as comqtt.h takes it.

#include <comqtt.h>

#include <string>

namespace comqtt::program {

/// Borrowed: valid as long as the text is.
inline comqtt_str view(const std::string& text) { return {text.data(), text.size()}; }

}  // namespace comqtt::program
