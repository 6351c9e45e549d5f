#pragma once
// Addresses as text.

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace comqtt::net {

/// A bound, listening TCP socket for "host:port", ":port" or "[v6]:port". The caller owns the descriptor. Where only a
/// port is given it listens on IPv6 and IPv4.
Result<int> listen_tcp(std::string_view address, int backlog);
/// A bound, listening Unix socket. A socket file that nobody listens on any more is replaced.
Result<int> listen_unix(const std::string& path, int backlog);
/// "ip:port", "[v6]:port", or "unix:path" of a socket's own or peer address; "unix" for an unnamed one.
std::string local_address(int fd);
std::string peer_address(int fd);
/// Port of a local address, 0 when it has none.
uint16_t local_port(int fd);

}  // namespace comqtt::net
