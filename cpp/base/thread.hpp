#pragma once
// Threads of the library. Signals are the host's business: none is delivered to them.

#include <functional>
#include <string>
#include <thread>

namespace comqtt {

/// Starts a thread that blocks every signal from its first instruction on and is called "comqtt-<name>" by the system's
/// tools, which show 15 bytes of that. Throws std::system_error when no thread can be had.
std::thread start_thread(const std::string& name, std::function<void()> body);

}  // namespace comqtt
