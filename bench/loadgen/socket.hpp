#pragma once

#include <cstdint>
#include <string>

namespace comqtt::bench {

// Raises the limit of open descriptors as far as this process may.
void raise_descriptor_limit();

// A non-blocking TCP socket with TCP_NODELAY whose connect has been started. Throws on error.
int start_connect(const std::string& host, std::uint16_t port);

// Waits until the descriptor can be read (or written); throws when the deadline passes.
void wait_readable(int fd, std::uint64_t deadline_ns);
void wait_writable(int fd, std::uint64_t deadline_ns);

}  // namespace comqtt::bench
