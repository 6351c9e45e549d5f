#pragma once
// Failure: a history broke a rule of the model.

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace comqtt::sim {

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
    throw Failure(fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
void demand(bool holds, fmt::format_string<Args...> format, Args&&... args) {
    if (!holds) throw Failure(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace comqtt::sim
