#pragma once
// Base64 (RFC 4648, section 4), padded.

#include <optional>
#include <string>
#include <string_view>

namespace comqtt::storage::tools {

std::string to_base64(std::string_view bytes);
/// Nothing but the alphabet, padding where it belongs, unused bits zero.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace comqtt::storage::tools
