#pragma once
// Putting a store in the place of another one.

#include <functional>
#include <string>

#include "base/result.hpp"

namespace comqtt::storage::tools {

/// Called after each change of a file: what happens when the process, or the machine, ends there is tried out so.
using AfterStep = std::function<void()>;

/// `fresh`, which has no log, becomes the store at `path`; the old one is kept as it is, log and all, under a name
/// that is free, which is given back. At every moment a whole store is at `path`: the old one until the new one is.
/// The lock of `path` is held by the caller, and both are in one folder.
Result<std::string> replace_store(const std::string& path, const std::string& fresh,
                                  const AfterStep& step = {});

}  // namespace comqtt::storage::tools
